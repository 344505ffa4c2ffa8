"""Filters: one module a kind, the protocols they all follow, and the table of kinds."""
