"""The broker of several processes: Redis 7 or later, alone or as a cluster."""
