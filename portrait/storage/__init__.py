"""Durable files: atomic replacement, locks, staging directories, journals, outputs, work directories."""
