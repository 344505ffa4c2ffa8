"""Datasets on a hub, by their URLs: a stand-in serves them, and nothing else can be reached."""

from __future__ import annotations

import gzip
import io
import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.hub_stand_in import Repository, StandIn, serving

import portrait
from portrait.corpus.datasets import hub as urls
from portrait.corpus.resolve import resolve
from portrait.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Cli

    from portrait.bundle.manifest import Layer

HF = "hf://datasets"
CARD = b"""---
configs:
- config_name: en
  data_files:
  - {split: train, path: en/train-*.parquet}
  - {split: test, path: en/test.parquet}
- config_name: de
  data_files:
  - {split: train, path: de/*.parquet}
---
Two languages.
"""


def rows(tag: str, n: int) -> list[dict[str, Any]]:
    return [
        {"text": f"Row {i} of {tag}: " + "é🦀 " * (i % 90), "n": i, "meta": {"text": f"{tag}, {i}. " * 9}}
        for i in range(n)
    ]


def parquet(content: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(content), file)
    return file.getvalue()


def lines(content: list[dict[str, Any]]) -> bytes:
    return gzip.compress("".join(json.dumps(row) + "\n" for row in content).encode())


TWO = {
    "README.md": CARD,
    "en/train-0.parquet": parquet(rows("a", 400)),
    "en/train-1.parquet": parquet(rows("b", 3)),
    "en/train-2.parquet": parquet(rows("c", 150)),
    "en/test.parquet": parquet(rows("d", 50)),
    "de/all.parquet": parquet(rows("e", 60)),
}
LINES = {"data/train.jsonl.gz": lines(rows("f", 300)), "data/train-b.jsonl.gz": lines(rows("g", 30))}


@pytest.fixture(scope="module")
def serve() -> Iterator[StandIn]:
    with serving() as stand_in:
        yield stand_in


@pytest.fixture
def hub(serve: StandIn) -> StandIn:
    """The stand-in as it is at first."""
    serve.repositories.clear()
    serve.broken.clear()
    serve.moved.clear()
    serve.add("org/two", TWO)
    serve.add("org/lines", LINES)
    return serve


def environment(endpoint: str, home: Path) -> dict[str, str]:
    """That of a process for which there is no other network than the endpoint."""
    nowhere = "http://127.0.0.1:9"
    return {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home / "home"),
        "HF_TOKEN": "",
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "ALL_PROXY": nowhere,
        "NO_PROXY": "127.0.0.1",
    }


class Built(NamedTuple):
    """What a build in another process left: the portrait's id and its corpus."""

    id: str
    corpus: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Built:
        manifest = portrait.open(path).manifest
        return cls(manifest.id, manifest.corpus)


def build(cli: Cli, hub: StandIn, *arguments: str) -> Built:
    done = cli(
        "build", *arguments, "-o", "out", "--overwrite", "-q", environment=environment(hub.url, cli.directory)
    )
    assert done == (0, "", "")
    return Built.read(cli.directory / "out")


def from_files(directory: Path, *files: bytes, **options: Any) -> str:
    """The id of the portrait of these Parquet or compressed files."""
    (directory / "files").mkdir(exist_ok=True)
    paths = []
    for i, data in enumerate(files):
        suffix = "parquet" if data.startswith(b"PAR1") else "jsonl.gz"
        paths.append(directory / "files" / f"{len(files)}-{i}.{suffix}")
        paths[-1].write_bytes(data)
    return portrait.build(paths, directory / "local", overwrite=True, **options).manifest.id


def train(files: dict[str, bytes] = TWO) -> list[bytes]:
    return [data for name, data in files.items() if name.startswith("en/train")]


def test_a_dataset_on_a_hub_gives_what_its_files_give(cli: Cli, hub: StandIn, tmp_path: Path) -> None:
    url = f"{HF}/org/two?config=en&split=train"
    built = build(cli, hub, url)
    assert built.id == from_files(tmp_path, *train())
    sha = hub.repositories["org/two"].branches["main"]
    assert built.corpus == {
        "main": {
            "location": [url],
            "revision": {url: {"commit": sha, "config": "en", "split": "train"}},
            "files": [
                {"path": f"{HF}/org/two@{sha}/{name}", "bytes": len(data)}
                for name, data in TWO.items()
                if name.startswith("en/train")
            ],
        }
    }


def test_several_processes_build_the_same(cli: Cli, hub: StandIn) -> None:
    urls = [f"{HF}/org/two?config=en&split=train", f"lines={HF}/org/lines"]
    alone = build(cli, hub, *urls)
    assert build(cli, hub, *urls, "--workers", "2", "--work-dir", "work") == alone


