"""Formats of text: one module each."""
