"""What a rollout's state means: pure, no I/O, no clock; the standard library and msgspec only."""
