"""Datasets on a hub, found at one commit and streamed file by file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.datasets.hub_shard import HubSelection, HubShard, with_cause
from portrait.corpus.datasets.hub_url import SCHEME, HubDataset
from portrait.corpus.datasets.quiet import quiet
from portrait.corpus.datasets.stream import first_line
from portrait.errors import CorpusError, PortraitError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Shard

#: For a request that the hub answers at once.
_TIMEOUT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class FoundDataset:
    """A dataset's shards, and what the manifest records about its revision."""

    shards: list[Shard]
    revision: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Repository:
    """A dataset on the hub: its full name, a commit, its date, and the sizes of its files in bytes."""

    name: str
    commit: str
    date: str | None
    sizes: dict[str, int | None]

    @property
    def url(self) -> str:
        return f"{SCHEME}{self.name}"

    def size_of(self, path: str) -> int | None:
        """Return the size of a file, given its URL."""
        return self.sizes.get(path.removeprefix(f"{self.url}@{self.commit}/"))


def find(dataset: HubDataset, columns: Columns) -> FoundDataset:
    """Find a dataset's commit, splits and files.

    Args:
        dataset: What the location names.
        columns: The columns of text, unless the location names others, and those to keep.

    Raises:
        SpecError: The location names its columns of text wrongly.
        CorpusError: The hub does not have the dataset or cannot be reached, the account may not read it, or
            it has several configurations or splits and none is named.
    """
    dataset.columns(columns)  # Raises before anything is requested.
    with quiet():
        repository = _look_up(dataset)
        builder, streams = _load(dataset, repository)
    splits = _chosen(dataset, list(streams))
    selection = HubSelection(
        dataset, repository.url, repository.commit, repository.date, builder.config.name, tuple(splits)
    )
    paths = builder.config.data_files or {}
    # A shard takes the builder along to its process, which does not need the names of all files.
    builder.config.data_files = None
    shards: list[Shard] = []
    for split in splits:
        files = [str(path) for path in paths.get(split, ())]
        for label, n_bytes, stream in _files(streams[split], files, dataset.url, repository):
            shards.append(HubShard(stream, builder, selection, columns, label, n_bytes))
    return FoundDataset(shards, selection.revision())


def _files(
    stream: Any, paths: list[str], url: str, repository: _Repository
) -> Iterator[tuple[str, int | None, Any]]:
    """Yield the label, the size and the stream of each of a split's files."""
    n_shards = stream.num_shards
    for i in range(n_shards):
        label, n_bytes = f"{url}, shard {i + 1} of {n_shards}", None
        if len(paths) == n_shards:
            label, n_bytes = paths[i], repository.size_of(paths[i])
        yield label, n_bytes, stream.shard(num_shards=n_shards, index=i)


def _look_up(dataset: HubDataset) -> _Repository:
    """Look up the commit of a dataset's revision, or of its main branch."""
    hub = extras.load("huggingface_hub", "build")
    errors = extras.load("huggingface_hub.errors", "build")
    url = dataset.url
    try:
        info = hub.HfApi().dataset_info(
            dataset.name, revision=dataset.revision, timeout=_TIMEOUT_SECONDS, files_metadata=True
        )
    except errors.GatedRepoError as error:
        raise _gated(url) from error
    except errors.RepositoryNotFoundError as error:
        raise _unknown(url) from error
    except errors.RevisionNotFoundError as error:
        raise CorpusError(
            f"{url}: no revision {dataset.revision!r}: name a branch, a tag or a commit of the dataset"
        ) from error
    except errors.HFValidationError as error:
        raise CorpusError(f"{url}: {first_line(error)}") from error
    except errors.OfflineModeIsEnabled as error:
        raise CorpusError(f"{url}: HF_HUB_OFFLINE is set: unset it, or name files instead") from error
    except errors.HfHubHTTPError as error:
        if error.response is not None and error.response.status_code == 401:
            raise _unknown(url) from error  # The hub's answer to users who are not logged in.
        raise CorpusError(f"{url}: the hub refused: {first_line(error)}") from error
    except Exception as error:  # of the HTTP client, which differs between versions
        endpoint = hub.constants.ENDPOINT
        raise CorpusError(
            f"{url}: cannot reach the hub at {endpoint}: {first_line(error)}: check the network"
        ) from error
    sizes = {file.rfilename: file.size for file in info.siblings or ()}
    return _Repository(info.id, info.sha, _utc(info.last_modified), sizes)


def _utc(time: datetime | None) -> str | None:
    """Return a time in UTC as ISO 8601 writes it, to the second."""
    return None if time is None else time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _load(dataset: HubDataset, repository: _Repository) -> tuple[Any, Any]:
    """Return the builder of a dataset, and its streams by split."""
    datasets = extras.load("datasets", "build")
    try:
        # The scheme keeps the library from taking a local directory of this name.
        builder = datasets.load_dataset_builder(repository.url, dataset.config, revision=repository.commit)
        # If the hub fails now, the library takes what an earlier program left in its cache.
        if builder.hash != repository.commit:
            raise CorpusError(f"{dataset.url}: the hub did not answer: try again")
        return builder, builder.as_streaming_dataset()
    except PortraitError:
        raise
    except Exception as error:
        raise _not_loaded(dataset, repository, error) from error


def _gated(url: str) -> CorpusError:
    return CorpusError(
        f"{url}: the dataset is gated: request access on its page, "
        "and log in with 'hf auth login' or HF_TOKEN"
    )


def _unknown(url: str) -> CorpusError:
    return CorpusError(
        f"{url}: no such dataset, or not one that you may read: check its name, and log in with "
        "'hf auth login' or HF_TOKEN if it is private"
    )


def _not_loaded(dataset: HubDataset, repository: _Repository, error: Exception) -> CorpusError:
    """Return what is wrong with a dataset whose files the library could not look through."""
    if "gated dataset" in str(error):
        return _gated(dataset.url)
    configs = _configs(repository) if isinstance(error, ValueError) else []
    if dataset.config is None and len(configs) > 1:
        return CorpusError(
            f"{dataset.url}: several configurations, {', '.join(configs)}: "
            f"choose one, such as {dataset.url}?config={configs[0]}"
        )
    if dataset.config is not None and configs and dataset.config not in configs:
        return CorpusError(f"{dataset.url}: no configuration {dataset.config!r}, only {', '.join(configs)}")
    return CorpusError(f"{dataset.url}: cannot be loaded: {with_cause(error)}")


def _configs(repository: _Repository) -> list[str]:
    """Return the names of a dataset's configurations; none if they cannot be listed."""
    datasets = extras.load("datasets", "build")
    try:
        return list(datasets.get_dataset_config_names(repository.url, revision=repository.commit))
    except Exception:
        return []


def _chosen(dataset: HubDataset, splits: list[str]) -> list[str]:
    """Return the splits that the location names, or the only one."""
    shown = ", ".join(splits)
    if dataset.split is None:
        if len(splits) == 1:
            return splits
        config = f"config={dataset.config}&" if dataset.config else ""
        raise CorpusError(
            f"{dataset.url}: several splits, {shown}: choose one, such as "
            f"{dataset.url}?{config}split={splits[0]}, or split=all"
        )
    if dataset.split == "all" and "all" not in splits:
        return splits
    chosen = list(dict.fromkeys(dataset.split.split("+")))
    for split in chosen:
        if split not in splits:
            raise CorpusError(f"{dataset.url}: no split {split!r}, only {shown}")
    return chosen
