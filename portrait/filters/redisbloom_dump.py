"""Filters of the original Data Portraits library (dumps of RedisBloom), mapped and asked in place.

``NAME.WIDTH-STRIDE.bf`` is a JSON index; it lists the chunks that ``BF.SCANDUMP`` returned and the files
``NAME.WIDTH-STRIDE.bf.partN.bin`` that hold the chunks, end to end. In the older form, the ``.bf`` itself
holds the chunks, and ``.bf.idx`` lists them. The first chunk is a header; the others are the bits.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait import strict_json
from portrait.errors import DamagedBundleError, SpecError
from portrait.filters.redisbloom import KIND, RedisBloom, ScalingChain, of_files
from portrait.markup.numbers import count, counted
from portrait.spec import MAX_UNITS, NORMALIZER_VERSIONS, Stride, WindowSpec, require_source_name
from portrait.storage.mapping import open_file
from portrait.strict_json import JsonError

if TYPE_CHECKING:
    from portrait.storage.mapping import Access

SUFFIX = ".bf"
LEGACY_INDEX_SUFFIX = ".idx"

#: An index has a line or two for each chunk of 16 MiB; a larger file is something else.
_MAX_INDEX_BYTES = 64 << 20
#: Each chunk has four values. Parsed, a value takes up to a hundred times as much memory as text.
_MAX_INDEX_VALUES = 2_500_000

#: The index's names for the header's fields, if there is one link.
_INFO_NAMES = (
    ("chain_size", "chain_n_filters", "options", "growth"),
    ("bytes", "bits", "current_size", "error", "bits_per_element", "hashes", "max_entries", "n2"),
)
_REFETCH = "fetch it again"


@dataclass(frozen=True, slots=True)
class Dump:
    """An open filter of the original library.

    Attributes:
        path: The ``.bf`` file.
        name: The file's name without ``.bf``.
        spec: How the filter's owner cut texts into windows.
        filter: The filter.
        fpr: Its false-positive rate.
        files: The files that hold its bytes, end to end.
    """

    path: Path
    name: str
    spec: WindowSpec
    filter: RedisBloom
    fpr: float
    files: tuple[Path, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what is known about the filter, as a JSON object with a manifest's names."""
        chain, spec = self.filter.chain, self.spec
        return {
            "format": KIND,
            "windows": spec.to_dict(),
            "normalizer": {"name": spec.normalizer, "version": NORMALIZER_VERSIONS[spec.normalizer]},
            "hash": {"name": chain.hash_name},
            "source": self.name,
            "files": [file.name for file in self.files],
            "entries": chain.entries,
            "fpr": self.fpr,
            "links": [
                {
                    "bits": link.bits_in_use,
                    "hashes": link.hashes,
                    "entries": link.entries,
                    "capacity": link.capacity,
                    "fpr_target": link.error,
                    "fill": fill,
                    "fpr": fill**link.hashes,
                }
                for link, fill in zip(chain.links, self.filter.native.fills(), strict=True)
            ],
        }


def is_dump(path: Path) -> bool:
    """Return whether ``path`` is a file with the name of a filter of the original library."""
    return path.suffix == SUFFIX and path.is_file()


def open_dump(path: Path, stride: int | None = None, access: Access = "random") -> Dump:
    """Open the filter at ``path``; mapped, in time independent of its size.

    Args:
        path: The ``.bf`` file. The width is in its index or, in the older form, in its name.
        stride: The stride; by default, the one in the file's name.
        access: How the bytes are reached.

    Raises:
        SpecError: Neither the name nor the caller says what the width and the stride are.
        DamagedBundleError: The files contradict themselves or each other.
    """
    legacy = path.with_name(path.name + LEGACY_INDEX_SUFFIX)
    try:
        if legacy.is_file():
            content: Any = {"blocks": _read_json(legacy), "bf_info": {}}
            index, own_file = legacy, path.name
        else:
            content = _read_json(path)
            index, own_file = path, None
        spec, opened, files = _open(path, index, content, own_file, stride, access)
        return Dump(path, require_source_name(path.stem), spec, opened, opened.rate(), files)
    except OSError as error:
        where = error.filename if error.filename is not None else path
        raise DamagedBundleError(f"{where}: {error.strerror}") from error


def _open(
    path: Path, index: Path, content: Any, own_file: str | None, stride: int | None, access: Access
) -> tuple[WindowSpec, RedisBloom, tuple[Path, ...]]:
    blocks = content.get("blocks") if isinstance(content, dict) else None
    sizes = _chunk_sizes(index, blocks, own_file)
    width = _width(index, content, own_file)
    files = [_open_part(path.with_name(name), size, access) for name, size in sizes.parts]
    opened = of_files(files, sizes.header)
    _compare_info(index, content.get("bf_info"), opened.chain)
    return _windows(path, width, stride), opened, tuple(part for part, _ in files)


# --- The index --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Lengths in bytes: of the header, of all bits, and of each part file in order."""

    header: int
    data: int
    parts: list[tuple[str, int]]


