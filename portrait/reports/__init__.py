"""Contamination reports: how much of an evaluation set the corpora of some portraits contain."""
