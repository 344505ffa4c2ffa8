"""A stand-in for a hub, with two datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.hub_corpora import LINES, TWO
from support.hub_stand_in import StandIn, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def serve() -> Iterator[StandIn]:
    """A stand-in for a hub, which serves nothing yet."""
    with serving() as stand_in:
        yield stand_in


@pytest.fixture
def hub(serve: StandIn) -> StandIn:
    """The stand-in with the datasets ``org/two`` and ``org/lines``, and nothing else."""
    serve.repositories.clear()
    serve.broken.clear()
    serve.moved.clear()
    serve.add("org/two", TWO)
    serve.add("org/lines", LINES)
    return serve
