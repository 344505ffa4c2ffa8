"""The endpoint for benchmarks."""

from __future__ import annotations

from support.clients import client_of, refused


def test_the_endpoint_exists_only_if_it_is_enabled() -> None:
    refused(client_of([]).post("/v1/constant", json={"text": "x"}), 404)
    client = client_of([], BENCHMARK=True, MAX_CHARS=10)
    assert client.post("/v1/constant", json={"text": "x"}).get_json() == {"answers": []}
    refused(client.post("/v1/constant", json={"text": 1}), 400)
    refused(client.post("/v1/constant", json={"text": "x" * 11}), 413)