def _read_json(path: Path) -> Any:
    if path.stat().st_size > _MAX_INDEX_BYTES:
        raise DamagedBundleError(
            f"{path}: too large for an index, and there is no {path.name}{LEGACY_INDEX_SUFFIX} beside it"
        )
    try:
        data = path.read_bytes()
        if strict_json.count_values(data) > _MAX_INDEX_VALUES:
            raise JsonError(f"JSON of more than {count(_MAX_INDEX_VALUES)} values")
        return strict_json.loads(data)
    except JsonError as error:
        beside = f", and there is no {path.name}{LEGACY_INDEX_SUFFIX} beside it"
        hint = beside if path.suffix == SUFFIX else ""
        raise DamagedBundleError(f"{path}: not an index: it is {error}{hint}: {_REFETCH}") from error


def _chunk_sizes(index: Path, blocks: Any, own_file: str | None) -> _Sizes:
    """Check the list of chunks. In the older form, ``own_file`` holds all of them."""
    if not isinstance(blocks, list) or not blocks:
        raise DamagedBundleError(f"{index}: not an index: it lists no blocks: {_REFETCH}")
    parts: list[tuple[str, int]] = []
    n_bytes = 0
    for i, block in enumerate(blocks):
        size = _count(index, block, i, "block_size")
        name = own_file if own_file is not None else block.get("part_file")
        if not isinstance(name, str) or name != Path(name).name or name in ("", "..") or "\0" in name:
            raise DamagedBundleError(f"{index}: block {i}: part_file {name!r:.200} is not a plain file name")
        if block.get("block_num") != i:
            raise DamagedBundleError(f"{index}: block {i} is out of order: {_REFETCH}")
        # RedisBloom's cursor: the header is at 1, and bits are counted from there.
        n_bytes += size if i else 1
        if _count(index, block, i, "iter") != n_bytes:
            raise DamagedBundleError(f"{index}: block {i} does not follow the one before it: {_REFETCH}")
        if parts and parts[-1][0] == name:
            parts[-1] = (name, parts[-1][1] + size)
        elif any(name == other for other, _ in parts):
            raise DamagedBundleError(f"{index}: block {i} goes back to {name!r}: {_REFETCH}")
        else:
            parts.append((name, size))
    return _Sizes(blocks[0]["block_size"], n_bytes - 1, parts)


def _count(index: Path, block: Any, i: int, field: str) -> int:
    value = block.get(field) if isinstance(block, dict) else None
    if type(value) is not int or not 1 <= value < 1 << 63:
        raise DamagedBundleError(f"{index}: block {i}: {field} is {value!r:.100}, not a size: {_REFETCH}")
    return value


def _compare_info(index: Path, info: Any, chain: ScalingChain) -> None:
    """Check that the header agrees with what the index repeats of it."""
    if not isinstance(info, dict):
        raise DamagedBundleError(f"{index}: bf_info is not an object: {_REFETCH}")
    if not info:  # the original library writes it for a single link only
        return
    header = (chain.entries, len(chain.links), chain.options, chain.growth)
    link = asdict(chain.links[0]).values()
    said = dict(zip(_INFO_NAMES[0] + _INFO_NAMES[1], (*header, *link), strict=True))
    for name, value in said.items():
        if name in info and info[name] != value:
            raise DamagedBundleError(
                f"{index}: {name} is {info[name]!r:.100}, but {value!r} in the header: {_REFETCH}"
            )


# --- Windows ----------------------------------------------------------------------------------------


def _named(path: Path) -> tuple[int, int] | None:
    """Return width and stride, if the file is named ``NAME.WIDTH-STRIDE.bf``."""
    match = re.search(r"\.(\d{1,7})-(\d{1,7})\.", path.name, flags=re.ASCII)
    return (int(match[1]), int(match[2])) if match else None


def _width(index: Path, content: dict[str, Any], own_file: str | None) -> int | None:
    """Return the width that the index states; the older form has none."""
    if own_file is not None:
        return None
    width = content.get("width")
    if type(width) is not int or not 1 <= width <= MAX_UNITS:
        raise DamagedBundleError(f"{index}: width is {width!r:.100}, not a number of characters: {_REFETCH}")
    return width


def _windows(path: Path, width: int | None, stride: int | None) -> WindowSpec:
    named = _named(path)
    if width is None:
        if named is None:
            raise SpecError(
                f"{path}: nothing says how wide its windows are: name it NAME.WIDTH-STRIDE{SUFFIX}"
            )
        width = named[0]
    if stride is None:
        if named is None:
            raise SpecError(
                f"{path}: the stride is not in the file's name (NAME.WIDTH-STRIDE{SUFFIX}): give the stride",
                parameter="stride",
            )
        if named[0] != width:
            raise SpecError(
                f"{path}: the name says windows of {counted(named[0], 'character')} and the index of "
                f"{count(width)}, so the name's stride cannot be trusted: give the stride",
                parameter="stride",
            )
        stride = named[1]
    return WindowSpec(width, Stride(stride), "char", "data-portraits")


# --- The files --------------------------------------------------------------------------------------


def _open_part(path: Path, n_bytes: int, access: Access) -> tuple[Path, memoryview]:
    # The caches of model hubs consist of symbolic links, which are followed.
    if not path.is_file():
        raise DamagedBundleError(f"{path}: the part is missing: fetch it, too")
    data = open_file(path, access)
    if len(data) != n_bytes:
        raise DamagedBundleError(
            f"{path}: {counted(len(data), 'byte')} instead of {count(n_bytes)}: {_REFETCH}"
        )
    return path, data
