"""Policies as casbin judges them: slow, and the measure of what we decide ourselves."""

from rollgraph.adapters.casbin.enforcer import CasbinEnforcer

__all__ = ["CasbinEnforcer"]
