"""Datasets on a hub: ``hf://datasets/ORG/NAME?config=…&split=…``, streamed, at one revision."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from portrait import extras
from portrait.corpus.datasets.stream import StreamShard, first_line
from portrait.corpus.formats.tables import BATCH_BYTES, wanted
from portrait.errors import CorpusError, PortraitError, SpecError, UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Chunk, Shard

SCHEME = "hf://datasets/"
_PARAMETERS = ("config", "split", "column", "revision")

#: Attempts at reading on and seconds between them, where a connection breaks: each is several
#: attempts of the client's own, for about twenty seconds.
_ATTEMPTS, _PAUSE_SECONDS = 3, 2
#: For an answer of the hub to a question that takes it no time.
_TIMEOUT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class HubDataset:
    """What a URL asks for. ``split`` may be several, ``train+test``, or ``all``."""

    name: str
    config: str | None = None
    split: str | None = None
    column: tuple[str, ...] = ()
    revision: str | None = None

    @property
    def url(self) -> str:
        """The dataset alone, for messages."""
        return f"{SCHEME}{self.name}"


def parse(location: str) -> HubDataset | None:
    """The dataset that a location names; nothing if it names files inside of one.

    Raises :class:`SpecError` for a parameter that there is not, or that stands twice.
    """
    if not location.startswith(SCHEME):
        return None
    path, _, query = location.removeprefix(SCHEME).partition("?")
    name, at, revision = path.partition("@")
    # A revision has slashes only if it is one of the hub's own: refs/convert/parquet, refs/pr/1.
    inside = "/" in revision and not (revision.startswith("refs/") and revision.count("/") == 2)
    if inside or name.rstrip("/").count("/") > 1:
        return None
    name = name.rstrip("/")
    if not name or (at and not revision):
        raise SpecError(f"{location}: no dataset: write {SCHEME}ORG/NAME or {SCHEME}ORG/NAME@REVISION")
    asked = _parameters(query, location)
    if at:
        if "revision" in asked:
            raise SpecError(f"{location}: the revision stands twice: leave one of them out")
        asked["revision"] = unquote(revision)
    column = asked.pop("column", None)
    columns = () if column is None else tuple(name.strip() for name in column.split(","))
    return HubDataset(name, column=columns, **asked)


def _parameters(query: str, location: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in query.split("&") if query else ():
        key, _, value = part.partition("=")
        if key not in _PARAMETERS:
            known = ", ".join(_PARAMETERS)
            raise SpecError(f"{location}: unknown parameter {key!r}: choose from {known}")
        if key in found:
            raise SpecError(f"{location}: the parameter {key!r} stands twice: leave one of them out")
        if not value:
            raise SpecError(f"{location}: the parameter {key!r} is empty: give it a value or leave it out")
        found[key] = unquote(value)  # a plus is a plus: train+test
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """A dataset's shards, and for the manifest what exactly they are of."""

    shards: list[Shard]
    revision: dict[str, Any]


def find(asked: HubDataset, columns: Columns) -> Found:
    """Ask the hub for a dataset's commit and its splits.

    Raises :class:`CorpusError` where the hub or the account does not have it, where it has several
    configurations or splits and none is named, or where the hub cannot be reached.
    """
    if asked.column:
        columns = replace(columns, text=asked.column)
    datasets = extras.load("datasets", "build")
    with quiet():
        repository = _ask(asked)
        # The prefix keeps it from taking a directory here that is called the same.
        path = f"{SCHEME}{repository.name}"
        try:
            builder = datasets.load_dataset_builder(path, asked.config, revision=repository.commit)
            # Where the hub fails now, it would take what an earlier program has left in its cache.
            if builder.hash != repository.commit:
                raise CorpusError(f"{asked.url}: the hub did not answer: try again")
            streams = builder.as_streaming_dataset()
        except PortraitError:
            raise
        except Exception as error:
            raise _not_loaded(asked, path, repository.commit, error) from error
    _narrow(builder, columns)
    chosen = _chosen(asked, list(streams))
    config = builder.config.name
    query = f"config={config}&split={'+'.join(chosen)}&column={','.join(columns.text)}"
    stamp = [f"{path}?{query}", repository.commit]
    paths = builder.config.data_files or {}
    # Every shard takes the builder along to its process, and need not take all files' names.
    builder.config.data_files = None
    shards: list[Shard] = []
    for split in chosen:
        shards += _shards(streams[split], list(paths.get(split, ())), columns, asked.url, stamp, repository)
    return Found(shards, {"commit": repository.commit, "config": config, "split": "+".join(chosen)})


