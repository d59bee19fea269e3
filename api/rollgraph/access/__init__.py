"""Who may do what: policies put to use. What it decides it decides in memory, at once."""
