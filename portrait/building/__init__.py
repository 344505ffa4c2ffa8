"""Corpus → keys → runs → filters → bundle."""
