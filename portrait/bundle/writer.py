"""Writing a bundle: in a staging directory first, then moved to its place whole."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from portrait.bundle.manifest import FORMAT, FORMAT_VERSION, Layer, Manifest, ShardRecord
from portrait.bundle.pieces import MAX_SHARDS
from portrait.bundle.reader import CARD_NAME, MANIFEST_NAME, Bundle, is_bundle
from portrait.bundle.shard_writer import ShardWriter, shard_name
from portrait.bundle.tensors import HEADER_RESERVE_BYTES
from portrait.errors import OutputError, OutputExistsError, SpecError
from portrait.markup.numbers import counted
from portrait.storage.atomic import create_file, replacing, sync_file, write_all
from portrait.storage.failures import reason, writing
from portrait.storage.staging import StagingDirectory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Buffer

    from portrait.bundle.pieces import Piece
    from portrait.progress import Progress


#: Shards are no larger than this: what hubs and file systems take without complaint.
DEFAULT_SHARD_BYTES = 5_000_000_000
_MIN_SHARD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """What the manifest records of a layer's files.

    ``shards`` are the records of the files; ``tensors`` is the SHA-256 of each tensor, by name, over all
    shards end to end.
    """

    shards: tuple[ShardRecord, ...]
    tensors: dict[str, str]


def data_bytes(max_shard_bytes: int) -> int:
    """Return how many bytes of data fit into a shard whose file has at most ``max_shard_bytes``.

    Raises:
        SpecError: That is next to nothing.
    """
    whole = isinstance(max_shard_bytes, int) and not isinstance(max_shard_bytes, bool)
    if not whole or max_shard_bytes < _MIN_SHARD_BYTES:
        raise SpecError(
            f"the largest size of a shard is {counted(_MIN_SHARD_BYTES, 'byte')} or more, not "
            f"{max_shard_bytes!r}",
            parameter="max_shard_bytes",
        )
    return max_shard_bytes - HEADER_RESERVE_BYTES


class BundleWriter:
    """A bundle in the making; a context manager.

    Add layers, then :meth:`commit`. Until that returns, the previous content of ``out`` stays in place;
    leaving the block without it removes all that was written. Entering raises what :meth:`check` raises.

    Args:
        out: The bundle's directory.
        overwrite: Whether to replace a portrait at ``out``; nothing else is ever replaced.
    """

    def __init__(self, out: Path, *, overwrite: bool = False) -> None:
        self.out = out
        self.overwrite = overwrite
        self._staging = StagingDirectory(out)
        self._taken: set[str] = set()
        self._n_shards = 0

    def __enter__(self) -> Self:
        with writing(self.out.parent), ExitStack() as stack:
            self._require_free()
            stack.enter_context(self._staging)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def check(self) -> None:
        """Raise now what would be raised when all the work is done.

        Raises:
            OutputExistsError: Something at ``out`` may not be replaced.
            OutputError: Nothing can be written there.
        """
        with writing(self.out.parent):
            self._require_free()
            self._staging.check()

    def _require_free(self) -> None:
        if not (self.out.exists() or self.out.is_symlink()):
            return
        if not self.overwrite:
            raise OutputExistsError(
                f"{self.out}: already exists: choose another name, or allow overwriting",
                parameter="overwrite",
            )
        if self.out.is_symlink() or not is_bundle(self.out):
            raise OutputExistsError(f"{self.out}: exists and is not a portrait: choose another name")

    def add_layer(
        self, source: str, kind: str, pieces: Iterable[Piece], progress: Progress | None = None
    ) -> StoredLayer:
        """Write a layer's pieces, a safetensors file each.

        Args:
            source: The name of the layer's source.
            kind: The kind of its filter.
            pieces: The filter's content, in ascending order of keys.
            progress: Receives the number of bytes written.

        Raises:
            OutputError: A file cannot be written.
            SpecError: There are too many shards.
        """
        metadata = {"format": FORMAT, "format_version": str(FORMAT_VERSION), "filter": kind, "source": source}
        writer = ShardWriter(progress)
        with writing(self.out, f"layer {source!r}"):
            # How many there are is part of every name, and known when the last has been written.
            shards = []
            for number, piece in enumerate(pieces, 1):
                self._count_shards(1)
                shards.append(writer.write_piece(self._staging.path / f".{number}", piece, metadata))
            for i, shard in enumerate(shards):
                name = shard_name(source, i + 1, len(shards), self._taken)
                (self._staging.path / shard.file).rename(self._staging.path / name)
                shards[i] = replace(shard, file=name)
        return StoredLayer(tuple(shards), writer.tensors)

    def _count_shards(self, n_more: int) -> None:
        """Raise :class:`SpecError` for more shards than a process can map when it opens the bundle."""
        self._n_shards += n_more
        if self._n_shards > MAX_SHARDS:
            raise SpecError(
                f"{self.out}: would have more than {counted(MAX_SHARDS, 'shard')}, too many to be opened: "
                "choose a larger size for the shards",
                parameter="max_shard_bytes",
            )

    def add_file(self, source: str, extension: str, tensor: str, buffers: Sequence[Buffer]) -> StoredLayer:
        """Write a layer that is one file of another format.

        Args:
            source: The name of the layer's source.
            extension: The end of the file's name.
            tensor: The name under which the manifest records the digest of the whole file.
            buffers: The file's content, end to end.

        Raises:
            OutputError: The file cannot be written.
        """
        name = shard_name(source, 1, 1, self._taken, extension)
        writer = ShardWriter()
        with writing(self.out, f"layer {source!r}"):
            shard = writer.write_file(self._staging.path / name, tensor, buffers)
        return StoredLayer((shard,), writer.tensors)

    def keep_layer(self, bundle: Bundle, layer: Layer) -> Layer:
        """Take over a layer of another bundle as it is, its shards under names that are free here.

        The shards are shared by hard links, or copied where the file system has none.

        Returns:
            The layer's record with the new names.

        Raises:
            DamagedBundleError: A shard is missing, or is not of the recorded size.
            OutputError: A file cannot be written.
            SpecError: There are too many shards.
        """
        shards = []
        self._count_shards(len(layer.shards))
        for number, shard in enumerate(layer.shards, 1):
            source = bundle.shard_path(shard)
            name = shard.file
            if name.casefold() in self._taken:
                name = shard_name(layer.source, number, len(layer.shards), self._taken, source.suffix)
            self._taken.add(name.casefold())
            with writing(self.out, name):
                _link_or_copy(source, self._staging.path / name)
            shards.append(replace(shard, file=name))
        return replace(layer, shards=tuple(shards))

    def link_files(self, files: Sequence[Path], tensor: str, progress: Progress | None = None) -> StoredLayer:
        """Make files elsewhere a layer's shards, by hard links: no byte is copied.

        Args:
            files: Files of another format, in the order of the layer's content.
            tensor: The name under which the manifest records the digest of all files, end to end.
            progress: Receives the number of bytes read.

        Raises:
            OutputError: A file cannot be linked or read.
        """
        for file in files:
            try:
                # What a hub's cache holds are symbolic links; the bundle gets the file itself.
                os.link(file.resolve(strict=True), self._staging.path / file.name)
            except OSError as error:
                raise OutputError(
                    f"{self.out}: cannot link {file} there: {reason(error)}: wrap it in place, by giving "
                    f"{file.parent} as the output, or write to the same file system"
                ) from error
            self._taken.add(file.name.casefold())
        return record_files(files, tensor, progress)

    def commit(self, manifest: Manifest, card: str) -> Bundle:
        """Write manifest and card, make everything durable, and move the bundle to its place.

        Raises:
            OutputExistsError: Something that may not be replaced has appeared at ``out``.
            OutputError: The bundle cannot be written.
        """
        with writing(self.out):
            create_file(self._staging.path / MANIFEST_NAME, manifest.to_json())
            create_file(self._staging.path / CARD_NAME, _encoded(card))
            self._require_free()
            self._staging.publish()
        return Bundle(self.out, manifest)


def record_files(files: Sequence[Path], tensor: str, progress: Progress | None = None) -> StoredLayer:
    """Record files of another format as a layer's shards, where they are.

    Args:
        files: The files, in the order of the layer's content.
        tensor: The name under which the manifest records the digest of all files, end to end.
        progress: Receives the number of bytes read.

    Raises:
        OutputError: A file cannot be read.
    """
    writer = ShardWriter(progress)
    shards: list[ShardRecord] = []
    for path in files:
        try:
            shards.append(writer.record_file(path, tensor))
        except OSError as error:
            raise OutputError(f"{path}: cannot read it: {reason(error)}") from error
    return StoredLayer(tuple(shards), writer.tensors)


def write_beside(directory: Path, manifest: Manifest, card: str, *, overwrite: bool) -> Bundle:
    """Make a directory that holds the shards a bundle: add the manifest, and a card if it has none.

    Args:
        directory: The directory; other files in it stay as they are.
        manifest: The manifest.
        card: The card's text.
        overwrite: Whether to replace a manifest in the directory.

    Raises:
        OutputExistsError: There is a manifest, and it is not to be replaced.
        OutputError: A file cannot be written.
    """
    out = directory / MANIFEST_NAME
    if out.exists() and not overwrite:
        raise OutputExistsError(
            f"{out}: already exists: choose another output, or allow overwriting", parameter="overwrite"
        )
    with writing(directory), replacing(out) as file:
        write_all(file, manifest.to_json())
        # A model's repository has a page of its own.
        if not (directory / CARD_NAME).exists():
            create_file(directory / CARD_NAME, _encoded(card))
    return Bundle(directory, manifest)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        sync_file(target)


def _encoded(card: str) -> bytes:
    # Names that are not UTF-8 are spelled out.
    return card.encode(errors="backslashreplace")
