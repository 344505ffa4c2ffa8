"""Files and streams of bytes, on this machine and at URLs."""
