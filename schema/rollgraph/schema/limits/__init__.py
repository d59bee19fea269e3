"""What one request may cost, measured before anything is executed."""
