"""Engines run the tasks of a build: one module an engine, one protocol."""
