"""The section about a portrait in the card of the model that was trained on its corpus."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portrait.bundle.readme.section import EXAMPLE_UNITS, commands, detectable, shown
from portrait.bundle.sources import source_records, web_page
from portrait.errors import SpecError
from portrait.markup.markdown import code_block
from portrait.markup.numbers import count, counted, size

if TYPE_CHECKING:
    from portrait.bundle.manifest import Manifest

_BEGIN = "<!-- portrait:model begin (replaced when the section is written again; write around it) -->"
_END = "<!-- portrait:model end -->"
_MARK = re.compile(r"^<!-- portrait:model (begin|end)\b[^\n]*?-->[ \t]*(?=\r?$)", re.MULTILINE)
#: A repository's name on the hub.
_MODEL = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
#: So many sources are named in the section.
_MOST_SOURCES = 10


def model_section(manifest: Manifest, name: str, model: str, *, address: str | None = None) -> str:
    """Return a section in Markdown for a model's card, between marks of its own.

    Args:
        manifest: The portrait's manifest.
        name: The name of the portrait's directory.
        model: The model's repository, ``ORG/NAME``.
        address: The portrait's address on a hub; by default the directory in the model's repository.

    Raises:
        SpecError: ``model`` is not a repository's name.
    """
    if _MODEL.fullmatch(model) is None:
        raise SpecError(f"{model}: not a model's repository, such as ORG/NAME", parameter="model")
    where = f"hf://{model}/{name}" if address is None else address
    spec = manifest.windows
    records = source_records(manifest)
    names = ", ".join(shown(record.name) for record in records[:_MOST_SOURCES])
    more = f" and {count(len(records) - _MOST_SOURCES)} more" if len(records) > _MOST_SOURCES else ""
    known = [layer.text_bytes for layer in manifest.layers if layer.text_bytes is not None]
    text = size(sum(known)) if len(known) == len(manifest.layers) else "an unknown amount"
    sources = f"{counted(len(records), 'source')}: {names}{more}"
    page = web_page(where)
    length = detectable(manifest)
    copies = "no copy" if length is None else f"a copy of {length}"
    return f"""{_BEGIN}
## Data portrait of the training corpus

A [data portrait](https://arxiv.org/abs/2303.03919) records which passages a corpus contains, without
containing them. That of {shown(model)} covers {text} of text in {sources}.

- Portrait: {shown(where) if page is None else f"[{shown(where)}](<{page}>)"}
- Id: `{manifest.id}`

{code_block(commands(name, where))}

- Every verbatim passage of {spec.length(spec.guaranteed_length, "or more")} in a document is a hit.
- In a text of {count(EXAMPLE_UNITS)} {spec.unit_name}, {copies} can be told from chance.
- Nothing follows for paraphrases, nor for what the model remembers.
{_END}"""


def with_section(page: bytes, section: str, where: str = "the model's card") -> bytes:
    """Return a model's card with the section in it, in place of an older one or at its end.

    Args:
        page: The card; all of it except the section stays byte for byte.
        section: What :func:`model_section` returns.
        where: The page's name, for the message.

    Raises:
        SpecError: It has one of the section's marks without the other, or more than one of each.
    """
    text = page.decode("utf-8", "surrogateescape")
    marks = list(_MARK.finditer(text))
    if [mark[1] for mark in marks] not in ([], ["begin", "end"]):
        raise SpecError(
            f"{where}: has marks of the section that do not pair up: remove them, or write the section "
            "elsewhere"
        )
    line_end = "\r\n" if "\r\n" in text else "\n"
    section = section.replace("\n", line_end)
    if marks:
        text = text[: marks[0].start()] + section + text[marks[1].end() :]
    else:
        gap = "" if not text else line_end if text.endswith("\n") else 2 * line_end
        text = f"{text}{gap}{section}{line_end}"
    return text.encode("utf-8", "surrogateescape")
