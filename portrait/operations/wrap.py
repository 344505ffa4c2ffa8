"""Wrapping a filter built by other software: a manifest beside its files, which stay as they are.

What the filter was built of nobody can count any more; everything else that a bundle promises (an id,
digests, a confirmed rate, ``verify``) it has from then on.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from portrait.bundle.card import card
from portrait.bundle.manifest import Layer, Manifest, TestVectors
from portrait.bundle.writer import BundleWriter, StoredLayer, record_files, write_beside
from portrait.errors import OutputError, SpecError
from portrait.filters import pybloom, redisbloom, redisbloom_dump
from portrait.filters.probe import PROBE_WINDOWS, probe_filter, windows_of
from portrait.keys.maker import UNICODE_VERSION
from portrait.portraits.portrait import Portrait, of_bundle
from portrait.progress import Silent
from portrait.spec import WindowSpec, require_source_name
from portrait.version import __version__

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from portrait.progress import Progress


class _Foreign(NamedTuple):
    """A filter of other software, open, with its files and what these say of it."""

    filter: pybloom.PyBloom | redisbloom.RedisBloom
    files: tuple[Path, ...]
    content: str
    spec: WindowSpec
    n_keys: int
    fpr_target: float
    fpr: float


def is_foreign(path: Path) -> bool:
    """Whether ``path`` is named as a filter of other software that can be wrapped."""
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
    """Make the filter at ``path`` a bundle at ``out`` without copying its bits, and open it.

    ``path`` is a filter of the original library (``.bf``), whose ``stride`` is given where its name
    does not say it, or pybloom-live's file (``.pybloom``), whose ``windows`` must be given, because it
    tells nothing of them. ``out`` is the directory that the files are in, which then gets a manifest
    and, if it has none, a card; or a new directory on the same file system, which gets hard links.
    The layer is named ``source``, or else like the file.

    Raises :class:`SpecError`, :class:`DamagedBundleError` for files that contradict themselves,
    :class:`OutputExistsError`, :class:`OutputError`.
    """
    path, out = Path(path), Path(out)
    found = _open(path, windows, stride)
    name = require_source_name(path.stem if source is None else source)
    progress = progress or Silent()

    def manifest(stored: StoredLayer) -> Manifest:
        return Manifest(
            windows=found.spec,
            unicode_version=UNICODE_VERSION,
            layers=(_record(name, found, stored),),
            corpus={name: {"location": [path.name], "revision": None, "files": []}},
            tool=f"portrait {__version__}",
            license=license,
            trained_models=tuple(trained_models),
        )

    progress.start(sum(file.stat().st_size for file in found.files))
    try:
        if out.is_dir() and out.resolve() == path.parent.resolve():
            for file in found.files:
                if file.is_symlink():
                    raise OutputError(
                        f"{file}: is a symbolic link, which a bundle cannot hold: give another directory as "
                        "the output"
                    )
            made = manifest(record_files(found.files, found.content, progress))
            return of_bundle(write_beside(out, made, card(made, out.resolve().name), overwrite=overwrite))
        with BundleWriter(out, overwrite=overwrite) as writer:
            made = manifest(writer.link_files(found.files, found.content, progress))
            return of_bundle(writer.commit(made, card(made, out.name)))
    finally:
        progress.finish()


def _open(path: Path, windows: WindowSpec | None, stride: int | None) -> _Foreign:
    if path.suffix == redisbloom_dump.SUFFIX:
        if windows is not None:
            raise SpecError(f"{path}: its width is in its index: give the stride only")
        dump = redisbloom_dump.open_dump(path, stride)
        chain = dump.filter.chain
        error = max(link.error for link in chain.links)
        content = redisbloom.TENSOR
        return _Foreign(dump.filter, dump.files, content, dump.spec, chain.entries, error, dump.fpr)
    if path.suffix != pybloom.SUFFIX:
        raise SpecError(f"{path}: no filter of a known format: .bf and .pybloom can be wrapped")
    if windows is None:
        raise SpecError(
            f"{path}: the file does not say how its windows were cut: give width, stride, unit and normaliser"
        )
    pybloom.require_text(windows)
    opened = pybloom.read(path)
    header = opened.header
    return _Foreign(opened, (path,), pybloom.TENSOR, windows, header.count, header.error_rate, opened.rate())


def _record(source: str, found: _Foreign, stored: StoredLayer) -> Layer:
    probe = probe_filter(source, windows_of(found.filter), found.fpr, PROBE_WINDOWS)
    return Layer(
        source=source,
        filter=found.filter.parameters,
        documents=None,
        short_documents=None,
        windows=None,
        distinct_keys=found.n_keys,
        text_bytes=None,
        fpr_target=found.fpr_target,
        fpr=probe.fpr,
        probe_keys=probe.n_keys,
        probe_hits=probe.n_hits,
        tensors=stored.tensors,
        shards=stored.shards,
        test_vectors=TestVectors(present=(), absent=probe.absent),
    )
