"""Wrapping: a filter that other software built becomes a bundle, and its files stay as they are.

Documents and windows can no longer be counted; everything else that a bundle promises (an id, digests, a
confirmed rate, ``verify``) the wrapped filter has.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from portrait.bundle.manifest import Layer, Manifest, TestVectors
from portrait.bundle.replacement import write_beside
from portrait.bundle.shard_writer import record_files
from portrait.bundle.writer import BundleWriter
from portrait.errors import SpecError
from portrait.filters import pybloom, redisbloom, redisbloom_dump
from portrait.filters.probe import PROBE_WINDOWS, probe_filter, windows_of
from portrait.hub.local import local_path
from portrait.keys.maker import UNICODE_VERSION
from portrait.portraits.portrait import Portrait, of_bundle
from portrait.progress import Silent
from portrait.spec import WindowSpec, require_source_name
from portrait.version import __version__

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from portrait.bundle.shard_writer import StoredLayer
    from portrait.progress import Progress


@dataclass(frozen=True, slots=True)
class _ForeignFilter:
    """An open filter of other software, its files, and what they say of it.

    ``tensor`` is the name under which the manifest records the digest of the files.
    """

    filter: pybloom.PyBloom | redisbloom.RedisBloom
    files: tuple[Path, ...]
    tensor: str
    windows: WindowSpec
    n_keys: int
    fpr_target: float
    fpr: float


def is_foreign(path: Path) -> bool:
    """Return whether ``path`` has the name of a filter of other software that can be wrapped."""
    return redisbloom_dump.is_dump(path) or (path.suffix == pybloom.SUFFIX and path.is_file())


def wrap(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    windows: WindowSpec | None = None,
    stride: int | None = None,
    source: str | None = None,
    overwrite: bool = False,
    license: str | None = None,  # noqa: A002
    trained_models: Sequence[str] = (),
    progress: Progress | None = None,
) -> Portrait:
    """Make a filter of other software a bundle without copying its bits, and open it.

    Args:
        path: A filter of the original Data Portraits library (``.bf``), or a file of pybloom-live
            (``.pybloom``).
        out: The directory that the files are in, which gets a manifest and, if it has no README.md, a card;
            or a new directory on the same file system, which gets hard links to the files.
        windows: How the filter's texts were cut into windows. Required for a ``.pybloom`` file, which does
            not say it; not for a ``.bf`` file, which does.
        stride: The stride of a ``.bf`` file whose name does not say it.
        source: The name of the layer; by default that of the file.
        overwrite: Whether to replace a manifest, or a portrait, at ``out``.
        license: The licence that the manifest states.
        trained_models: The names of models that were trained on the corpus.
        progress: Receives the number of bytes read.

    Returns:
        The portrait at ``out``.

    Raises:
        SpecError: The windows, the stride or the name of the source are missing or wrong.
        DamagedBundleError: The files contradict themselves.
        OutputExistsError: Something at ``out`` may not be replaced.
        OutputError: ``out`` cannot be written, or a file cannot be linked there.
    """
    path, out = local_path(path), Path(out)
    foreign = _open(path, windows, stride)
    name = require_source_name(path.stem if source is None else source)
    progress = progress or Silent()

    def manifest(stored: StoredLayer) -> Manifest:
        return Manifest(
            windows=foreign.windows,
            unicode_version=UNICODE_VERSION,
            layers=(_record(name, foreign, stored),),
            corpus={name: {"location": [path.name], "revision": None, "files": []}},
            tool=f"portrait {__version__}",
            license=license,
            trained_models=tuple(trained_models),
        )

    progress.start(sum(file.stat().st_size for file in foreign.files))
    try:
        if out.is_dir() and out.resolve() == path.parent.resolve():
            made = manifest(record_files(foreign.files, foreign.tensor, progress))
            return of_bundle(write_beside(out, made, overwrite=overwrite))
        with BundleWriter(out, overwrite=overwrite) as writer:
            return of_bundle(
                writer.commit(manifest(writer.link_files(foreign.files, foreign.tensor, progress)))
            )
    finally:
        progress.finish()


def _open(path: Path, windows: WindowSpec | None, stride: int | None) -> _ForeignFilter:
    if path.suffix == redisbloom_dump.SUFFIX:
        if windows is not None:
            raise SpecError(f"{path}: its index states the width: give the stride only", parameter="windows")
        dump = redisbloom_dump.open_dump(path, stride)
        chain = dump.filter.chain
        error = max(link.error for link in chain.links)
        content = redisbloom.TENSOR
        return _ForeignFilter(dump.filter, dump.files, content, dump.spec, chain.entries, error, dump.fpr)
    if path.suffix != pybloom.SUFFIX:
        raise SpecError(f"{path}: not a filter of a known format: .bf and .pybloom files can be wrapped")
    if windows is None:
        raise SpecError(
            f"{path}: the file does not say how its windows were cut: give width, stride, unit and "
            "normaliser",
            parameter="windows",
        )
    pybloom.require_text(windows)
    opened = pybloom.read(path)
    header = opened.header
    return _ForeignFilter(
        opened, (path,), pybloom.TENSOR, windows, header.count, header.error_rate, opened.rate()
    )


def _record(source: str, foreign: _ForeignFilter, stored: StoredLayer) -> Layer:
    probe = probe_filter(source, windows_of(foreign.filter), foreign.fpr, PROBE_WINDOWS)
    return Layer(
        source=source,
        filter=foreign.filter.parameters,
        documents=None,
        short_documents=None,
        document_keys="none",
        windows=None,
        distinct_keys=foreign.n_keys,
        text_bytes=None,
        fpr_target=foreign.fpr_target,
        fpr=probe.fpr,
        probe_keys=probe.n_keys,
        probe_hits=probe.n_hits,
        tensors=stored.tensors,
        shards=stored.shards,
        sketch=None,
        test_vectors=TestVectors(present=(), absent=probe.absent),
    )
