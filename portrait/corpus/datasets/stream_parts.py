"""Whether the shards of a ``datasets.IterableDataset`` together have exactly its rows."""

from __future__ import annotations

from typing import Any

#: Steps of a stream whose shards together give the rows of the whole, by the names ``datasets`` gives them.
#: Others count rows (take, skip), number them, or stop when one of several streams ends.
_SAFE_STEPS = {
    "ArrowExamplesIterable",
    "BufferShuffledExamplesIterable",
    "ExamplesIterable",
    "FormattedExamplesIterable",
    "InterleavedShardsExamplesIterable",
    "SelectColumnsIterable",
    "VerticallyConcatenatedMultiSourcesExamplesIterable",
}
_SAFE_IF_ROW_BY_ROW = {"FilteredExamplesIterable", "MappedExamplesIterable"}
_SAFE_IF_COMPLETE = {
    "CyclingMultiSourcesExamplesIterable",
    "RandomlyCyclingMultiSourcesExamplesIterable",
}


def n_parts(stream: Any) -> int:
    """Return into how many shards a stream can be divided without changing its rows."""
    # A node's part of a stream has its own shards, but would be cut out of all nodes' rows.
    if getattr(stream, "_distributed", None) is not None or epoch(stream):
        return 1
    return int(stream.num_shards) if _is_safe(getattr(stream, "_ex_iterable", None)) else 1


def epoch(stream: Any) -> int:
    """Return the epoch that a stream is in, on which its order may depend."""
    return int(getattr(stream, "epoch", None) or 0)


def _is_safe(step: Any) -> bool:
    """Return whether a step of a stream, and each step before it, may be divided."""
    name = type(step).__name__
    if name in _SAFE_IF_ROW_BY_ROW:
        safe = not (step.batched or step.with_indices)
    elif name in _SAFE_IF_COMPLETE:
        safe = step.stopping_strategy == "all_exhausted_without_replacement"
    elif name == "RebatchedArrowExamplesIterable":
        safe = not step.drop_last_batch
    else:
        safe = name in _SAFE_STEPS
    inner = [*getattr(step, "ex_iterables", ()), getattr(step, "ex_iterable", None)]
    return safe and all(_is_safe(one) for one in inner if one is not None)
