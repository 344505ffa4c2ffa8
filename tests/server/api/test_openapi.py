"""The OpenAPI document, checked against the interface with valid and invalid requests."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from portrait_server import create_app
from schemathesis.generation import GenerationMode
from support.live import BREAD, FERRY, build


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The OpenAPI document of an application with two portraits."""
    folder = tmp_path_factory.mktemp("openapi")
    paths = [build(folder / "ferry.portrait", FERRY), build(folder / "bread.portrait", BREAD)]
    return schemathesis.openapi.from_wsgi("/openapi.json", create_app({"PORTRAITS": paths}))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_the_interface_does_what_its_description_says(mode: GenerationMode, schema: Any) -> None:
    labels = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        # Any string in an address is a valid name, so only bodies can be invalid.
        if mode is GenerationMode.NEGATIVE and not operation.body:
            continue

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def check(case: Any) -> None:
            case.call_and_validate()

        check()
        labels.add(operation.label)
    assert "POST /v1/query" in labels
