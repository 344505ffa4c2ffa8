"""Corpus → keys → filters → bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait import presets
from portrait.building.request import Request
from portrait.bundle.card import card
from portrait.bundle.manifest import Manifest
from portrait.bundle.writer import DEFAULT_SHARD_BYTES, BundleWriter, data_bytes
from portrait.engines.execution import Execution
from portrait.errors import SpecError
from portrait.filters import pybloom
from portrait.keys.maker import UNICODE_VERSION
from portrait.portraits.portrait import Portrait, of_bundle
from portrait.progress import Silent
from portrait.version import __version__

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from portrait.building.reader import OnError
    from portrait.corpus.shards import Format
    from portrait.progress import Progress
    from portrait.spec import FilterSpec, WindowSpec


def build(
    sources: Any,
    out: str | os.PathLike[str],
    *,
    windows: WindowSpec | None = None,
    filter: FilterSpec | None = None,  # noqa: A002  # the field's word
    preset: str = "default",
    column: str | Sequence[str] = "text",
    source_column: str | None = None,
    format: Format = "auto",  # noqa: A002
    on_error: OnError = "fail",
    max_shard_bytes: int = DEFAULT_SHARD_BYTES,
    overwrite: bool = False,
    license: str | None = None,  # noqa: A002
    trained_models: Sequence[str] = (),
    execution: Execution | None = None,
    finish: bool = False,
    progress: Progress | None = None,
) -> Portrait:
    """Build the portrait of ``sources`` at ``out`` and open it.

    ``sources`` is one or several of: a file (``.txt``: one document; ``.jsonl``, ``.csv``, ``.tsv``, also
    ``.gz`` or ``.zst``; ``.parquet``, ``.arrow``, ``.feather``), a directory or glob of them, a URL of any
    of these, ``hf://datasets/ORG/NAME[@REVISION][?config=…&split=…&column=…]``, ``NAME=`` any of these,
    ``-`` for standard input, a ``datasets.Dataset`` or ``datasets.IterableDataset``; or a mapping from
    source names to these, such as ``dict(splits)`` for a layer of each split. ``windows`` and ``filter``
    are the ``preset``'s unless given. ``column`` holds the text of JSON lines and tables, and may be a path
    into structs (``meta.text``); several columns are one text, a line each. ``source_column``: each row's
    source is what stands there. The same corpus and specs give the same portrait, whatever the order of
    files and the number of processes. ``on_error``: ``skip`` leaves rows and files out that cannot be read,
    and has the manifest count them. A layer is cut into files of at most ``max_shard_bytes``, but for one
    of kind ``pybloom``, which is one file.

    ``execution`` says who does the work, where, and in how much memory. ``out`` appears when it is whole
    or not at all. A build that was stopped, even killed, is gone on with by the same call. ``finish``: the
    shards have been read, by :func:`read_share`, and only the rest is to be done. A filter of kind
    ``pybloom`` is built in memory and has the corpus read twice, so it takes no standard input.

    Raises :class:`SpecError` for a value out of range, :class:`CorpusError` for a source that
    cannot be read, :class:`EmptyCorpusError`, :class:`OutputExistsError`, :class:`OutputError`,
    :class:`SpoolError`, :class:`WorkerError`, :class:`MissingExtraError`.
    """
    chosen = presets.preset(preset)
    execution = execution or Execution()
    request = Request(
        windows or chosen.windows, filter or chosen.filter, column, source_column, format, on_error
    )
    max_piece_bytes = data_bytes(max_shard_bytes)
    path = Path(out)
    writer = BundleWriter(path, overwrite=overwrite)
    writer.check()
    found = request.resolve(sources)
    if finish:
        _require_no_restart(execution, path)
    if finish and not execution.begun(path):
        raise SpecError(f"{execution.work_path(path)}: no shard has been read there: run the tasks first")
    with request.build(found, execution, path, progress or Silent()) as made:
        if not finish:
            made.read()
        with writer:
            layers = made.layers(writer, max_piece_bytes)
            manifest = Manifest(
                windows=request.windows,
                unicode_version=UNICODE_VERSION,
                layers=tuple(layers),
                corpus=made.corpus(),
                tool=f"portrait {__version__}",
                license=license,
                trained_models=tuple(trained_models),
            )
            bundle = writer.commit(manifest, card(manifest, path.name))
    return of_bundle(bundle)


def read_share(
    sources: Any,
    out: str | os.PathLike[str],
    share: tuple[int, int],
    *,
    windows: WindowSpec | None = None,
    filter: FilterSpec | None = None,  # noqa: A002
    preset: str = "default",
    column: str | Sequence[str] = "text",
    source_column: str | None = None,
    format: Format = "auto",  # noqa: A002
    on_error: OnError = "fail",
    execution: Execution | None = None,
    progress: Progress | None = None,
) -> None:
    """Read a share of the shards of a build, (1, n) to (n, n), for :func:`build` to finish.

    Any processes that see the same files can do it at the same time, in any order, and again: what is
    read already is not read twice. All arguments must be those of the build.

    Raises :class:`SpecError` for a share that is none, and for sources that others cannot read; the
    rest is as for :func:`build`.
    """
    chosen = presets.preset(preset)
    execution = execution or Execution()
    number, of = share
    if not 1 <= number <= of:
        raise SpecError(f"task {number}/{of}: the tasks are 1/{of} to {of}/{of}")
    request = Request(
        windows or chosen.windows, filter or chosen.filter, column, source_column, format, on_error
    )
    if request.filter.kind == pybloom.KIND:
        raise SpecError("a pybloom filter is built in one process: leave --task out")
    found = request.resolve(sources)
    if any(shard.read_once for source in found for shard in source.shards):
        raise SpecError(
            "standard input, pipes and streams in memory are read by one process: leave --task out"
        )
    path = Path(out)
    _require_no_restart(execution, path)
    with request.spooled(found, execution, path, progress or Silent(), shared=True) as (made, _):
        made.read(range(number - 1, made.n_shards, of))


def _require_no_restart(execution: Execution, out: Path) -> None:
    if execution.restart:
        raise SpecError(
            f"restarting would remove what other tasks have read: to begin anew, delete "
            f"{execution.work_path(out)} first"
        )
