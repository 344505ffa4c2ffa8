"""Descriptions of a portrait in forms that others define: Croissant and the training summary."""