def _shards(
    stream: Any, paths: list[str], columns: Columns, url: str, stamp: list[str], repository: _Repository
) -> Iterator[Shard]:
    """A shard for each of a split's files."""
    n_shards = stream.num_shards
    for i in range(n_shards):
        label, size = f"{url}, shard {i + 1} of {n_shards}", None
        if len(paths) == n_shards:
            label = str(paths[i])
            size = repository.sizes.get(label.removeprefix(f"{SCHEME}{repository.name}@{repository.commit}/"))
        yield HubShard(stream.shard(num_shards=n_shards, index=i), columns, label, stamp, size)


@dataclass(frozen=True, slots=True)
class _Repository:
    """A dataset as the hub has it: its name in full, a commit, and the files' sizes in bytes there."""

    name: str
    commit: str
    sizes: dict[str, int | None]


def _ask(asked: HubDataset) -> _Repository:
    """The dataset at the commit that its revision, or its main branch, is now."""
    hub = extras.load("huggingface_hub", "build")
    errors = extras.load("huggingface_hub.errors", "build")
    url = asked.url
    try:
        info = hub.HfApi().dataset_info(
            asked.name, revision=asked.revision, timeout=_TIMEOUT_SECONDS, files_metadata=True
        )
    except errors.GatedRepoError as error:
        raise _gated(url) from error
    except errors.RepositoryNotFoundError as error:
        raise _unknown(url) from error
    except errors.RevisionNotFoundError as error:
        raise CorpusError(
            f"{url}: no revision {asked.revision!r}: name a branch, a tag or a commit of the dataset"
        ) from error
    except errors.HFValidationError as error:
        raise CorpusError(f"{url}: {first_line(error)}") from error
    except errors.OfflineModeIsEnabled as error:
        raise CorpusError(f"{url}: HF_HUB_OFFLINE is set: unset it, or name files instead") from error
    except errors.HfHubHTTPError as error:
        if error.response is not None and error.response.status_code == 401:
            raise _unknown(url) from error  # how it is told to people who have not logged in
        raise CorpusError(f"{url}: the hub refused: {first_line(error)}") from error
    except Exception as error:  # of the HTTP client, which is another one in other versions
        endpoint = hub.constants.ENDPOINT
        raise CorpusError(
            f"{url}: cannot reach the hub at {endpoint}: {first_line(error)}: check the network"
        ) from error
    return _Repository(info.id, info.sha, {file.rfilename: file.size for file in info.siblings or ()})


def _gated(url: str) -> CorpusError:
    return CorpusError(
        f"{url}: the dataset is gated: ask for access on its page, "
        "and log in with 'hf auth login' or HF_TOKEN"
    )


def _unknown(url: str) -> CorpusError:
    return CorpusError(
        f"{url}: no such dataset, or none that you may read: check its name, and log in with "
        "'hf auth login' or HF_TOKEN if it is private"
    )


def _not_loaded(asked: HubDataset, path: str, commit: str, error: Exception) -> CorpusError:
    """What went wrong when the dataset's files were looked through."""
    if "gated dataset" in str(error):
        return _gated(asked.url)
    configs: list[str] = []
    if isinstance(error, ValueError):
        try:
            configs = extras.load("datasets", "build").get_dataset_config_names(path, revision=commit)
        except Exception:
            configs = []
    if asked.config is None and len(configs) > 1:
        return CorpusError(
            f"{asked.url}: several configurations, {', '.join(configs)}: "
            f"choose one, such as {asked.url}?config={configs[0]}"
        )
    if asked.config is not None and configs and asked.config not in configs:
        return CorpusError(f"{asked.url}: no configuration {asked.config!r}, only {', '.join(configs)}")
    return CorpusError(f"{asked.url}: cannot be loaded: {_cause(error)}")


