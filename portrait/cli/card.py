"""``portrait card``."""

from __future__ import annotations

from pathlib import Path

import click

from portrait.bundle import reader as bundles
from portrait.bundle.manifest import MAX_MANIFEST_BYTES
from portrait.bundle.reader import MANIFEST_NAME, Bundle
from portrait.bundle.readme import card as cards
from portrait.cards.croissant import croissant
from portrait.cards.model_section import model_section, with_section
from portrait.cards.training_summary import SUMMARY_NAMES, is_summary, training_summary, updated_summary
from portrait.errors import OutputExistsError
from portrait.hub.local import local_path
from portrait.storage.atomic import write_file
from portrait.storage.failures import writing
from portrait.storage.regular import read_regular

_MAX_PAGE_BYTES = 64 << 20


@click.command("card")
@click.argument("path", metavar="PORTRAIT")
@click.option("--for-model", metavar="ORG/MODEL", help="A section for the card of the model itself.")
@click.option("--croissant", "as_croissant", is_flag=True, help="A Croissant description, in JSON-LD.")
@click.option(
    "--training-summary",
    "as_summary",
    is_flag=True,
    help="The EU's public summary of training content: what the portrait knows, and marked blanks.",
)
@click.option("--json", "as_json", is_flag=True, help="The training summary as JSON.")
@click.option("--address", metavar="ADDRESS", help="The portrait's address on a hub: hf://ORG/NAME/PATH.")
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    help="Write to a file. What people have written in it stays: around the section, in the blanks.",
)
def command(
    path: str,
    for_model: str | None,
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
    if (for_model is not None) + as_croissant + as_summary > 1:
        raise click.UsageError("--for-model, --croissant and --training-summary exclude each other")
    if as_json and not as_summary:
        raise click.UsageError("--json belongs to --training-summary; --croissant is JSON already")
    bundle = bundles.read(local_path(path))
    target = None if out is None else Path(out)
    there = None if target is None else _read(target)
    if for_model is not None:
        made = model_section(bundle.manifest, bundle.path.resolve().name, for_model, address=address)
        content = (made + "\n").encode() if there is None else with_section(there, made)
    elif as_croissant:
        content = _croissant(bundle, address)
    elif as_summary:
        if as_json and (out or "").endswith(".md"):
            raise click.UsageError(f"{out}: is Markdown by its name: leave out --json, or name a .json file")
        name = SUMMARY_NAMES[as_json or (out or "").endswith(".json")]
        if there is not None and not is_summary(there):
            raise OutputExistsError(f"{target}: exists and is not a training summary: choose another name")
        manifest = bundle.manifest
        content = (
            training_summary(manifest, name) if there is None else updated_summary(there, manifest, name)
        )
    else:
        if there is not None and not cards.is_card(there):
            raise OutputExistsError(f"{target}: exists and is not a portrait's card: choose another name")
        content = _card(bundle, address, cards.read_card(bundle.path) if there is None else there)
    if target is None:
        click.echo(content, nl=False)
    else:
        with writing(target):
            write_file(target, content)


def _card(bundle: Bundle, address: str | None, there: bytes | None) -> bytes:
    """Return the portrait's card as it is written now, with what people have written in an older one."""
    name = bundle.path.resolve().name if address is None else address.rstrip("/").rpartition("/")[2]
    if there is None:
        return cards.card(bundle.manifest, name, address).encode()
    return cards.updated(there, bundle.manifest, name, bundle.manifest, address)


def _croissant(bundle: Bundle, address: str | None) -> bytes:
    text = read_regular(bundle.path / MANIFEST_NAME, MAX_MANIFEST_BYTES)
    return croissant(bundle.manifest, bundle.name, address=address, manifest_text=text)


def _read(path: Path) -> bytes | None:
    """Return the content of a file that is to be merged with; ``None`` if there is none."""
    with writing(path):
        try:
            return read_regular(path, _MAX_PAGE_BYTES)
        except FileNotFoundError:
            return None
