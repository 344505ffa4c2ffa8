"""Files that travel with a portrait although its manifest does not list them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from portrait.bundle.readme import card as cards
from portrait.bundle.readme.card import CARD_NAME
from portrait.cards.croissant import CROISSANT_NAME, croissant, is_croissant
from portrait.cards.training_summary import SUMMARY_NAMES, is_summary, updated_summary
from portrait.errors import OutputExistsError, SpecError
from portrait.signing.signature_file import SIGNATURE_NAME, parse_stated
from portrait.storage.regular import read_regular

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.bundle.manifest import Manifest
    from portrait.bundle.reader import Bundle
    from portrait.hub.push_plan import RemoteFolder
    from portrait.signing.statement import Statement

#: Which card's text of people is published, where the one here and the one there differ.
CardChoice = Literal["merge", "local", "remote"]
CARD_CHOICES: tuple[CardChoice, ...] = ("merge", "local", "remote")
#: The card, the signature, and the descriptions for machines and authorities.
COMPANIONS = (CARD_NAME, SIGNATURE_NAME, CROISSANT_NAME, *SUMMARY_NAMES)
_MAX_BYTES = 8 << 20


def companions(
    bundle: Bundle, manifest_text: bytes, remote: RemoteFolder, card: CardChoice
) -> dict[str, bytes]:
    """Return what is published beside a portrait, by name, each written for this version of it.

    The Croissant file is always written; the training summary, where there is one here or there; the card,
    unless the directory there has a page of somebody else's; the signature, as it is.

    Args:
        bundle: The portrait.
        manifest_text: The bytes of its manifest.
        remote: The directory in the repository.
        card: Which text of people the card keeps.

    Raises:
        OutputExistsError: A file there has such a name and is somebody else's, or people have written in both
            cards.
        SpecError: ``card`` is none of its values.
    """
    if card not in CARD_CHOICES:
        raise SpecError(f"the card is one of {', '.join(CARD_CHOICES)}, not {card!r}", parameter="card")
    address = str(remote.address.at(None))
    name = remote.address.name
    contents: dict[str, bytes] = {}
    if (page := _card(bundle, remote, card, name, address)) is not None:
        contents[CARD_NAME] = page
    signature = _local(bundle.path, SIGNATURE_NAME)
    if signature is not None:
        if SIGNATURE_NAME in remote.files and _signed_there(remote) is None:
            raise _taken(remote, SIGNATURE_NAME)
        contents[SIGNATURE_NAME] = signature
    theirs = remote.texts.get(CROISSANT_NAME)
    if CROISSANT_NAME in remote.files and (theirs is None or not is_croissant(theirs)):
        raise _taken(remote, CROISSANT_NAME)
    contents[CROISSANT_NAME] = croissant(bundle.manifest, name, address=address, manifest_text=manifest_text)
    for summary in SUMMARY_NAMES:
        here, there = _local(bundle.path, summary), remote.texts.get(summary)
        if here is None and there is not None and is_summary(there):
            contents[summary] = updated_summary(there, bundle.manifest, summary)
        elif here is not None and is_summary(here):
            if summary in remote.files and (there is None or not is_summary(there)):
                raise _taken(remote, summary)
            contents[summary] = updated_summary(here, bundle.manifest, summary)
    return contents


def outdated(bundle: Bundle, manifest_text: bytes, remote: RemoteFolder) -> tuple[str, ...]:
    """Return the names of files there that are about an older version of a portrait, and not replaced.

    That is a signature of a portrait that is published without one: nobody could verify it any more.

    Args:
        bundle: The portrait.
        manifest_text: The bytes of its manifest.
        remote: The directory in the repository.
    """
    statement = _signed_there(remote)
    if statement is None or _local(bundle.path, SIGNATURE_NAME) is not None:
        return ()
    return () if statement.is_about(bundle.manifest, manifest_text) else (SIGNATURE_NAME,)


def _signed_there(remote: RemoteFolder) -> Statement | None:
    content = remote.texts.get(SIGNATURE_NAME)
    return None if content is None else parse_stated(content, SIGNATURE_NAME)


def _card(bundle: Bundle, remote: RemoteFolder, choice: CardChoice, name: str, address: str) -> bytes | None:
    """Return the card to publish; ``None`` where the page there is somebody else's."""
    here = cards.read_card(bundle.path)
    there = remote.texts.get(CARD_NAME)
    if CARD_NAME in remote.files and (there is None or not cards.is_card(there)):
        return None

    def of(content: bytes, old: Manifest | None) -> bytes:
        return cards.updated(content, bundle.manifest, name, old, address)

    fresh = cards.card(bundle.manifest, name, address).encode()
    ours = fresh if here is None else of(here, bundle.manifest)
    if there is None:
        return ours
    theirs = of(there, remote.manifest)
    if choice != "merge":
        return ours if choice == "local" else theirs
    if ours in (fresh, theirs):
        return theirs
    # What was only added to is not lost.
    if theirs == fresh or {*theirs.splitlines()} <= {*ours.splitlines()}:
        return ours
    raise OutputExistsError(
        f"{remote.address.inside(remote.address.join(CARD_NAME))}: has text that {bundle.path / CARD_NAME} "
        "does not have: say which of the two to keep",
        parameter="card",
    )


def _local(directory: Path, name: str) -> bytes | None:
    try:
        return read_regular(directory / name, _MAX_BYTES)
    except OSError:
        return None


def _taken(remote: RemoteFolder, name: str) -> OutputExistsError:
    return OutputExistsError(
        f"{remote.address.inside(remote.address.join(name))}: is somebody else's file: choose another "
        "path in the repository",
        parameter="path_in_repo",
    )
