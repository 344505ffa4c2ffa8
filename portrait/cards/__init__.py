"""Descriptions of portraits: for the pages of models, for machines, for authorities."""
