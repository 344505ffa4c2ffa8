"""URLs of datasets on a hub: ``hf://datasets/ORG/NAME@REVISION?config=…&split=…&column=…``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from portrait.errors import SpecError

if TYPE_CHECKING:
    from portrait.corpus.columns import Columns

SCHEME = "hf://datasets/"
_PARAMETERS = ("config", "split", "column", "revision")


@dataclass(frozen=True, slots=True)
class HubDataset:
    """A dataset as its URL names it.

    Args:
        name: ``ORG/NAME``, or ``NAME`` alone.
        config: The configuration, if one is named.
        split: A split, several as in ``train+test``, or ``all``.
        column: The columns of text, if the URL names them; they replace the caller's.
        revision: A branch, a tag or a commit.
    """

    name: str
    config: str | None = None
    split: str | None = None
    column: tuple[str, ...] = ()
    revision: str | None = None

    @property
    def url(self) -> str:
        """The URL of the dataset without parameters, for messages."""
        return f"{SCHEME}{self.name}"

    def columns(self, columns: Columns) -> Columns:
        """Return the columns to read where the caller wants ``columns``.

        Raises:
            SpecError: The URL's own columns have an empty name, or a name is given twice.
        """
        return replace(columns, text=self.column) if self.column else columns


def parse(location: str) -> HubDataset | None:
    """Return the dataset that a location names, ``None`` if it is not one or names files inside one.

    Raises:
        SpecError: The location names no dataset, or a parameter is unknown, empty or given twice.
    """
    if not location.startswith(SCHEME):
        return None
    path, _, query = location.removeprefix(SCHEME).partition("?")
    name, at, revision = path.partition("@")
    # The hub's own revisions, refs/convert/parquet or refs/pr/1, are the only ones with slashes.
    is_inside = "/" in revision and not (revision.startswith("refs/") and revision.count("/") == 2)
    if is_inside or name.rstrip("/").count("/") > 1:
        return None
    name = name.rstrip("/")
    if not name or (at and not revision):
        raise SpecError(f"{location}: no dataset: write {SCHEME}ORG/NAME or {SCHEME}ORG/NAME@REVISION")
    parameters = _parameters(query, location)
    if at:
        if "revision" in parameters:
            raise SpecError(f"{location}: the revision is given twice: leave one of them out")
        parameters["revision"] = unquote(revision)
    column = parameters.pop("column", None)
    columns = () if column is None else tuple(name.strip() for name in column.split(","))
    return HubDataset(name, column=columns, **parameters)


def _parameters(query: str, location: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if name not in _PARAMETERS:
            choices = ", ".join(_PARAMETERS)
            raise SpecError(f"{location}: unknown parameter {name!r}: choose from {choices}")
        if name in parameters:
            raise SpecError(f"{location}: the parameter {name!r} is given twice: leave one of them out")
        if not value:
            raise SpecError(f"{location}: the parameter {name!r} is empty: give it a value or leave it out")
        parameters[name] = unquote(value)  # A plus stays a plus: train+test.
    return parameters
