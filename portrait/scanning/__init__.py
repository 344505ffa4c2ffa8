"""Every row of a dataset, asked about and written out."""
