"""Portraits in repositories of a hub: addresses, downloads, uploads."""