def test_a_dataset_that_was_renamed_is_found_by_its_old_name(cli: Cli, hub: StandIn) -> None:
    hub.moved["lines"] = "org/lines"
    built = build(cli, hub, f"{HF}/lines")
    assert built.id == build(cli, hub, f"{HF}/org/lines").id
    assert built.corpus["main"]["files"][0]["path"].startswith(f"{HF}/org/lines@")


def counts(layer: Layer) -> list[Any]:
    return [layer.documents, layer.windows, layer.distinct_keys, layer.text_bytes]


def test_sources_have_their_own_configurations_splits_and_columns(
    cli: Cli, hub: StandIn, tmp_path: Path
) -> None:
    both = f"{HF}/org/two?config=en&split=test+train"
    german = f"{HF}/org/two?config=de&column=meta.text,text"
    built = build(cli, hub, f"en={both}", f"de={german}", f"web={HF}/org/lines", "--column", "text")
    assert list(built.corpus) == ["de", "en", "web"]
    assert built.corpus["en"]["revision"][both]["split"] == "test+train"
    parts = {
        "de": [TWO["de/all.parquet"]],
        "en": [TWO["en/test.parquet"], *train()],
        "web": list(LINES.values()),
    }
    for name, files in parts.items():
        column = ["meta.text", "text"] if name == "de" else "text"
        from_files(tmp_path, *files, column=column)
        (local,) = portrait.open(tmp_path / "local").manifest.layers
        (layer,) = [one for one in portrait.open(tmp_path / "out").manifest.layers if one.source == name]
        assert counts(layer) == counts(local)


def test_all_splits_are_taken_when_it_is_said(cli: Cli, hub: StandIn, tmp_path: Path) -> None:
    built = build(cli, hub, f"{HF}/org/two?config=en&split=all")
    assert built.id == from_files(tmp_path, *train(), TWO["en/test.parquet"])


def test_a_revision_stays_what_it_was_when_the_branch_moves_on(
    cli: Cli, hub: StandIn, tmp_path: Path
) -> None:
    repository = hub.repositories["org/two"]
    first = repository.branches["main"]
    repository.branches["v1"] = first
    new = {**TWO, "en/train-1.parquet": parquet(rows("new", 9))}
    second = repository.commit(new)
    query = "config=en&split=train"
    for url, sha, files in (
        (f"{HF}/org/two@v1?{query}", first, TWO),
        (f"{HF}/org/two?{query}&revision={first}", first, TWO),
        (f"{HF}/org/two?{query}", second, new),
    ):
        built = build(cli, hub, url)
        assert built.corpus["main"]["revision"][url]["commit"] == sha
        assert built.id == from_files(tmp_path, *train(files))


#: Runs as a program of its own, since ``datasets`` asks its environment only once.
SCRIPT = """
import json, pickle, sys, time
import portrait
from portrait.corpus.resolve import resolve

def texts(shard):
    return [text for chunk in shard.chunks() for text in chunk.batch().texts.to_pylist()]
"""
#: As the command line ends where it has read from a hub, and for the same reason.
END = """
import os
sys.stdout.flush()
os._exit(0)
"""


def run(hub: StandIn, directory: Path, code: str, *arguments: str, **variables: str) -> Any:
    """What a script prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT + code + END, *arguments],
        cwd=directory,
        env={"PATH": "", "PYTHONSAFEPATH": "1", **environment(hub.url, directory), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


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


def test_files_inside_a_dataset_are_files() -> None:
    for location in ("x/y/z.parquet", "x/y/data/*.jsonl", "x/y@main/z.parquet", "x/y@refs/pr/1/z.parquet"):
        assert urls.parse(f"{HF}/{location}") is None
    assert urls.parse("hf://buckets/x/y") is None
    assert urls.parse("data/*.jsonl") is None


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("org/name", urls.HubDataset("org/name")),
        ("org/name/", urls.HubDataset("org/name")),
        ("name", urls.HubDataset("name")),
        ("org/name@v1.0", urls.HubDataset("org/name", revision="v1.0")),
        ("org/name@refs/convert/parquet", urls.HubDataset("org/name", revision="refs/convert/parquet")),
        ("org/name@a%2Fb", urls.HubDataset("org/name", revision="a/b")),
        ("org/name?column=a.b,%20c", urls.HubDataset("org/name", column=("a.b", "c"))),
        (
            "org/name@v1?config=x%26y&split=train+test",
            urls.HubDataset("org/name", "x&y", "train+test", revision="v1"),
        ),
    ],
)
def test_a_url_names_a_dataset(location: str, expected: urls.HubDataset) -> None:
    assert urls.parse(f"{HF}/{location}") == expected


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("", "no dataset"),
        ("@v1", "no dataset"),
        ("org/name@", "no dataset"),
        ("org/name?spilt=train", "unknown parameter 'spilt': choose from config, split, column, revision"),
        ("org/name?split=a&split=b", "'split' stands twice"),
        ("org/name?split=", "'split' is empty"),
        ("org/name@v1?revision=v2", "revision stands twice"),
        ("org/name?column=a,a", "column 'a' is named twice"),
        ("org/name?column=,", "column's name is empty"),
    ],
)
def test_a_url_that_is_wrong_is_refused_before_anything_is_asked(
    location: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urls, "_ask", lambda asked: pytest.fail(f"asked for {asked}"))
    with pytest.raises(SpecError, match=message):
        resolve(f"{HF}/{location}")


ERRORS = """
found = {}
time.sleep = lambda seconds: None  # the client waits between attempts
for url in sys.argv[1:]:
    try:
        portrait.build(url, "out")
    except portrait.PortraitError as error:
        found[url] = [type(error).__name__, str(error)]
