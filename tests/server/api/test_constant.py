"""The endpoint for benchmarks."""

from __future__ import annotations

from support.clients import client_of, refused


def test_it_is_there_only_if_the_settings_say_so() -> None:
    refused(client_of([]).post("/v1/constant", json={"text": "x"}), 404)
    timed = client_of([], BENCHMARK=True, MAX_CHARS=10)
    assert timed.post("/v1/constant", json={"text": "x"}).get_json() == {"answers": []}
    refused(timed.post("/v1/constant", json={"text": 1}), 400)
    refused(timed.post("/v1/constant", json={"text": "x" * 11}), 413)
