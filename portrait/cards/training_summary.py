"""The public summary of training content: a draft of it, and updates that keep what people wrote."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from portrait.cards import summary_json, summary_markdown
from portrait.cards.summary_template import summary
from portrait.errors import OutputExistsError, SpecError, printable

if TYPE_CHECKING:
    from types import ModuleType

    from portrait.bundle.manifest import Manifest

SUMMARY_NAMES = ("training-summary.md", "training-summary.json")

_FORMS = {".md": summary_markdown, ".json": summary_json}


def training_summary(manifest: Manifest, name_of_file: str) -> bytes:
    """Return a new summary: what the build knows, and blanks for a person.

    Args:
        manifest: The portrait's manifest.
        name_of_file: The name of its file, which ends in ``.md`` or ``.json``.

    Raises:
        SpecError: The name ends otherwise.
    """
    text: str = _form(name_of_file).render(summary(manifest))
    return text.encode()


def updated_summary(content: bytes, manifest: Manifest, name_of_file: str) -> bytes:
    """Return a summary with its generated values written again, and what people wrote as it is.

    Text in a field that the summary no longer has, such as one of a source that was dropped, moves to a part
    at its end, and back when the field is there again.

    Args:
        content: The content of the file.
        manifest: The portrait's manifest.
        name_of_file: The name of the file, which ends in ``.md`` or ``.json``.

    Raises:
        SpecError: The name ends otherwise.
        OutputExistsError: The content is not a summary of this form.
    """
    form = _form(name_of_file)
    # Text in another encoding than UTF-8 passes through.
    text = content.decode("utf-8", "surrogateescape")
    if not form.is_rendered(text):
        raise OutputExistsError(f"{name_of_file}: is not a training summary of Portrait: choose another name")
    new: str = form.updated(text, summary(manifest))
    return new.encode("utf-8", "surrogateescape")


def is_summary(content: bytes) -> bool:
    """Return whether a file's content is a training summary, in Markdown or JSON."""
    text = content.decode("utf-8", "surrogateescape")
    return any(form.is_rendered(text) for form in _FORMS.values())


def _form(name_of_file: str) -> ModuleType:
    form = _FORMS.get(PurePath(name_of_file).suffix.lower())
    if form is None:
        raise SpecError(f"{printable(name_of_file)}: a training summary is a file that ends in .md or .json")
    return form
