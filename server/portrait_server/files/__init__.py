"""Files of portraits: which of them may be opened, and how they are opened and followed."""
