"""Readers: one module a format, each yielding Arrow batches of text."""
