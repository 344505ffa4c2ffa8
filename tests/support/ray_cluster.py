"""Fixtures for tests that use Ray: one cluster for each test module, since it takes seconds to start."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from portrait.engines.ray import RayEngine
from support.places import TESTS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def ray_environment() -> Iterator[None]:
    """The environment for Ray's processes: the path of the tests' modules, and a random access token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        yield


@pytest.fixture(scope="module")
def cluster(
    ray_environment: None,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RayEngine]:
    """An engine with two workers, started in a directory other than the tests' working directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        engine = RayEngine(2)
    yield engine
    engine.close()
