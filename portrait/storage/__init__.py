"""Durable files: atomic replacement, locks, journals, outputs, work directories."""
