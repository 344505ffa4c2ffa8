"""``python -m portrait`` is the same as ``portrait``."""

from portrait.cli import main

main()
