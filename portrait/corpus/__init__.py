"""Where text comes from: named sources, their shards, and Arrow batches of their rows."""
