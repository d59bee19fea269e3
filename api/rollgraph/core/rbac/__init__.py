"""Policies: what they say as text, and whom they allow what. Pure."""
