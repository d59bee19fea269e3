"""Kubernetes API servers: how to reach them and how to read from them.

`listwatch` speaks to one server, on aiohttp directly. kubernetes_asyncio's Watch is not used: with
36.1 it takes a load balancer's HTML for events, reconnects without a wait, waits for ever on a
half-open connection and gives up on an object of 4 MiB. Its ApiClient is not used either: it makes
an SSLContext of its own (23 ms, several MB of trust store) and writes client keys to files.
`kubeconfig` finds the servers.
"""
