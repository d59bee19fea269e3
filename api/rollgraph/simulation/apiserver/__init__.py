"""The Kubernetes API of a simulated cluster, over HTTP: as much as watching and acting needs."""
