"""Files of datasets on a hub: read at their commit, by several processes, to their end."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from support.hub_corpora import ERRORS, HF, TWO, parquet, rows, run

if TYPE_CHECKING:
    from pathlib import Path

    from support.hub_stand_in import StandIn


def test_other_processes_read_the_commit_that_was_found(hub: StandIn, tmp_path: Path) -> None:
    code = """
(source,) = resolve(sys.argv[1])
parts = [part for shard in source.shards for part in shard.split(1)]
assert all(part.stamps() == parts[0].stamps() and not part.read_once for part in parts)
print(json.dumps([parts[0].stamps(), [pickle.dumps(part).hex() for part in parts]]))
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
    other, _ = run(
        hub,
        tmp_path,
        code,
        f"{url}@{sha}?config=en&split=train&column=meta.text".replace("?config=en&split=train@", "@"),
    )
    assert other != stamps


def test_what_is_read_adds_up_to_the_files_sizes(hub: StandIn, tmp_path: Path) -> None:
    code = """
(source,) = resolve(sys.argv[1])
read = [sum(chunk.read_bytes for chunk in shard.chunks()) for shard in source.shards]
print(json.dumps([source.n_bytes, read]))
"""
    big = parquet([{"text": f"{i} " * 200_000} for i in range(30)])
    hub.add("org/big", {"train-0.parquet": big, "train-1.parquet": TWO["en/test.parquet"]})
    sizes = [len(big), len(TWO["en/test.parquet"])]
    assert run(hub, tmp_path, code, f"{HF}/org/big") == [sum(sizes), sizes]


def test_of_parquet_only_the_wanted_columns_are_fetched(hub: StandIn, tmp_path: Path) -> None:
    wide = pa.table({"text": ["x" * 100], "picture": [bytes(range(256)) * 4000]})
    file = io.BytesIO()
    pq.write_table(wide, file, compression="none")
    hub.add("org/wide", {"train.parquet": file.getvalue()})
    assert run(
        hub,
        tmp_path,
        """
(shard,) = resolve(sys.argv[1])[0].shards
names = [chunk._rows.schema.names for chunk in shard.chunks()]
print(json.dumps([names, shard._stream._ex_iterable.generate_tables_fn.__self__.config.columns]))
""",
        f"{HF}/org/wide",
    ) == [[["text"]], ["text"]]


def test_a_hub_that_breaks_off_is_said_to(hub: StandIn, tmp_path: Path) -> None:
    files = {"org/two?config=en&split=train": "en/train-2.parquet", "org/lines": "data/train.jsonl.gz"}
    hub.broken |= set(files.values())
    found = run(hub, tmp_path, ERRORS, *(f"{HF}/{location}" for location in files))
    for location, file in files.items():
        repository = hub.repositories[location.partition("?")[0]]
        kind, said = found[f"{HF}/{location}"]
        assert kind == "UnreadableFileError", said
        url = f"{HF}/{location.partition('?')[0]}@{repository.branches['main']}/{file}"
        assert said.startswith(f"{url}: cannot be read to its end: "), said
        assert said.isprintable()
