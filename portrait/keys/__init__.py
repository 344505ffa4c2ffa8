"""Keys of windows: made from batches of text, sorted, and spilled to runs on disk."""
