"""``Asking``: the policy for queries that all endpoints share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from portrait_server import errors
from portrait_server.access.callers import Caller
from portrait_server.api.asking import Asking
from portrait_server.settings import settings_of
from portrait_server.state import State
from support.live import BREAD, FERRY, build

import portrait

if TYPE_CHECKING:
    from pathlib import Path

ANYONE = Caller("address 192.0.2.7")
ALICE = Caller("key alice", "alice", ("bread",))


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The paths of two portraits, ``ferry`` and ``bread``."""
    folder = tmp_path_factory.mktemp("portraits")
    return [build(folder / "ferry.portrait", FERRY), build(folder / "bread.portrait", BREAD)]


def state_of(paths: list[Path], **settings: Any) -> State:
    """Return the state of an application that serves these portraits."""
    return State(settings_of({"portraits": paths, **settings}))


def test_a_caller_queries_only_its_own_portraits(paths: list[Path]) -> None:
    state = state_of(paths)
    assert Asking(state, ANYONE, 60).visible() == ("ferry", "bread")
    assert Asking(state, ANYONE, 60).visible(["bread"]) == ("bread",)
    alice = Asking(state, ALICE, 60)
    assert alice.visible() == ("bread",)
    messages = set()
    for name in ("ferry", "none"):
        with pytest.raises(errors.UnknownPortraitError) as caught:
            alice.ask([FERRY], [name])
        messages.add(str(caught.value).replace(name, ""))
    assert len(messages) == 1
    assert alice.ask([BREAD]) == [portrait.open(paths[1]).query(BREAD)]


def test_the_caller_chooses_the_threshold(paths: list[Path]) -> None:
    asking = Asking(state_of(paths), ALICE, 60)
    opened = portrait.open(paths[1])
    assert asking.ask([BREAD], evalue=1e-50) == [opened.query(BREAD, evalue=1e-50)]
    assert asking.ask([BREAD]) == [opened.query(BREAD)]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["x"] * 3, "3 texts: at most 2 in one request: send more as NDJSON"),
        (["x" * 600, "x" * 601], "1,201 characters: at most 1,000 at once"),
        (["x"] * 2, None),
        (["x" * 500] * 2, None),
    ],
)
def test_a_request_has_limits(texts: list[str], message: str | None, paths: list[Path]) -> None:
    asking = Asking(state_of(paths, max_texts=2, max_chars=1000), ANYONE, 60)
    if message is None:
        asking.require_within_limits(texts)
        assert len(asking.ask(texts)) == len(texts)
    else:
        with pytest.raises(errors.TooLargeError) as caught:
            asking.ask(texts)
        assert str(caught.value) == message


def test_every_text_that_is_asked_is_charged(paths: list[Path]) -> None:
    state = state_of(paths, rate="3/day")
    caller = state.doorkeeper.identify(None, "192.0.2.7")
    asking = Asking(state, caller, 60)
    for _ in range(3):
        asking.ask(["x"])
    with pytest.raises(errors.RateLimitError):
        asking.ask(["x"])
    many = Asking(state, state.doorkeeper.identify(None, "192.0.2.8"), 60)
    with pytest.raises(errors.RateLimitError):
        many.ask(["x"] * 5)
    many.ask(["x"] * 2)
    with pytest.raises(errors.RateLimitError):
        many.ask(["x"] * 2)
    many.ask(["x"])


def test_what_cannot_be_asked_is_not_charged(paths: list[Path]) -> None:
    state = state_of(paths, rate="2/day", max_texts=2)
    asking = Asking(state, state.doorkeeper.identify(None, "192.0.2.7"), 60)
    for texts, names in ((["x"], ["none"]), (["x"] * 3, None)):
        with pytest.raises((errors.UnknownPortraitError, errors.TooLargeError)):
            asking.ask(texts, names)
    asking.ask(["x"])
    asking.admit([])
    with pytest.raises(errors.RateLimitError):
        asking.admit([])


def test_time_is_limited(paths: list[Path]) -> None:
    late = Asking(state_of(paths), ANYONE, -1)
    with pytest.raises(errors.OvertimeError) as caught:
        late.ask(["x"])
    assert caught.value.retry_after == 1
    with pytest.raises(errors.OvertimeError):
        late.require_time()
    Asking(state_of(paths), ANYONE, 60).require_time()


def test_answers_are_counted(paths: list[Path]) -> None:
    state = state_of(paths)
    Asking(state, ANYONE, 60).ask([FERRY, "x"])
    exposition = state.metrics.exposition().decode()
    assert 'portrait_texts_total{verdict="found"} 1.0' in exposition
    assert f"portrait_characters_total {len(FERRY) + 1}.0" in exposition


def test_a_request_sees_the_same_portraits_until_it_is_refreshed(tmp_path: Path) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    state = state_of([ferry], reload_seconds=1e-9)
    asking = Asking(state, ANYONE, 60)
    assert asking.ask([BREAD])[0].verdict == "not_found"
    build(ferry, BREAD)
    state.refresh()
    assert asking.ask([BREAD])[0].verdict == "not_found"
    asking.refresh()
    assert asking.ask([BREAD])[0].verdict == "found"
