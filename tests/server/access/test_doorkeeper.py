"""``Doorkeeper``: who a caller is, what it is charged, and how changes of the key file take effect."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from portrait_server.access.callers import Caller
from portrait_server.access.doorkeeper import Doorkeeper
from portrait_server.access.keys import new_key
from portrait_server.errors import RateLimitError, UnauthorizedError

from portrait import SpecError

if TYPE_CHECKING:
    from pathlib import Path


def test_without_keys_callers_are_identified_by_address() -> None:
    doorkeeper = Doorkeeper(rate="5/day")
    caller = doorkeeper.identify("a key that is not needed", "192.0.2.7")
    assert caller == Caller("address 192.0.2.7", rate="5/day")
    assert (doorkeeper.has_rates, doorkeeper.counting) == (True, "in this process")
    assert (Doorkeeper().has_rates, Doorkeeper().counting) == (False, "off")


def test_with_keys_callers_are_identified_by_key(tmp_path: Path) -> None:
    (alice, alice_entry), (bob, bob_entry) = new_key("alice", ("law",)), new_key("bob", rate="7/day")
    file = tmp_path / "keys.toml"
    file.write_text(f"{alice_entry.to_line()}\n{bob_entry.to_line()}\n")
    doorkeeper = Doorkeeper(file, "5/day")
    assert doorkeeper.identify(alice, "192.0.2.7") == Caller("key alice", "alice", ("law",), "5/day")
    assert doorkeeper.identify(bob, "192.0.2.7") == Caller("key bob", "bob", None, "7/day")
    with pytest.raises(UnauthorizedError):
        doorkeeper.identify(None, "192.0.2.7")
    assert Doorkeeper(file).has_rates


def test_callers_are_charged_for_each_text() -> None:
    doorkeeper = Doorkeeper(rate="3/day")
    one, other = (doorkeeper.identify(None, f"192.0.2.{n}") for n in (1, 2))
    doorkeeper.charge(one, 3)
    doorkeeper.charge(one, 0)
    doorkeeper.charge(other)
    with pytest.raises(RateLimitError):
        doorkeeper.charge(one)
    # A request without a text costs nothing, even where the rate is used up.
    doorkeeper.charge(one, 0)
    doorkeeper.charge(Caller("address 192.0.2.1"), 1000)


def test_refusals_are_counted_apart() -> None:
    doorkeeper = Doorkeeper(rate="2/day")
    caller = doorkeeper.identify(None, "192.0.2.1")
    for _ in range(2):
        doorkeeper.require_patience(caller)
        doorkeeper.count_refusal(caller)
    with pytest.raises(RateLimitError):
        doorkeeper.require_patience(caller)
    doorkeeper.charge(caller, 2)
    unlimited = Caller("address 192.0.2.1")
    doorkeeper.count_refusal(unlimited)
    doorkeeper.require_patience(unlimited)


def test_a_changed_key_file_is_read_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (alice, alice_entry), (bob, bob_entry) = new_key("alice"), new_key("bob")
    file = tmp_path / "keys.toml"
    file.write_text(alice_entry.to_line())
    doorkeeper = Doorkeeper(file)
    with caplog.at_level(logging.INFO):
        doorkeeper.reload()
        assert caplog.messages == []
        file.write_text(f"{bob_entry.to_line()}\n")
        doorkeeper.reload()
        assert caplog.messages == ["read 1 key"]
        assert doorkeeper.identify(bob, "").key == "bob"
        with pytest.raises(UnauthorizedError):
            doorkeeper.identify(alice, "")
        file.write_text("what = 3")
        doorkeeper.reload()
        doorkeeper.reload()
        assert len(caplog.messages) == 2
        assert caplog.messages[1].startswith("the present keys stay in force: ")
        assert doorkeeper.identify(bob, "").key == "bob"
        doorkeeper.reload(force=True)
        assert len(caplog.messages) == 3


def test_invalid_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="600/minute"):
        Doorkeeper(rate="often")
    with pytest.raises(SpecError, match=r"none\.toml"):
        Doorkeeper(tmp_path / "none.toml")


def test_a_file_that_is_replaced_in_its_directory_is_seen(tmp_path: Path) -> None:
    """The usual way to change a file at once: another one takes its name."""
    (alice, alice_entry), (bob, bob_entry) = new_key("alice"), new_key("bob")
    file = tmp_path / "keys" / "keys.toml"
    file.parent.mkdir()
    file.write_text(alice_entry.to_line())
    doorkeeper = Doorkeeper(file)
    other = tmp_path / "keys" / "keys.toml.new"
    other.write_text(bob_entry.to_line())
    other.rename(file)
    doorkeeper.reload()
    assert doorkeeper.identify(bob, "").key == "bob"
    with pytest.raises(UnauthorizedError):
        doorkeeper.identify(alice, "")


def test_a_worker_starts_without_a_readable_file_and_lets_nobody_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret, entry = new_key("alice")
    file = tmp_path / "keys.toml"
    file.write_text("what = 3")
    with pytest.raises(SpecError, match="what"):
        Doorkeeper(file)
    doorkeeper = Doorkeeper(file, lenient=True)
    assert "nobody has a valid key" in caplog.text
    with pytest.raises(UnauthorizedError):
        doorkeeper.identify(secret, "")
    file.write_text(entry.to_line())
    doorkeeper.reload()
    assert doorkeeper.identify(secret, "").key == "alice"


def test_refusals_by_rate_are_reported() -> None:
    refusals = []
    doorkeeper = Doorkeeper(rate="2/day", on_refusal=lambda: refusals.append(1))
    caller = doorkeeper.identify(None, "192.0.2.7")
    doorkeeper.charge(caller, 2)
    assert refusals == []
    with pytest.raises(RateLimitError):
        doorkeeper.charge(caller)
    assert refusals == [1]


def test_a_file_that_goes_and_comes_back_is_read_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (alice, alice_entry), (bob, bob_entry) = new_key("alice"), new_key("bob")
    file = tmp_path / "keys.toml"
    file.write_text(alice_entry.to_line())
    doorkeeper = Doorkeeper(file)
    file.unlink()
    with caplog.at_level(logging.INFO):
        doorkeeper.reload()
        doorkeeper.reload()
    assert caplog.messages == [f"the present keys stay in force: {file}: No such file or directory"]
    assert doorkeeper.identify(alice, "").key == "alice"
    file.write_text(f"{bob_entry.to_line()}\n")
    doorkeeper.reload()
    assert doorkeeper.identify(bob, "").key == "bob"


def test_without_a_file_of_keys_there_is_nothing_to_read_again(caplog: pytest.LogCaptureFixture) -> None:
    doorkeeper = Doorkeeper()
    with caplog.at_level(logging.INFO):
        doorkeeper.reload()
        doorkeeper.reload(force=True)
    assert caplog.messages == []
    assert doorkeeper.keyring is None
