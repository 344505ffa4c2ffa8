"""``python -m portrait`` is the same as ``portrait``."""

from portrait.cli.main import main

main()
