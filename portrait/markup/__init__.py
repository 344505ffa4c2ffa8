"""What draws text for people: escaped HTML, marked passages, numbers."""
