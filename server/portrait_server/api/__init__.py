"""The endpoints for programs, the policy for asking that they share, and their description."""
