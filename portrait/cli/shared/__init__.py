"""What several commands share: options, progress, numbers for people."""
