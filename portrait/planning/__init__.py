"""Plans: what a build is expected to take and to give, before it starts."""
