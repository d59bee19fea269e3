"""Argo CD's namespace on the hub: what Rollgraph takes over from an Argo CD that is there already.

It lives beside the adapter of spokes because it reaches the hub, and opens the clusters that it
finds there, in the same way.
"""
