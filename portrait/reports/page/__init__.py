"""The contamination report as one HTML page."""
