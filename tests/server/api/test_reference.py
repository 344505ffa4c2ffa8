"""The reference of the interface as an HTML page."""

from __future__ import annotations

from support.clients import client_of


def test_the_reference_has_every_endpoint_and_loads_nothing_from_other_hosts() -> None:
    client = client_of([])
    spec = client.get("/openapi.json").get_json()
    page = client.get("/docs").get_data(as_text=True)
    for path in spec["paths"]:
        assert f" {path}</code>" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page


def test_the_reference_has_every_model() -> None:
    client = client_of([])
    page = client.get("/docs").get_data(as_text=True)
    for name in client.get("/openapi.json").get_json()["components"]["schemas"]:
        assert f'<h2 id="{name}">' in page
