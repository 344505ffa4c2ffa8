"""Files of datasets on a hub: read at a fixed commit, by several processes, and only as far as needed."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from support.hub_corpora import ERRORS, HF, TWO, parquet, rows, run

from portrait.corpus.columns import Columns
from portrait.corpus.datasets.hub_shard import HubSelection
from portrait.corpus.datasets.hub_url import HubDataset

if TYPE_CHECKING:
    from pathlib import Path

    from support.hub_stand_in import StandIn


def test_other_processes_read_the_commit_that_was_resolved(hub: StandIn, tmp_path: Path) -> None:
    code = """
(source,) = resolve(sys.argv[1])
parts = [part for shard in source.shards for part in shard.split(1)]
assert all(part.stamps() == parts[0].stamps() and not part.read_once for part in parts)
stamps = [stamp.to_json() for stamp in parts[0].stamps()]
print(json.dumps([stamps, [pickle.dumps(part).hex() for part in parts]]))
"""
    url = f"{HF}/org/two?config=en&split=train"
    stamps, parts = run(hub, tmp_path, code, url)
    again, _ = run(hub, tmp_path, code, url)
    sha = hub.repositories["org/two"].branches["main"]
    assert stamps == again == [[f"{HF}/org/two?config=en&split=train&column=text", sha]]
    # Somebody replaces the data between finding the files and reading them.
    hub.repositories["org/two"].commit({**TWO, **dict.fromkeys(list(TWO)[1:], parquet(rows("new", 1)))})
    read = run(
        hub,
        tmp_path,
        "print(json.dumps([texts(pickle.loads(bytes.fromhex(part))) for part in sys.argv[1:]]))",
        *parts,
    )
    assert read == [[row["text"] for row in rows(tag, n)] for tag, n in (("a", 400), ("b", 3), ("c", 150))]
    changed, _ = run(hub, tmp_path, code, url)
    assert changed != stamps
    other, _ = run(hub, tmp_path, code, f"{HF}/org/two@{sha}?config=en&split=train&column=meta.text")
    assert other != stamps


def test_the_bytes_read_add_up_to_the_files_sizes(hub: StandIn, tmp_path: Path) -> None:
    code = """
(source,) = resolve(sys.argv[1])
read = [sum(chunk.read_bytes for chunk in shard.chunks()) for shard in source.shards]
print(json.dumps([source.n_bytes, read]))
"""
    big = parquet([{"text": f"{i} " * 200_000} for i in range(30)])
    hub.add("org/big", {"train-0.parquet": big, "train-1.parquet": TWO["en/test.parquet"]})
    sizes = [len(big), len(TWO["en/test.parquet"])]
    assert run(hub, tmp_path, code, f"{HF}/org/big") == [sum(sizes), sizes]


def wide() -> bytes:
    """Return a Parquet file whose column ``picture`` is far larger than what a client reads ahead."""
    table = pa.table({"text": ["x" * 100], "picture": [os.urandom(30_000_000)], "name": ["y" * 100]})
    file = io.BytesIO()
    pq.write_table(table, file, compression="none")
    return file.getvalue()


def test_only_the_wanted_columns_of_parquet_are_fetched(hub: StandIn, tmp_path: Path) -> None:
    code = """
(shard,) = resolve(sys.argv[1])[0].shards
print(json.dumps(texts(pickle.loads(pickle.dumps(shard)))))
"""
    hub.add("org/wide", {"train.parquet": wide()})
    hub.sent.clear()
    assert run(hub, tmp_path, code, f"{HF}/org/wide") == ["x" * 100]
    assert 0 < hub.sent["train.parquet"] < 15_000_000


def test_other_columns_are_read_without_looking_the_dataset_up_again(hub: StandIn, tmp_path: Path) -> None:
    code = """
from portrait.corpus import rows
source = rows.read(sys.argv[1])
other = source.with_columns(["name"], keep=["text"])
again = rows.read(sys.argv[1], columns=["name"], keep=["text"]) if sys.argv[2:] else other
assert other.revisions == source.revisions and other.files == source.files
readings = (source, other, source)
contents = [[[row.text, row.values] for batch in reading for row in batch.rows] for reading in readings]
stamps = [stamp.to_json() for stamp in other.stamps()]
print(json.dumps([contents, stamps, again.stamps() == other.stamps()]))
"""
    commit = hub.add("org/wide", {"train.parquet": wide()})
    url = f"{HF}/org/wide"
    hub.requests.clear()
    contents, stamps, _ = run(hub, tmp_path, code, url)
    x, y = "x" * 100, "y" * 100
    assert contents == [[[x, {}]], [[y, {"text": x}]], [[x, {}]]]
    assert stamps == [[f"{url}?config=default&split=train&column=name", commit]]
    n_lookups = sum("/api/datasets/org/wide" in request for request in hub.requests)
    assert run(hub, tmp_path, code, url, "again")[2]
    assert sum("/api/datasets/org/wide" in request for request in hub.requests) > 2 * n_lookups


#: A function that returns all settings of the libraries that a reader changes.
STATE = """
import datasets, huggingface_hub.utils
def state():
    config = {name: getattr(datasets.config, name) for name in dir(datasets.config) if "STREAMING_" in name}
    return [
        config,
        datasets.logging.get_verbosity(),
        huggingface_hub.utils.logging.get_verbosity(),
        datasets.are_progress_bars_disabled(),
        huggingface_hub.utils.are_progress_bars_disabled(),
    ]
"""


def test_interleaved_readers_restore_the_libraries_settings(hub: StandIn, tmp_path: Path) -> None:
    code = (
        STATE
        + """
first, second = (shard.chunks() for source in resolve(sys.argv[1:]) for shard in source.shards)
states = [state()]
next(first)
states.append(state())
next(second)
states.append(state())
first.close()
states.append(state())
n_left = len(list(second))
states.append(state())
print(json.dumps([n_left, states]))
"""
    )
    big = parquet([{"text": f"{i} " * 200_000} for i in range(30)])
    for name in ("org/one", "org/other"):
        hub.add(name, {"train.parquet": big})
    n_left, states = run(hub, tmp_path, code, f"{HF}/org/one", f"{HF}/org/other")
    assert n_left > 1
    assert states == [states[0]] * 5


def test_a_broken_connection_to_the_hub_is_named(hub: StandIn, tmp_path: Path) -> None:
    files = {"org/two?config=en&split=train": "en/train-2.parquet", "org/lines": "data/train.jsonl.gz"}
    hub.broken |= set(files.values())
    errors = run(hub, tmp_path, ERRORS, *(f"{HF}/{location}" for location in files))
    for location, file in files.items():
        repository = hub.repositories[location.partition("?")[0]]
        kind, message = errors[f"{HF}/{location}"]
        assert kind == "UnreadableFileError", message
        url = f"{HF}/{location.partition('?')[0]}@{repository.branches['main']}/{file}"
        assert message.startswith(f"{url}: cannot be read to its end: "), message
        assert message.isprintable()


def test_a_revision_has_no_date_that_the_hub_does_not_state() -> None:
    dataset = HubDataset("org/two")
    undated = HubSelection(dataset, f"{HF}/org/two", "c0ffee", None, "en", ("test", "train"))
    assert undated.revision() == {"commit": "c0ffee", "config": "en", "split": "test+train"}
    dated = replace(undated, date="2025-02-19T08:30:00Z")
    assert dated.revision() == {**undated.revision(), "date": "2025-02-19T08:30:00Z"}
    assert dated.stamp(Columns()) == undated.stamp(Columns())
