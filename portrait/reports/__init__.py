"""Contamination reports: how much of an evaluation set the corpora of some portraits hold.

``runner`` reads and asks, ``tally`` counts, ``report`` is what comes of it, ``page`` shows it,
``outputs`` and ``split`` write it.
"""
