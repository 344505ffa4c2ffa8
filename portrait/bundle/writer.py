"""Writing a bundle: in a staging directory first, then moved to its place whole.

A directory that exists already keeps all files that are not the portrait's: see ``replacement``.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Self

from portrait.bundle.manifest import FORMAT, FORMAT_VERSION, Layer, Manifest
from portrait.bundle.pieces import MAX_SHARDS
from portrait.bundle.reader import MANIFEST_NAME, Bundle
from portrait.bundle.readme import card as cards
from portrait.bundle.replacement import remove_leftovers, replace_bundle, replaceable
from portrait.bundle.shard_writer import ShardWriter, StoredLayer, record_files, shard_name, sketch_name
from portrait.bundle.sketches import write_sketch
from portrait.bundle.tensors import HEADER_RESERVE_BYTES
from portrait.errors import OutputError, OutputExistsError, SpecError
from portrait.markup.numbers import counted
from portrait.storage.atomic import create_file, sync_file
from portrait.storage.failures import reason, writing
from portrait.storage.staging import StagingDirectory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Buffer

    from portrait.bundle.manifest import SketchRecord
    from portrait.bundle.pieces import Piece
    from portrait.progress import Progress


#: Shards are no larger than this: what hubs and file systems take without complaint.
DEFAULT_SHARD_BYTES = 5_000_000_000
_MIN_SHARD_BYTES = 4096


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
        overwrite: Whether to replace a portrait at ``out``; nothing else is ever replaced, and files in it
            that its manifest does not list stay.
    """

    def __init__(self, out: Path, *, overwrite: bool = False) -> None:
        self.out = out
        self.overwrite = overwrite
        self._old: Bundle | None = None
        self._taken: set[str] = set()
        self._n_shards = 0
        #: The sources of layers that stay in ``out`` as they are.
        self._in_place: set[str] = set()

    def __enter__(self) -> Self:
        self._old = self._require_free()
        self._staging = self._new_staging()
        with self._entering(), ExitStack() as stack:
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
        self._old = self._require_free()
        with self._entering():
            self._new_staging().check()

    def _entering(self) -> AbstractContextManager[None]:
        return writing(self.out.parent if self._old is None else self.out)

    def _new_staging(self) -> StagingDirectory:
        if self._old is None:
            return StagingDirectory.beside(self.out)
        return StagingDirectory.inside(self.out, partial(remove_leftovers, self.out))

    def _require_free(self) -> Bundle | None:
        """Return the bundle that is to be replaced; ``None`` if there is nothing at ``out``."""
        with writing(self.out.parent):
            if not (self.out.exists() or self.out.is_symlink()):
                return None
            if not self.overwrite:
                raise OutputExistsError(
                    f"{self.out}: already exists: choose another name, or allow overwriting",
                    parameter="overwrite",
                )
            if self.out.is_symlink():
                raise OutputExistsError(
                    f"{self.out}: is a link to {self.out.readlink()}: name the directory itself, or choose "
                    "another name"
                )
            if not self.out.is_dir() or (old := replaceable(self.out)) is None:
                raise OutputExistsError(f"{self.out}: exists and is not a portrait: choose another name")
            return old

    def add_layer(
        self,
        source: str,
        kind: str,
        pieces: Iterable[Piece],
        progress: Progress | None = None,
        *,
        sketch: Sequence[int] | None = None,
    ) -> StoredLayer:
        """Write a layer's pieces, and its sketch, a safetensors file each.

        Args:
            source: The name of the layer's source.
            kind: The kind of its filter.
            pieces: The filter's content, in ascending order of keys.
            progress: Receives the number of bytes written of the filter.
            sketch: The keys of the layer's sketch.

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
            record = None
            if sketch is not None:
                record = write_sketch(self._staging.path / sketch_name(source, self._taken), sketch, source)
        return StoredLayer(tuple(shards), writer.tensors, record)

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
            SpecError: There are too many shards.
        """
        self._count_shards(1)
        name = shard_name(source, 1, 1, self._taken, extension)
        writer = ShardWriter()
        with writing(self.out, f"layer {source!r}"):
            shard = writer.write_file(self._staging.path / name, tensor, buffers)
        return StoredLayer((shard,), writer.tensors)

    def keep_layer(self, bundle: Bundle, layer: Layer) -> Layer:
        """Take over a layer of another bundle as it is, its files under names that are free here.

        The files are shared by hard links, or copied where the file system has none. Those of the bundle
        that is replaced stay where they are.

        Returns:
            The layer's record with the new names.

        Raises:
            DamagedBundleError: A file is missing, or is not of the recorded size.
            OutputExistsError: The bundle is the one that is replaced, and is not what it was.
            OutputError: A file cannot be written.
            SpecError: There are too many shards.
        """
        in_place = self._old if self._old is not None and bundle.path.samefile(self.out) else None
        if in_place is not None and in_place.manifest != bundle.manifest:
            raise OutputExistsError(f"{self.out}: another process has changed it meanwhile: run this again")
        paths = [bundle.file_path(shard) for shard in layer.shards]
        if layer.sketch is not None:
            bundle.file_path(layer.sketch)
        self._count_shards(len(layer.shards))
        if in_place is not None:
            self._in_place.add(layer.source)
            return layer
        shards = []
        for number, (shard, path) in enumerate(zip(layer.shards, paths, strict=True), 1):
            name = shard.file
            if name.casefold() in self._taken:
                name = shard_name(layer.source, number, len(layer.shards), self._taken, path.suffix)
            self._keep_file(path, name)
            shards.append(replace(shard, file=name))
        return replace(layer, shards=tuple(shards), sketch=self.keep_sketch(bundle, layer))

    def keep_sketch(self, bundle: Bundle, layer: Layer) -> SketchRecord | None:
        """Take over the sketch of a layer of another bundle, as :meth:`keep_layer` does.

        Returns:
            The sketch's record with its new name; ``None`` if the layer has no sketch.

        Raises:
            DamagedBundleError: The file is missing, or is not of the recorded size.
            OutputError: The file cannot be written.
        """
        if layer.sketch is None:
            return None
        path, name = bundle.file_path(layer.sketch), layer.sketch.file
        if name.casefold() in self._taken:
            name = sketch_name(layer.source, self._taken)
        self._keep_file(path, name)
        return replace(layer.sketch, file=name)

    def _keep_file(self, path: Path, name: str) -> None:
        self._taken.add(name.casefold())
        with writing(self.out, name):
            _link_or_copy(path, self._staging.path / name)

    def link_files(self, files: Sequence[Path], tensor: str, progress: Progress | None = None) -> StoredLayer:
        """Make files elsewhere a layer's shards, by hard links: no byte is copied.

        Args:
            files: Files of another format, in the order of the layer's content.
            tensor: The name under which the manifest records the digest of all files, end to end.
            progress: Receives the number of bytes read.

        Raises:
            OutputError: A file cannot be linked or read.
            SpecError: There are too many shards.
        """
        self._count_shards(len(files))
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

    def commit(
        self, manifest: Manifest, card: bytes | None = None, card_of: Manifest | None = None
    ) -> Bundle:
        """Write manifest and card, make everything durable, and move the bundle to its place.

        Args:
            manifest: The manifest.
            card: The card of another bundle, whose text outside the generated part is taken over where there
                is no directory yet.
            card_of: That bundle's manifest.

        Raises:
            OutputExistsError: Something that may not be replaced has appeared at ``out``, or the portrait
                there is another one than it was.
            OutputError: The bundle cannot be written.
        """
        staging = self._staging.path
        old = self._require_free()
        with writing(self.out):
            if old is not None:
                base = self._old.manifest if self._old is not None and self._in_place else None
                manifest = replace_bundle(self.out, staging, manifest, base=base, in_place=self._in_place)
            else:
                name = self.out.resolve().name
                text = cards.card(manifest, name).encode()
                if card is not None:
                    text = cards.updated(card, manifest, name, card_of)
                create_file(staging / MANIFEST_NAME, manifest.to_json())
                create_file(staging / cards.CARD_NAME, text)
                self._staging.publish(self.out)
        return Bundle(self.out, manifest)


def _link_or_copy(source: Path, target: Path) -> None:
    # A link to the file itself: a link to a symbolic link would end where that one does.
    source = source.resolve(strict=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        sync_file(target)
