"""What travels with a portrait: its card and its signature, and never in place of somebody else's files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from support.hub_fixtures import MODEL_FILES, NOTE, SEQUEL

import portrait
from portrait import OutputExistsError, SpecError
from portrait.bundle import reader as bundles
from portrait.hub.addresses import Address
from portrait.hub.companions import companions
from portrait.hub.connection import HubFile
from portrait.hub.push_plan import RemoteFolder

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.bundle.manifest import Manifest

CARD = "README.md"
SIGNATURE = "portrait.sigstore.json"
CROISSANT = "croissant.json"
FERRY = Address("model", "org/ferry")


@pytest.fixture
def copy(tale: Path, tmp_path: Path) -> Path:
    """A copy of the portrait for one test to change."""
    return shutil.copytree(tale, tmp_path / "copy")


def publish(
    bundle: Path, texts: dict[str, bytes], old: Manifest | None = None, card: Any = "merge"
) -> dict[str, bytes]:
    """Return what is published beside a portrait, where a directory has some small files."""
    files = {name: HubFile(len(text), None, "") for name, text in texts.items()}
    remote = RemoteFolder(FERRY, "0" * 40, files, old, texts)
    manifest = (bundle / "portrait.json").read_bytes()
    return companions(bundles.read(bundle), manifest, remote, card)


def manifest_of(bundle: Path) -> Manifest:
    """Return a portrait's manifest."""
    return bundles.read(bundle).manifest


def write_note(bundle: Path, note: bytes) -> None:
    """Add text of people to a portrait's card."""
    (bundle / CARD).write_bytes((bundle / CARD).read_bytes() + note)


def test_an_unsigned_portrait_has_a_card_and_a_description(tale: Path) -> None:
    assert publish(tale, {}).keys() == {CARD, CROISSANT}


def test_a_signature_is_published_as_it_is(copy: Path) -> None:
    (copy / SIGNATURE).write_bytes(b"{}")
    assert publish(copy, {})[SIGNATURE] == b"{}"


def test_a_portrait_without_a_card_gets_one(copy: Path) -> None:
    (copy / CARD).unlink()
    fresh = publish(copy, {})[CARD]
    assert b"portrait:begin" in fresh
    (copy / CARD).write_bytes(b"# Not a card\n")
    assert publish(copy, {})[CARD] == fresh


def test_a_page_of_somebody_else_stays(copy: Path) -> None:
    write_note(copy, NOTE)
    for choice in ("merge", "local", "remote"):
        assert CARD not in publish(copy, {CARD: MODEL_FILES[CARD]}, card=choice)


def test_a_page_that_is_too_large_to_read_stays(tale: Path) -> None:
    remote = RemoteFolder(FERRY, "0" * 40, {CARD: HubFile(9 << 20, None, "")}, None, {})
    contents = companions(bundles.read(tale), (tale / "portrait.json").read_bytes(), remote, "merge")
    assert contents.keys() == {CROISSANT}


@pytest.mark.parametrize("choice", ["merge", "remote"])
def test_text_that_is_only_there_is_kept(copy: Path, choice: str) -> None:
    published = publish(copy, {})[CARD] + NOTE
    assert publish(copy, {CARD: published}, manifest_of(copy), choice)[CARD] == published


@pytest.mark.parametrize("choice", ["merge", "local"])
def test_text_that_is_only_here_is_kept(copy: Path, choice: str) -> None:
    published = publish(copy, {})[CARD]
    write_note(copy, NOTE)
    assert publish(copy, {CARD: published}, manifest_of(copy), choice)[CARD].endswith(NOTE)


def test_text_that_was_added_to_is_kept(copy: Path) -> None:
    write_note(copy, NOTE)
    published = publish(copy, {})[CARD]
    write_note(copy, b"\nAnd a second remark.\n")
    card = publish(copy, {CARD: published}, manifest_of(copy))[CARD]
    assert NOTE in card
    assert b"And a second remark." in card


def test_of_two_texts_people_choose(copy: Path) -> None:
    published = publish(copy, {})[CARD] + b"\nThere.\n"
    write_note(copy, b"\nHere.\n")
    with pytest.raises(OutputExistsError) as raised:
        publish(copy, {CARD: published}, manifest_of(copy))
    assert str(raised.value) == (
        f"hf://org/ferry/README.md: has text that {copy / CARD} does not have: say which of the two to keep"
    )
    assert raised.value.parameter == "card"
    for choice, kept, lost in (("local", b"Here.", b"There."), ("remote", b"There.", b"Here.")):
        card = publish(copy, {CARD: published}, manifest_of(copy), choice)[CARD]
        assert kept in card
        assert lost not in card


def test_the_generated_part_is_of_the_new_portrait(copy: Path) -> None:
    old = manifest_of(copy)
    published = publish(copy, {})[CARD] + NOTE
    (copy.parent / "sequel.txt").write_text(SEQUEL)
    portrait.add(copy, {"sequel": copy.parent / "sequel.txt"})
    card = publish(copy, {CARD: published}, old)[CARD]
    assert card.endswith(NOTE)
    assert card.count(b"portrait:begin") == 1
    assert b"sequel" in card


def test_a_description_of_somebody_else_is_not_replaced(tale: Path) -> None:
    for texts in ({CROISSANT: b'{"@type": "sc:Dataset", "name": "theirs"}'}, {CROISSANT: b"not JSON"}):
        with pytest.raises(OutputExistsError) as raised:
            publish(tale, texts)
        assert str(raised.value).startswith("hf://org/ferry/croissant.json: is somebody else's file")
        assert raised.value.parameter == "path_in_repo"


def test_a_description_of_a_portrait_is_replaced(tale: Path) -> None:
    published = publish(tale, {})[CROISSANT]
    assert publish(tale, {CROISSANT: published}, manifest_of(tale))[CROISSANT] == published


@pytest.mark.parametrize("choice", ["", "mine", None])
def test_other_choices_are_refused(tale: Path, choice: Any) -> None:
    with pytest.raises(SpecError, match="the card is one of merge, local, remote, not ") as raised:
        publish(tale, {}, card=choice)
    assert raised.value.parameter == "card"
