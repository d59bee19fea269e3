"""Streams of events: what is told to whoever subscribes, when, and as far as they may see it."""
