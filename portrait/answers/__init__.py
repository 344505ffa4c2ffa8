"""What hits mean: chains, evidence, verdicts, and the words for them. Pure: no files, no kernel."""
