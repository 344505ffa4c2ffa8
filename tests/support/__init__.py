"""Helpers that several tests share: corpora, oracles, damaged files, services and browsers."""
