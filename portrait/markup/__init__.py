"""Text for people: escaped HTML, marked passages, numbers."""
