"""``python -m portrait`` runs the command line, as ``portrait`` does."""

from portrait.cli.main import main

main()
