"""The directory on disk: manifest, shards of tensors, and card."""
