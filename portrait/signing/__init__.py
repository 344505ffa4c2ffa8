"""Signatures: an in-toto statement about a portrait, in a DSSE envelope, in a Sigstore bundle."""
