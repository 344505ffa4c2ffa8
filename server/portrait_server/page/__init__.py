"""The page for people: an answer in words, with its matches marked in the text."""
