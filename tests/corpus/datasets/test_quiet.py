"""Settings of the hub's libraries, changed within a block: nested, overlapping, and in several threads."""

from __future__ import annotations

import random
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import datasets
import huggingface_hub.utils
import pytest

from portrait.corpus.datasets.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator


#: The package does not declare everything that it exports.
hub_utils: Any = huggingface_hub.utils


def state() -> list[Any]:
    """Return all settings that a block changes."""
    names = sorted(name for name in dir(datasets.config) if "STREAMING_" in name)
    return [
        *(getattr(datasets.config, name) for name in names),
        datasets.logging.get_verbosity(),
        hub_utils.logging.get_verbosity(),
        datasets.are_progress_bars_disabled(),
        hub_utils.are_progress_bars_disabled(),
    ]


@pytest.fixture(autouse=True)
def before() -> Iterator[list[Any]]:
    """The settings before the test, which must be the same after it."""
    settings = state()
    yield settings
    assert state() == settings


def test_settings_are_changed_within_the_block(before: list[Any]) -> None:
    with quiet():
        changed = state()
        assert changed != before
        with quiet():
            assert state() == changed
        assert state() == changed


def test_an_error_within_the_block_restores_the_settings() -> None:
    with pytest.raises(LookupError), quiet():
        raise LookupError


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_overlapping_blocks_may_end_in_any_order(order: tuple[int, int], before: list[Any]) -> None:
    blocks = [ExitStack(), ExitStack()]
    for block in blocks:
        block.enter_context(quiet())
    changed = state()
    blocks[order[0]].close()
    assert state() == changed != before
    blocks[order[1]].close()
    assert state() == before


def test_threads_share_the_settings() -> None:
    changed = []

    def work(seed: int) -> None:
        pause = random.Random(seed).uniform
        for _ in range(20):
            with quiet():
                threading.Event().wait(pause(0, 0.002))
                changed.append(state())

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert changed == [changed[0]] * 80


def test_settings_that_the_user_chose_are_restored() -> None:
    level = datasets.logging.get_verbosity()
    datasets.logging.set_verbosity(level + 5)
    try:
        with quiet():
            pass
        assert datasets.logging.get_verbosity() == level + 5
    finally:
        datasets.logging.set_verbosity(level)
