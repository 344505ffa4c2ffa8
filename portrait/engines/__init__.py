"""Engines: who runs a build's tasks. One module an engine, one protocol."""
