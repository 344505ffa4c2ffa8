"""HTTP: bodies in, problem documents out, headers, the access log, and who is admitted."""
