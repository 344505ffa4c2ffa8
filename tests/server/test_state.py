"""The state of an application, and how it follows changes on disk."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from portrait_server import create_app
from portrait_server.access.keys import new_key
from portrait_server.settings import settings_of
from portrait_server.state import State, current_state
from support.live import BREAD, FERRY, build

from portrait import SpecError

if TYPE_CHECKING:
    from pathlib import Path


def verdict(state: State, text: str) -> str:
    """Return the verdict on a text."""
    (answer,) = state.shelf.ask(None, [text])
    return answer.verdict


def test_changes_are_noticed_after_the_interval(tmp_path: Path) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    patient, eager = (
        State(settings_of({"portraits": [ferry], "reload_seconds": seconds})) for seconds in (3600, 1e-9)
    )
    build(ferry, BREAD)
    for state in (patient, eager):
        state.refresh()
    assert (verdict(patient, BREAD), verdict(eager, BREAD)) == ("not_found", "found")
    patient.refresh(force=True)
    assert verdict(patient, BREAD) == "found"


def test_keys_are_read_again_with_the_portraits(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(new_key("alice")[1].to_line())
    state = State(settings_of({"keys": file, "reload_seconds": 1e-9}))
    file.write_text(f"{new_key('bob')[1].to_line()}\n{new_key('carol')[1].to_line()}\n")
    state.refresh()
    assert state.doorkeeper.keyring is not None
    assert set(state.doorkeeper.keyring.keys) == {"bob", "carol"}


def test_a_failure_to_follow_one_change_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Refreshing never raises: it runs before every request, and for as long as a worker lives."""
    file = tmp_path / "keys.toml"
    file.write_text(new_key("alice")[1].to_line())
    state = State(settings_of({"keys": file, "reload_seconds": 1e-9}))
    file.write_text(new_key("bob")[1].to_line())

    def fail(**_: object) -> None:
        raise OSError("unplugged")

    monkeypatch.setattr(state.shelf, "reload", fail)
    state.refresh()
    assert "changes on disk could not be followed" in caplog.text
    assert state.doorkeeper.keyring is not None
    assert set(state.doorkeeper.keyring.keys) == {"bob"}


def test_threads_may_refresh_at_the_same_time(tmp_path: Path) -> None:
    state = State(settings_of({"portraits": [build(tmp_path / "ferry.portrait", FERRY)]}))
    threads = [threading.Thread(target=state.refresh, kwargs={"force": True}) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdict(state, FERRY) == "found"


def test_rates_of_several_workers_need_a_shared_store() -> None:
    State(settings_of({"workers": 2})).require_shared_rates()
    State(settings_of({"workers": 1, "rate": "5/day"})).require_shared_rates()
    with pytest.raises(SpecError, match="shared store"):
        State(settings_of({"workers": 2, "rate": "5/day"})).require_shared_rates()


def test_every_application_has_its_own_state() -> None:
    one, other = create_app(), create_app()
    with one.app_context():
        state = current_state()
    with other.app_context():
        assert current_state() is not state
