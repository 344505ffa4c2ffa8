"""A stand-in for the hub, and small portraits to publish there."""

from __future__ import annotations

from support.hub_fixtures import hub, hub_server, saga, tale  # noqa: F401  # fixtures of the whole package
