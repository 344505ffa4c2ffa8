"""The columns of a row: which ones hold the text, which ones are carried along, where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from portrait.errors import BadRowError, CorpusError, SpecError
from portrait.markup.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: The column that holds the text, unless another is named.
DEFAULT_COLUMN = "text"

#: What separates the columns of one text, and the strings of a column of lists.
SEPARATOR = "\n"

#: The most bytes that a text may have, unless another limit is given.
DEFAULT_MAX_DOCUMENT_BYTES = 1_000_000_000

#: Columns listed in an error message.
_MAX_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that make a row's text and those that are carried along with it.

    A name is a column's, or a path into structs such as ``meta.text``; a column whose own name is
    ``meta.text`` takes precedence.

    Args:
        text: The columns whose values, joined by line feeds, make the text. Each holds strings or lists of
            strings.
        keep: The columns whose values are carried along unchanged.
        keep_parameter: The public parameter that named ``keep``, for errors.
        optional: Columns that are carried along where every row of a chunk has them.
        whole: Whether Parquet files are read with all columns, so that rows can be written as they were.
        max_document_bytes: The most bytes that a row's text may have. Where rows are lines, as of JSON, the
            whole line counts.

    Raises:
        SpecError: No column holds the text, a name is empty, a name is given twice, or the limit is no limit.
    """

    text: tuple[str, ...] = (DEFAULT_COLUMN,)
    keep: tuple[str, ...] = ()
    keep_parameter: str = "keep"
    optional: tuple[str, ...] = ()
    whole: bool = False
    max_document_bytes: int = DEFAULT_MAX_DOCUMENT_BYTES

    def __post_init__(self) -> None:
        if not self.text:
            raise SpecError("no column holds the text: name one", parameter="column")
        for names, parameter in ((self.text, "column"), (self.keep, self.keep_parameter)):
            if not all(isinstance(name, str) and name for name in names):
                raise SpecError("a column's name is empty", parameter=parameter)
            twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
            if twice is not None:
                raise SpecError(f"column {twice!r} is named twice", parameter=parameter)
        limit = self.max_document_bytes
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise SpecError(
                f"the largest document is 1 byte or more, not {limit!r}", parameter="max_document_bytes"
            )

    @classmethod
    def of(cls, columns: str | Sequence[str] | Self) -> Self:
        """Return ``columns`` themselves, or columns of text with these names."""
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
        self, name: str, present: Iterable[str], where: object, error: type[CorpusError] = CorpusError
    ) -> CorpusError:
        """Return the error that reports a missing column.

        Args:
            name: The missing column.
            present: The columns that exist.
            where: The file, or the file and the row.
            error: The class of the error.
        """
        names = list(present)
        shown = ", ".join(names[:_MAX_SHOWN]) + (", …" if len(names) > _MAX_SHOWN else "")
        there = f"only {shown}" if names else "and no other column"
        if name in self.text:
            return error(f"{where}: no column {name!r}, {there}: choose another", parameter="column")
        return error(f"{where}: no column {name!r}, {there}: choose others", parameter=self.keep_parameter)

    def too_large(
        self, where: object, error: type[CorpusError] = BadRowError, *, what: str = "text"
    ) -> CorpusError:
        """Return the error that reports a text above the limit.

        Args:
            where: The file, or the file and the row.
            error: The class of the error.
            what: What is too large.
        """
        return error(
            f"{where}: {what} of more than {counted(self.max_document_bytes, 'byte')}: leave it out, or "
            "raise the limit",
            parameter="max_document_bytes",
        )


def locate(name: str, columns: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the path to a column: the names of nested structs, then the column's own.

    Args:
        name: The column's name, or a path into structs.
        columns: Each name's content: a mapping for a struct, anything else for a leaf.

    Returns:
        The path, or ``None`` if there is no such column. It ends early at a struct that is null, all of
        whose members are null.
    """
    if name in columns:
        return (name,)
    for i, character in enumerate(name):
        if character == "." and name[:i] in columns:
            inner = columns[name[:i]]
            if isinstance(inner, dict) and (path := locate(name[i + 1 :], inner)):
                return (name[:i], *path)
            if inner is None:
                return (name[:i],)
    return None


def names(columns: Mapping[str, Any]) -> Iterable[str]:
    """Yield the names of columns, those of struct members as paths."""
    for name, inner in columns.items():
        if isinstance(inner, dict) and inner:
            yield from (f"{name}.{member}" for member in names(inner))
        else:
            yield name
