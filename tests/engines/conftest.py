"""Fixtures for the tests of engines."""

from support.ray_cluster import cluster, ray_environment  # noqa: F401
