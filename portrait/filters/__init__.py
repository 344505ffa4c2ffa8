"""Filters: one module a kind, the protocols that all follow, and the table of kinds."""
