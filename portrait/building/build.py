"""The public verbs: build a portrait, or read a share of its corpus for another process to finish."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait.building.request import Request
from portrait.building.way import open_build, open_on_disk
from portrait.bundle.manifest import Manifest
from portrait.bundle.writer import DEFAULT_SHARD_BYTES, BundleWriter
from portrait.corpus.columns import DEFAULT_MAX_DOCUMENT_BYTES
from portrait.corpus.provenance import corpus_records
from portrait.disclosure import density_warning
from portrait.engines.execution import Execution
from portrait.errors import DisclosureWarning, SpecError
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
    short_documents: bool = False,
    max_document_bytes: int = DEFAULT_MAX_DOCUMENT_BYTES,
    max_shard_bytes: int = DEFAULT_SHARD_BYTES,
    overwrite: bool = False,
    license: str | None = None,  # noqa: A002
    trained_models: Sequence[str] = (),
    execution: Execution | None = None,
    finish: bool = False,
    progress: Progress | None = None,
) -> Portrait:
    """Build the portrait of ``sources`` at ``out`` and open it.

    The same corpus and specs give the same portrait, byte for byte, whatever the order of files and the
    number of processes. ``out`` appears when it is whole, or not at all. Re-running the same call resumes
    an interrupted build.

    In a directory that is overwritten, all files stay that the old portrait's manifest does not list, and so
    does what people have written in its card; shards get names that are free there.

    Args:
        sources: One or several of: a file (``.txt``: one document; ``.jsonl``, ``.csv``, ``.tsv``, also
            ``.gz`` or ``.zst``; ``.parquet``, ``.arrow``, ``.feather``), a directory or a glob of files, a
            URL of any of these, ``hf://datasets/ORG/NAME[@REVISION][?config=…&split=…&column=…]``, ``-`` for
            standard input, a ``datasets.Dataset`` or ``datasets.IterableDataset``. ``NAME=`` before a source
            puts it into a layer of its own; so does a mapping from names to sources, such as
            ``dict(splits)``.
        out: The directory to write.
        windows: How texts are cut; by default the preset's way.
        filter: The kind of filter and its false-positive rate; by default the preset's.
        preset: The name of the defaults, one of :data:`portrait.PRESETS`.
        column: The column of the text in JSON lines and tables, or a path into structs (``meta.text``).
            Several columns make one text, a line each.
        source_column: The column that names each row's source, for a layer each.
        format: The format of the files; by default their suffixes tell.
        on_error: ``fail`` ends the build at the first row or file that cannot be read; ``skip`` leaves such
            rows and files out, and the manifest counts them.
        short_documents: Whether documents shorter than a window are recorded, by a key of their whole text.
            Such a key confirms every right guess of the text: docs/privacy.md.
        max_document_bytes: The size of the largest document, in bytes of text. A larger one cannot be read;
            no more than about this much of it is in memory.
        max_shard_bytes: The size of the bundle's files in bytes, at most. A layer of kind ``pybloom`` is one
            file, whatever its size.
        overwrite: Whether to replace a portrait at ``out``.
        license: The portrait's licence, for its manifest and card.
        trained_models: Models trained on this corpus, for its manifest and card.
        execution: What runs the build, where, and in how much memory.
        finish: Whether :func:`read_share` has read all shards already, so that only the rest is to be done.
        progress: Receives the progress.

    Returns:
        The portrait, open.

    Raises:
        SpecError: A value is outside its range, or does not go with another.
        CorpusError: A source cannot be read, or changes meanwhile.
        EmptyCorpusError: A source holds no text.
        OutputExistsError: Something is at ``out``, or another build is in the work directory.
        OutputError: ``out`` or the work directory cannot be written.
        WorkDirError: The work directory has lost something; re-running the same call does that part again.
        WorkerError: A worker process died, again and again, or the engine cannot be started.
        MissingExtraError: An optional package is not installed.
    """
    execution = execution or Execution()
    request = Request.of(
        windows,
        filter,
        preset=preset,
        column=column,
        source_column=source_column,
        format=format,
        on_error=on_error,
        short_documents=short_documents,
        max_document_bytes=max_document_bytes,
        max_shard_bytes=max_shard_bytes,
    )
    if (warning := density_warning(request.windows)) is not None:
        warnings.warn(warning, DisclosureWarning, stacklevel=2)
    path = Path(out)
    writer = BundleWriter(path, overwrite=overwrite)
    writer.check()
    resolved = request.resolve(sources)
    if finish:
        _require_no_restart(execution, path)
        if not execution.can_resume(path):
            raise SpecError(
                f"{execution.work_path(path)}: no shard has been read there: read the shares first",
                parameter="share",
            )
    draft = Manifest(
        windows=request.windows,
        unicode_version=UNICODE_VERSION,
        layers=(),
        corpus=corpus_records(resolved, [], None),
        tool=f"portrait {__version__}",
        license=license,
        trained_models=tuple(trained_models),
    )
    draft.to_json()  # so that it does not turn out too large when all is read
    with open_build(request, resolved, execution, path, progress or Silent()) as opened:
        if not finish:
            opened.read()
        with writer:
            layers = opened.layers(writer)
            bundle = writer.commit(replace(draft, layers=tuple(layers), corpus=opened.corpus()))
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
    short_documents: bool = False,
    max_document_bytes: int = DEFAULT_MAX_DOCUMENT_BYTES,
    execution: Execution | None = None,
    progress: Progress | None = None,
) -> None:
    """Read a share of a corpus into the work directory, for :func:`build` to finish.

    Any processes that see the same files can read shares, at the same time, in any order, and repeatedly:
    finished shards are skipped.

    Args:
        sources: As for :func:`build`, like all arguments that are not described here.
        out: Where :func:`build` will write the portrait.
        share: The number of the share, from 1, and the number of shares.
        windows: How texts are cut.
        filter: The kind of filter and its false-positive rate.
        preset: The name of the defaults.
        column: The column of the text.
        source_column: The column that names each row's source.
        format: The format of the files.
        on_error: Whether rows and files that cannot be read end the reading or are skipped.
        short_documents: Whether documents shorter than a window are recorded.
        max_document_bytes: The size of the largest document.
        execution: What runs the reading; its work directory must be the build's.
        progress: Receives the progress.

    Raises:
        SpecError: There is no such share, or other processes cannot read the sources; or as for
            :func:`build`.
        CorpusError: A source cannot be read, or changes meanwhile.
        OutputExistsError: Another build is in the work directory.
        OutputError: The work directory cannot be written.
        WorkerError: A worker process died, again and again, or the engine cannot be started.
        MissingExtraError: An optional package is not installed.
    """
    execution = execution or Execution()
    number, n_shares = share
    if not 1 <= number <= n_shares:
        raise SpecError(
            f"there is no share {number}/{n_shares}: the shares are 1/{n_shares} to {n_shares}/{n_shares}",
            parameter="share",
        )
    request = Request.of(
        windows,
        filter,
        preset=preset,
        column=column,
        source_column=source_column,
        format=format,
        on_error=on_error,
        short_documents=short_documents,
        max_document_bytes=max_document_bytes,
    )
    if request.filter.kind == pybloom.KIND:
        raise SpecError("a pybloom filter is built by one process, not in shares", parameter="share")
    resolved = request.resolve(sources)
    if any(shard.read_once for source in resolved for shard in source.shards):
        raise SpecError(
            "standard input, pipes and streams in memory are read by one process, not in shares",
            parameter="share",
        )
    path = Path(out)
    _require_no_restart(execution, path)
    with open_on_disk(request, resolved, execution, path, progress or Silent(), shared=True) as (opened, _):
        opened.read(range(number - 1, opened.n_shards, n_shares))


def _require_no_restart(execution: Execution, out: Path) -> None:
    if execution.restart:
        raise SpecError(
            f"restarting would remove what other tasks have read: to start over, delete "
            f"{execution.work_path(out)} first",
            parameter="restart",
        )
