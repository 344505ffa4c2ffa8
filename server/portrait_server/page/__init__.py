"""The page for people: an answer in words, drawn where the text is."""
