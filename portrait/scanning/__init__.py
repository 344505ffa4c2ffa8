"""Every row of a dataset, queried and written out."""
