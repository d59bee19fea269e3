"""What is in deploy/: rendered, checked, installed on a real API server, and run."""
