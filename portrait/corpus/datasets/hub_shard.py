"""A file of a dataset on a hub, streamed."""

from __future__ import annotations

import copy
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait.corpus.datasets.pickling import freeze, thaw
from portrait.corpus.datasets.quiet import quiet
from portrait.corpus.datasets.stream import IterableDatasetShard, first_line
from portrait.corpus.datasets.tables import BATCH_BYTES, wanted
from portrait.corpus.shards import FileRecord, Stamp
from portrait.errors import PortraitError, UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.datasets.hub_url import HubDataset
    from portrait.corpus.shards import Chunk, Shard


@dataclass(frozen=True, slots=True)
class HubSelection:
    """Some splits of a dataset at a commit.

    Args:
        dataset: What the location names.
        url: The URL of the dataset by its present name, without parameters.
        commit: The commit.
        date: When the hub says it was last modified, in UTC, if it does.
        config: The configuration.
        splits: The splits, in the order in which they are read.
    """

    dataset: HubDataset
    url: str
    commit: str
    date: str | None
    config: str
    splits: tuple[str, ...]

    def revision(self) -> dict[str, Any]:
        """Return what the manifest records about the dataset."""
        date = {} if self.date is None else {"date": self.date}
        return {"commit": self.commit, **date, "config": self.config, "split": "+".join(self.splits)}

    def stamp(self, columns: Columns) -> Stamp:
        """Return the stamp of every shard that reads these columns."""
        query = f"config={self.config}&split={'+'.join(self.splits)}&column={','.join(columns.text)}"
        return Stamp(f"{self.url}?{query}", (self.commit,))


class HubShard(IterableDatasetShard):
    """A file of a dataset on a hub.

    Args:
        stream: The ``datasets.IterableDataset`` of the file.
        builder: The builder that ``stream`` reads with.
        selection: What the file is a part of.
        columns: The columns that the caller wants.
        label: The file's URL, or its number among all shards.
        n_bytes: The file's size, if known.
    """

    def __init__(
        self,
        stream: Any,
        builder: Any,
        selection: HubSelection,
        columns: Columns,
        label: str,
        n_bytes: int | None,
    ) -> None:
        super().__init__(stream, selection.dataset.columns(columns), label)
        self._builder = builder
        self._selection = selection
        self.n_bytes = n_bytes
        self.files = [] if n_bytes is None else [FileRecord(label, n_bytes)]

    def with_columns(self, columns: Columns) -> HubShard:
        """Return this shard with other columns."""
        return HubShard(self._stream, self._builder, self._selection, columns, self.label, self.n_bytes)

    def stamps(self) -> list[Stamp]:
        """Return the dataset's commit."""
        return [self._selection.stamp(self._columns)]

    def split(self, n_bytes: int) -> list[Shard]:  # noqa: ARG002
        """Return the file alone."""
        return [self]

    def chunks(self) -> Iterator[Chunk]:
        """Read about four megabytes of rows at a time, resuming for about a minute if a connection breaks."""
        left = self.n_bytes or 0
        last: Any = None
        with closing(self._stream_chunks()) as chunks:
            while True:
                # The settings are global: no caller runs while they are changed.
                with quiet():
                    chunk = next(chunks, None)
                if chunk is None:
                    break
                if last is not None:
                    # The library does not tell how much it has read; most files shrink to about a third.
                    last.read_bytes = min(left, BATCH_BYTES // 3)
                    left -= last.read_bytes
                    yield last
                last = chunk
        if last is not None:
            last.read_bytes = left
            yield last

    def _opened(self) -> Any:
        """Return a stream that fetches no other columns of Parquet files than those to read."""
        stream, builder = copy.deepcopy((self._stream, self._builder))
        features = builder.info.features
        is_parquet = any(kind.__name__ == "Parquet" for kind in type(builder).__mro__)
        if is_parquet and features is not None and builder.config.columns is None:
            names = wanted(self._columns, features)
            if names:
                builder.config.columns = names
                builder.info.features = type(features)({name: features[name] for name in names})
        return stream

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except PortraitError:
            raise
        except Exception as error:  # of the HTTP client, the decompressor or the parser
            raise UnreadableFileError(
                f"{self.label}: cannot be read to its end: {with_cause(error)}"
            ) from error

    def __getstate__(self) -> dict[str, Any]:
        # Together, so that the stream still reads with this builder.
        return {**self.__dict__, "_stream": freeze((self._stream, self._builder)), "_builder": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        stream, builder = thaw(state["_stream"])
        self.__dict__.update(state, _stream=stream, _builder=builder)


def with_cause(error: BaseException) -> str:
    """Return the message of an error, and that of its cause unless it repeats it."""
    message = first_line(error)
    cause = error.__cause__
    return f"{message}: {first_line(cause)}" if cause and first_line(cause) not in message else message
