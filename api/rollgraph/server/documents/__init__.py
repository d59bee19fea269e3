"""Documents that are asked for without being sent: by their hash, or by the id in a file."""
