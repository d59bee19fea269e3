"""`rollgraph doctor`: looks at everything that Rollgraph needs, and says what to fix."""
