"""Metrics, counted and told with Prometheus's own client."""

from rollgraph.adapters.prometheus.metrics import Metrics

__all__ = ["Metrics"]
