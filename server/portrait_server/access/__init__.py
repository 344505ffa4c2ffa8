"""Who may ask, what they may see, and how much they may ask: API keys, callers and rates."""