print(json.dumps(found))
"""


def test_what_the_hub_does_not_have_is_said_in_one_line(hub: StandIn, tmp_path: Path) -> None:
    hub.repositories["org/gated"] = Repository(gated=True)
    hub.repositories["org/gated"].commit(TWO)
    hub.add("org/script", {"script.py": b"import os"})
    hub.add("org/nothing", {"README.md": b"Soon."})
    hub.add("org/broken", {**TWO, "de/all.parquet": TWO["de/all.parquet"][:-9]})
    expected = {
        "org/none": "no such dataset, or none that you may read",
        "org/gated": "the dataset is gated: ask for access on its page, and log in",
        "org/two@v9": "no revision 'v9'",
        "org/two": f"several configurations, en, de: choose one, such as {HF}/org/two?config=en",
        "org/two?config=fr": "no configuration 'fr', only en, de",
        "org/two?config=en": f"several splits, train, test: choose one, such as {HF}/org/two?config=en&",
        "org/two?config=en&split=dev": "no split 'dev', only train, test",
        "org/two?config=en&split=train[:10%]": "no split 'train[:10%]', only train, test",
        "org/two?config=de&column=body": "no column 'body', only text, n, meta.text: choose",
        "org/two?config=de&column=n": "column 'n' is int64, not text",
        "org/lines?column=body": "no column 'body', only text, n, meta.text",
        "org/lines?config=fr": "no configuration 'fr', only default",
        "org/script": "cannot be loaded: Dataset scripts are no longer supported, but found script.py",
        "org/nothing": "cannot be loaded: ",
        "org/broken?config=de": "cannot be loaded: ",
    }
    found = run(hub, tmp_path, ERRORS, *(f"{HF}/{location}" for location in expected))
    for location, message in expected.items():
        kind, said = found[f"{HF}/{location}"]
        assert kind == "CorpusError", said
        where, _, what = said.partition(": ")
        assert where.startswith(f"{HF}/{location.partition('?')[0].partition('@')[0]}"), said
        assert what.startswith(message), said
        assert said.isprintable()
    assert not (tmp_path / "out").exists()


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


def test_a_hub_that_is_not_there_is_given_up_at_once(cli: Cli) -> None:
    with socket.socket() as bound:  # to a port that nobody listens at
        bound.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{bound.getsockname()[1]}"
        done = cli("build", f"{HF}/org/two", "-o", "out", environment=environment(endpoint, cli.directory))
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert done.err.startswith(f"portrait: error: {HF}/org/two: cannot reach the hub at {endpoint}: ")


def test_offline_the_hub_is_not_asked(hub: StandIn, tmp_path: Path) -> None:
    hub.requests.clear()
    url = f"{HF}/org/two"
    found = run(hub, tmp_path, ERRORS, url, HF_HUB_OFFLINE="1")
    assert found == {
        url: ["CorpusError", f"{url}: HF_HUB_OFFLINE is set: unset it, or name files instead"],
    }
    assert hub.requests == []


def test_a_directory_of_the_same_name_is_not_taken_for_the_dataset(
    cli: Cli, hub: StandIn, tmp_path: Path
) -> None:
    (tmp_path / "org" / "lines").mkdir(parents=True)
    (tmp_path / "org" / "lines" / "a.jsonl").write_text('{"text": "not this one"}\n')
    built = build(cli, hub, f"{HF}/org/lines")
    assert built.id == from_files(tmp_path, *LINES.values())
