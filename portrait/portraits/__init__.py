"""An open portrait, ready to be queried."""