def _narrow(builder: Any, columns: Columns) -> None:
    """Fetch no other columns of Parquet files than those that are wanted, if they are there."""
    features = builder.info.features
    is_parquet = any(kind.__name__ == "Parquet" for kind in type(builder).__mro__)
    if is_parquet and features is not None and builder.config.columns is None:
        names = wanted(columns, features)
        if names:
            builder.config.columns = names
            builder.info.features = type(features)({name: features[name] for name in names})


def _chosen(asked: HubDataset, splits: list[str]) -> list[str]:
    """The splits that are asked for; the only one if none is."""
    shown = ", ".join(splits)
    if asked.split is None:
        if len(splits) == 1:
            return splits
        config = f"config={asked.config}&" if asked.config else ""
        raise CorpusError(
            f"{asked.url}: several splits, {shown}: choose one, such as "
            f"{asked.url}?{config}split={splits[0]}, or split=all"
        )
    if asked.split == "all" and "all" not in splits:
        return splits
    chosen = list(dict.fromkeys(asked.split.split("+")))
    for split in chosen:
        if split not in splits:
            raise CorpusError(f"{asked.url}: no split {split!r}, only {shown}")
    return chosen


class HubShard(StreamShard):
    """A file of a dataset on a hub."""

    def __init__(
        self, stream: Any, columns: Columns, label: str, stamp: list[str], n_bytes: int | None
    ) -> None:
        super().__init__(stream, columns, label)
        self._stamp = stamp
        self.n_bytes = n_bytes
        self.files = [] if n_bytes is None else [{"path": label, "bytes": n_bytes}]

    def stamps(self) -> list[list[Any]]:
        """What it is a part of, and the commit."""
        return [self._stamp]

    def split(self, n_bytes: int) -> list[Shard]:  # noqa: ARG002
        """The file alone."""
        return [self]

    def chunks(self) -> Iterator[Chunk]:
        """The columns; where a connection breaks, it is tried again for about a minute."""
        left = self.n_bytes or 0
        held: Any = None
        with quiet():
            for chunk in super().chunks():
                if held is not None:
                    # Nobody tells how far it has read: most files are compressed, and to about a third.
                    held.read_bytes = min(left, BATCH_BYTES // 3)
                    left -= held.read_bytes
                    yield held
                held = chunk
        if held is not None:
            held.read_bytes = left
            yield held

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except PortraitError:
            raise
        except Exception as error:  # of the HTTP client, the decompressor, the parser
            raise UnreadableFileError(f"{self.label}: cannot be read to its end: {_cause(error)}") from error


def _cause(error: BaseException) -> str:
    """What an error says, and what it comes from."""
    said = first_line(error)
    cause = error.__cause__
    return f"{said}: {first_line(cause)}" if cause is not None and first_line(cause) not in said else said


@contextmanager
def quiet() -> Iterator[None]:
    """No bars, no advice, and no waiting for minutes from the libraries that read the hub."""
    datasets = extras.load("datasets", "build")
    hub = extras.load("huggingface_hub.utils", "build")
    config = datasets.config
    retries = {
        "STREAMING_READ_MAX_RETRIES": _ATTEMPTS,
        "STREAMING_READ_RETRY_INTERVAL": _PAUSE_SECONDS,
        "STREAMING_OPEN_MAX_RETRIES": _ATTEMPTS,
        "STREAMING_OPEN_RETRY_INTERVAL": _PAUSE_SECONDS,
    }
    before = {name: getattr(config, name) for name in retries if hasattr(config, name)}
    logs = [(log, log.get_verbosity()) for log in (datasets.logging, hub.logging)]
    bars = [one for one in (datasets, hub) if not one.are_progress_bars_disabled()]
    try:
        for name in before:
            setattr(config, name, retries[name])
        for log, _ in logs:
            log.set_verbosity(log.CRITICAL)
        for one in bars:
            one.disable_progress_bars()
        yield
    finally:
        for name, value in before.items():
            setattr(config, name, value)
        for log, level in logs:
            log.set_verbosity(level)
        for one in bars:
            one.enable_progress_bars()
