"""Headers of every response."""

from __future__ import annotations

import pytest
from support.clients import client_of


@pytest.mark.parametrize(
    ("origins", "allowed"),
    [
        ([], None),
        (["https://example.org"], "https://example.org"),
        (["*"], "*"),
        (["https://other.example"], None),
    ],
)
def test_other_origins_are_admitted_only_by_the_settings(origins: list[str], allowed: str | None) -> None:
    request_headers = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    client = client_of([], CORS_ORIGINS=origins)
    for response in (
        client.options("/v1/query", headers=request_headers),
        client.get("/healthz", headers=request_headers),
    ):
        assert response.status_code == 200
        assert response.headers.get("Access-Control-Allow-Origin") == allowed
        assert ("Origin" in response.headers.get("Vary", "")) == bool(origins)
        policy = "same-origin" if allowed is None else "cross-origin"
        assert response.headers["Cross-Origin-Resource-Policy"] == policy
    preflight = client.options("/v1/query", headers=request_headers)
    assert ("Authorization" in preflight.headers.get("Access-Control-Allow-Headers", "")) == bool(allowed)


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/docs", "/v1/portraits"])
def test_every_response_has_the_security_headers(path: str) -> None:
    headers = client_of([]).get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
