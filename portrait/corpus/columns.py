"""Which columns of a row are wanted, and where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from portrait.errors import CorpusError, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: The column of a table that holds its text, unless another is named.
DEFAULT_COLUMN = "text"

#: What stands between the columns that make one text, and between the texts of a column of lists.
SEPARATOR = "\n"

#: Columns listed in an error message.
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that make a row's text, one line after the other, and those that are carried along.

    A column of text holds strings, or lists of strings, which are put one line after the other, too.

    A name is that of a column, or a path into structs: ``meta.text``. A column of that very name
    comes first. Raises :class:`SpecError` for none, an empty name, or one that stands twice.
    """

    text: tuple[str, ...] = (DEFAULT_COLUMN,)
    keep: tuple[str, ...] = ()
    #: The option that names the columns to keep, for messages.
    kept_by: str = "--keep"
    #: Columns carried along where every row of a chunk has them.
    optional: tuple[str, ...] = ()
    #: Whether a Parquet file is read with all its columns, so that its rows can be written as they were.
    whole: bool = False

    def __post_init__(self) -> None:
        if not self.text:
            raise SpecError("no column holds the text: name one")
        for names in (self.text, self.keep):
            if not all(isinstance(name, str) and name for name in names):
                raise SpecError("a column's name is empty")
            twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
            if twice is not None:
                raise SpecError(f"column {twice!r} is named twice")

    @classmethod
    def of(cls, columns: str | Sequence[str] | Self) -> Self:
        """The columns themselves, or those of some names."""
        if isinstance(columns, cls):
            return columns
        return cls((columns,) if isinstance(columns, str) else tuple(columns))  # type: ignore[arg-type]

    @property
    def all(self) -> tuple[str, ...]:
        """Every name, once."""
        return tuple(dict.fromkeys((*self.text, *self.keep)))

    @property
    def readable(self) -> tuple[str, ...]:
        """Every name, once, the optional ones last."""
        return tuple(dict.fromkeys((*self.all, *self.optional)))

    @property
    def plain(self) -> bool:
        """Whether no name can be a path."""
        return not any("." in name for name in self.readable)

    def missing(
        self, name: str, there: Iterable[str], where: object, error: type[CorpusError] = CorpusError
    ) -> CorpusError:
        """The error that names a column which is not among those that are ``there``."""
        names = list(there)
        shown = ", ".join(names[:_MOST_SHOWN]) or "none"
        shown += ", …" if len(names) > _MOST_SHOWN else ""
        option = "one with --column" if name in self.text else f"others with {self.kept_by}"
        return error(f"{where}: no column {name!r}, only {shown}: choose {option}")


def locate(name: str, columns: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The path to the column called ``name``: names of structs within structs, ``None`` if there is none.

    ``columns`` maps names to what is in them: a mapping for a struct, anything else for a leaf.
    """
    if name in columns:
        return (name,)
    for i, character in enumerate(name):
        if character == "." and name[:i] in columns:
            inner = columns[name[:i]]
            if isinstance(inner, dict) and (path := locate(name[i + 1 :], inner)):
                return (name[:i], *path)
            if inner is None:  # a struct that is null has null members
                return (name[:i],)
    return None


def names(columns: Mapping[str, Any]) -> Iterable[str]:
    """The columns' names, structs' members by their paths."""
    for name, inner in columns.items():
        if isinstance(inner, dict) and inner:
            yield from (f"{name}.{member}" for member in names(inner))
        else:
            yield name
