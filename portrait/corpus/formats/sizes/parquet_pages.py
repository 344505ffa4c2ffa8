"""The pages of a Parquet file, read before Arrow reads them: how many rows fit into memory together.

The footer states sizes that nothing enforces, and a value of a dictionary counts there once, however many
rows have it. Each page states its own size, to which Arrow holds it. So pages bound what some rows can take.

A page's header is a Thrift structure in the compact protocol: its type (1), its size decompressed (2) and
compressed (3), and a structure for the type of page (5, 7, 8), with the number of values and their encoding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

#: Enough for most headers; statistics may make one longer.
_HEADER_BYTES, _MAX_HEADER_BYTES = 1 << 12, 1 << 24
_DICTIONARY_PAGE = 2
#: Encodings in which rows can have more bytes than the page: of a dictionary (two names), and of prefixes.
_DICTIONARY, _PREFIXES = (2, 8), 7
#: Where a page's own structure states the encoding of its values, by the structure's field.
_ENCODING_FIELDS = {5: 2, 7: 2, 8: 4}
_NOT_A_HEADER = "not the header of a page"
_STRINGS = ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")


class Page(NamedTuple):
    """A page: whether it is a dictionary, its bytes decompressed, its values and their encoding."""

    is_dictionary: bool
    n_bytes: int
    n_values: int
    encoding: int


def rows_within(
    path: Path,
    group: Any,
    names: Sequence[str] | None,
    max_bytes: int,
    *,
    page_bytes: int = 1 << 31,
    lists: Container[str] = (),
) -> int:
    """Return how many consecutive rows of a row group are certain to take about ``max_bytes``.

    That is one row at least, and none if reading a single one can take more than ``page_bytes``.

    Args:
        path: The file.
        group: The row group's metadata.
        names: The columns that are read, or paths into structs; ``None`` for all.
        max_bytes: What the rows may take.
        page_bytes: What the pages of one row may take, which are decompressed as a whole.
        lists: The paths of columns of which a row may have several values, and several pages.
    """
    rows: int = max(1, group.num_rows)
    chunks = [group.column(i) for i in range(group.num_columns)]
    wanted = [one for one in chunks if one.physical_type in _STRINGS and _is_wanted(one, names)]
    try:
        with path.open("rb", buffering=0) as file:
            for chunk in wanted:
                pages = list(_pages(file, chunk))
                whole = sum if chunk.path_in_schema in lists else max
                if _bytes_of_row(pages, whole) > page_bytes:
                    return 0
                rows = min(rows, _rows_of_chunk(pages, max_bytes // len(wanted)))
    except (ValueError, IndexError, RecursionError):
        # What is wrong with the pages Arrow will say; one row at a time it can.
        return 1
    return max(1, rows)


def _is_wanted(chunk: Any, names: Iterable[str] | None) -> bool:
    path: str = chunk.path_in_schema
    return names is None or any(
        path == name or path.startswith(f"{name.partition('.')[0]}.") for name in names
    )


def _bytes_of_row(pages: Sequence[Page], whole: Callable[[list[int]], int]) -> int:
    """Return how many bytes are decompressed at most to read one row."""
    data, dictionary = (
        [page.n_bytes for page in pages if page.is_dictionary is is_dictionary]
        for is_dictionary in (False, True)
    )
    return whole([0, *data]) + sum(dictionary)


def _rows_of_chunk(pages: Sequence[Page], max_bytes: int) -> int:
    """Return how many consecutive rows of a column are certain to take about ``max_bytes``."""
    data = [page for page in pages if not page.is_dictionary]
    dictionary = max((page.n_bytes for page in pages if page.is_dictionary), default=0)
    # A row costs this much beyond what the pages hold: another copy of a value.
    row_bytes = dictionary if any(page.encoding in _DICTIONARY for page in data) else 0
    row_bytes += max((page.n_bytes for page in data if page.encoding == _PREFIXES), default=0)
    rows = max_bytes // row_bytes if row_bytes else 1 << 31
    if sum(page.n_bytes for page in data) > max_bytes:
        largest = max(page.n_bytes for page in data)
        rows = min(rows, max_bytes // largest * min(page.n_values for page in data))
    return rows


def _pages(file: BinaryIO, chunk: Any) -> Iterator[Page]:
    """Yield the pages of a column in a row group."""
    at: int = chunk.data_page_offset
    if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < at:
        at = chunk.dictionary_page_offset
    end = at + chunk.total_compressed_size
    while at < end:
        page, header_bytes, data_bytes = _page(file, at)
        yield page
        at += header_bytes + data_bytes


def _page(file: BinaryIO, at: int) -> tuple[Page, int, int]:
    """Return a page, the length of its header, and that of its data. Raises ValueError, IndexError."""
    n_bytes = _HEADER_BYTES
    while True:
        file.seek(at)
        data = file.read(n_bytes)
        try:
            fields, header_bytes = _structure(data, 0)
            break
        except IndexError:
            if len(data) < n_bytes or n_bytes >= _MAX_HEADER_BYTES:
                raise
            n_bytes *= 8
    kind, page_bytes, data_bytes = (_number(fields, i) for i in (1, 2, 3))
    own, encoding = next(((fields[i], at) for i, at in _ENCODING_FIELDS.items() if i in fields), ({}, 0))
    if not isinstance(own, dict):
        raise ValueError(_NOT_A_HEADER)
    # Pages of an index have neither.
    n_values, values = (_number(own, 1), _number(own, encoding)) if own else (1, 0)
    return Page(kind == _DICTIONARY_PAGE, page_bytes, max(1, n_values), values), header_bytes, data_bytes


def _number(fields: dict[int, Any], number: int) -> int:
    value = fields.get(number)
    if not isinstance(value, int) or value < 0:
        raise ValueError(_NOT_A_HEADER)
    return value


def _structure(data: bytes, at: int) -> tuple[dict[int, Any], int]:
    """Return a Thrift structure's numbers and structures by field, and where it ends."""
    fields: dict[int, Any] = {}
    number = 0
    while data[at]:
        kind, delta = data[at] & 15, data[at] >> 4
        at += 1
        if delta:
            number += delta
        else:
            number, at = _zigzag(data, at)
        fields[number], at = _value(data, at, kind)
    return fields, at + 1


def _value(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    match kind:
        case 1 | 2:  # a boolean, in the field's type
            return None, at
        case 3:
            return None, at + 1
        case 4 | 5 | 6:
            return _zigzag(data, at)
        case 7:
            return None, at + 8
        case 8:
            length, at = _varint(data, at)
            return None, at + length
        case 12:
            return _structure(data, at)
        case _:
            raise ValueError("a type that headers of pages do not have")


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return value >> 1 ^ -(value & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number of too many bytes")
