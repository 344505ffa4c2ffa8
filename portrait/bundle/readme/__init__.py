"""The card: README.md, the page for people who find a portrait beside a model."""
