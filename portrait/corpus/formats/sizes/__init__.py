"""What files of binary formats state of their own size in memory, read before Arrow reads them."""
