"""Engines that run the tasks of a build, one module each, and the pool of processes of a scan."""
