"""``portrait card``."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

from portrait.bundle import reader as bundles
from portrait.bundle.manifest import MAX_MANIFEST_BYTES
from portrait.bundle.reader import MANIFEST_NAME, Bundle
from portrait.bundle.readme import card as cards
from portrait.cards.croissant import croissant, is_croissant
from portrait.cards.model_section import model_section, with_section
from portrait.cards.training_summary import SUMMARY_NAMES, is_summary, training_summary, updated_summary
from portrait.errors import OutputExistsError
from portrait.hub import addresses
from portrait.hub.environment import is_address
from portrait.hub.local import local_path
from portrait.storage.atomic import write_file
from portrait.storage.failures import writing
from portrait.storage.regular import read_regular

if TYPE_CHECKING:
    from portrait.hub.addresses import Address

_MAX_PAGE_BYTES = 64 << 20


@click.command("card")
@click.argument("path", metavar="PORTRAIT")
@click.option("--for-model", "model", metavar="ORG/MODEL", help="A section for the card of the model itself.")
@click.option("--croissant", "as_croissant", is_flag=True, help="A Croissant description, in JSON-LD.")
@click.option(
    "--training-summary",
    "as_summary",
    is_flag=True,
    help="The EU's public summary of training content: what the portrait knows, and marked blanks.",
)
@click.option("--json", "as_json", is_flag=True, help="The training summary as JSON.")
@click.option(
    "--address",
    metavar="ADDRESS",
    help="The portrait's address on a hub: hf://ORG/NAME/PATH.  [default: PORTRAIT, if it is one]",
)
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    help="Write to a file. What people have written in it stays: around the section, in the blanks.",
)
def command(
    path: str,
    model: str | None,
    as_croissant: bool,
    as_summary: bool,
    as_json: bool,
    address: str | None,
    out: str | None,
) -> None:
    """Describe a portrait to people, to machines, and to authorities.

    Without options, this is the portrait's own card, README.md, with what people have written in it.

    \b
    portrait card corpus.portrait
    portrait card corpus.portrait --for-model my-org/my-model -o README.md
    portrait card corpus.portrait --croissant
    portrait card corpus.portrait --training-summary -o training-summary.md
    """
    if (model is not None) + as_croissant + as_summary > 1:
        raise click.UsageError("--for-model, --croissant and --training-summary exclude each other")
    if as_json and not as_summary:
        raise click.UsageError("--json belongs to --training-summary; --croissant is JSON already")
    if address is not None and as_summary:
        raise click.UsageError("--address has no use here: a training summary names no address")
    bundle = bundles.read(local_path(path))
    # A portrait that was opened at its address has it in its descriptions, too.
    place = path if address is None and is_address(path) else address
    where = None if place is None else addresses.parse(place)
    target = None if out is None else Path(out)
    there = None if target is None else _read(target)
    if model is not None:
        content = _model_card(bundle, model, where, target, there)
    elif as_croissant:
        content = _croissant(bundle, where)
        _require(there is None or is_croissant(there), target, "a Croissant description of a portrait")
    elif as_summary:
        _require(there is None or is_summary(there), target, "a training summary")
        content = _summary(bundle, _summary_name(out, as_json=as_json), there)
    else:
        _require(there is None or cards.is_card(there), target, "a portrait's card")
        content = _card(bundle, where, there)
    if target is None:
        click.echo(content, nl=False)
    else:
        with writing(target):
            write_file(target, content)


def _require(fits: bool, target: Path | None, what: str) -> None:
    """Refuse to replace a file of somebody else's."""
    if not fits:
        raise OutputExistsError(f"{target}: exists and is not {what}: choose another name")


def _name(bundle: Bundle, where: Address | None) -> str:
    """Return the name of the portrait's directory, where it is published if that is known."""
    return bundle.path.resolve().name if where is None else where.name


def _address(where: Address | None) -> str | None:
    return None if where is None else str(where)


def _card(bundle: Bundle, where: Address | None, there: bytes | None) -> bytes:
    """Return the portrait's card as it is written now, with what people have written.

    Args:
        bundle: The portrait.
        where: Its address, if it is known.
        there: The card to keep people's text of; by default the one in the portrait's directory.
    """
    name, address = _name(bundle, where), _address(where)
    old = cards.read_card(bundle.path) if there is None else there
    if old is None:
        return cards.card(bundle.manifest, name, address).encode()
    return cards.updated(old, bundle.manifest, name, bundle.manifest, address)


def _model_card(
    bundle: Bundle, model: str, where: Address | None, target: Path | None, there: bytes | None
) -> bytes:
    """Return the section for a model's card, in the page that is there, if any."""
    made = model_section(bundle.manifest, _name(bundle, where), model, address=_address(where))
    if there is None:
        return f"{made}\n".encode()
    return with_section(there, made, str(target))


def _croissant(bundle: Bundle, where: Address | None) -> bytes:
    text = read_regular(bundle.path / MANIFEST_NAME, MAX_MANIFEST_BYTES)
    name = bundle.name if where is None else where.name
    return croissant(bundle.manifest, name, address=_address(where), manifest_text=text)


def _summary(bundle: Bundle, name: str, there: bytes | None) -> bytes:
    if there is None:
        return training_summary(bundle.manifest, name)
    return updated_summary(there, bundle.manifest, name)


def _summary_name(out: str | None, *, as_json: bool) -> str:
    """Return the name of the summary's file, whose ending says its form.

    Raises:
        click.UsageError: The option and the name contradict each other.
    """
    suffix = PurePath(out or "").suffix.lower()
    if out is None or suffix not in {PurePath(name).suffix for name in SUMMARY_NAMES}:
        return SUMMARY_NAMES[as_json]
    if as_json and suffix != ".json":
        raise click.UsageError(f"{out}: is Markdown by its name: leave out --json, or name a .json file")
    return out


def _read(path: Path) -> bytes | None:
    """Return the content of a file that is to be merged with; ``None`` if there is none."""
    with writing(path):
        try:
            return read_regular(path, _MAX_PAGE_BYTES)
        except FileNotFoundError:
            return None
