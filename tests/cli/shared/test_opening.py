"""Opening the portraits that a command queries: bundles, foreign filters, and the stride option."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from support.places import GOLDEN

from portrait.cli.shared.opening import open_all
from portrait.errors import BundleError, SpecError
from portrait.spec import Minimizer, Stride

if TYPE_CHECKING:
    from pathlib import Path

BUNDLE = str(GOLDEN / "defaults")
#: A bundle with a stride of 5.
STRIDES = str(GOLDEN / "two_sources")


@pytest.fixture
def foreign(tmp_path: Path) -> str:
    """The path of a filter of the original library whose file name does not state the stride."""
    redisbloom = GOLDEN / "redisbloom"
    shutil.copy(redisbloom / "words.50-50.bf", tmp_path / "words.bf")
    shutil.copy(redisbloom / "words.50-50.bf.part0.bin", tmp_path)
    return str(tmp_path / "words.bf")


def test_portraits_are_opened_in_order(foreign: str) -> None:
    opened = open_all([foreign, BUNDLE], 50)
    assert [one.is_bundle for one in opened] == [False, True]
    # The option applies to the foreign filter; the bundle keeps its own sampling.
    assert [one.spec.sampling for one in opened] == [Stride(50), Minimizer(42)]


def test_a_bundle_alone_refuses_another_stride() -> None:
    assert open_all([STRIDES], 5)[0].spec.sampling == Stride(5)
    with pytest.raises(SpecError, match="was built with a stride of 5"):
        open_all([STRIDES], 7)
    with pytest.raises(SpecError, match="stride"):
        open_all([BUNDLE], 7)


def test_a_path_that_is_not_a_portrait_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        open_all([BUNDLE, str(tmp_path)], None)


@pytest.mark.parametrize("map_", [True, False])
def test_portraits_are_the_same_mapped_and_in_memory(foreign: str, map_: bool) -> None:
    opened = open_all([foreign, BUNDLE], 50, map=map_)
    text = "some words that nobody has counted " * 40
    mapped = open_all([foreign, BUNDLE], 50)
    assert [one.hits(text) for one in opened] == [one.hits(text) for one in mapped]
