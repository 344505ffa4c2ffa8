"""Datasets on a hub, by their URLs, served by a stand-in: sources, revisions, and errors of the hub."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.hub_corpora import ERRORS, HF, LINES, TWO, environment, parquet, rows, run
from support.hub_stand_in import Repository, StandIn

import portrait
from portrait.corpus.resolve import resolve
from portrait.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

    from portrait.bundle.manifest import Layer


class Built(NamedTuple):
    """The result of a build in another process: the portrait's id and its corpus record."""

    id: str
    corpus: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Built:
        manifest = portrait.open(path).manifest
        return cls(manifest.id, manifest.corpus)


def build(cli: Cli, hub: StandIn, *arguments: str) -> Built:
    """Run ``portrait build`` with these sources and options, against the stand-in."""
    done = cli(
        "build", *arguments, "-o", "out", "--overwrite", "-q", environment=environment(hub.url, cli.directory)
    )
    assert done == (0, "", "")
    return Built.read(cli.directory / "out")


def from_files(directory: Path, *files: bytes, **options: Any) -> str:
    """Return the id of the portrait of local files with this content, Parquet or compressed JSON Lines."""
    (directory / "files").mkdir(exist_ok=True)
    paths = []
    for i, data in enumerate(files):
        suffix = "parquet" if data.startswith(b"PAR1") else "jsonl.gz"
        paths.append(directory / "files" / f"{len(files)}-{i}.{suffix}")
        paths[-1].write_bytes(data)
    return portrait.build(paths, directory / "local", overwrite=True, **options).manifest.id


def train(files: dict[str, bytes] = TWO) -> list[bytes]:
    """Return the contents of the files of the configuration ``en``, split ``train``."""
    return [data for name, data in files.items() if name.startswith("en/train")]


def test_a_dataset_on_a_hub_has_the_portrait_of_its_files(cli: Cli, hub: StandIn, tmp_path: Path) -> None:
    url = f"{HF}/org/two?config=en&split=train"
    built = build(cli, hub, url)
    assert built.id == from_files(tmp_path, *train())
    sha = hub.repositories["org/two"].branches["main"]
    assert built.corpus == {
        "main": {
            "location": [url],
            "revision": {
                url: {"commit": sha, "date": "2025-02-19T08:30:00Z", "config": "en", "split": "train"}
            },
            "files": [
                {"path": f"{HF}/org/two@{sha}/{name}", "bytes": len(data)}
                for name, data in TWO.items()
                if name.startswith("en/train")
            ],
        }
    }


def test_several_processes_build_the_same_portrait(cli: Cli, hub: StandIn) -> None:
    urls = [f"{HF}/org/two?config=en&split=train", f"lines={HF}/org/lines"]
    by_one_process = build(cli, hub, *urls)
    assert build(cli, hub, *urls, "--workers", "2", "--work-dir", "work") == by_one_process


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
        (layer,) = [
            layer for layer in portrait.open(tmp_path / "out").manifest.layers if layer.source == name
        ]
        assert counts(layer) == counts(local)


def test_all_splits_are_read_on_demand(cli: Cli, hub: StandIn, tmp_path: Path) -> None:
    built = build(cli, hub, f"{HF}/org/two?config=en&split=all")
    assert built.id == from_files(tmp_path, *train(), TWO["en/test.parquet"])


def test_a_revision_stays_the_same_when_the_branch_moves_on(cli: Cli, hub: StandIn, tmp_path: Path) -> None:
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


def test_a_dataset_that_the_hub_does_not_have_is_an_error_of_one_line(hub: StandIn, tmp_path: Path) -> None:
    hub.repositories["org/gated"] = Repository(gated=True)
    hub.repositories["org/gated"].commit(TWO)
    hub.add("org/script", {"script.py": b"import os"})
    hub.add("org/nothing", {"README.md": b"Soon."})
    hub.add("org/broken", {**TWO, "de/all.parquet": TWO["de/all.parquet"][:-9]})
    expected = {
        "org/none": "no such dataset, or not one that you may read",
        "org/gated": "the dataset is gated: request access on its page, and log in",
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
    errors = run(hub, tmp_path, ERRORS, *(f"{HF}/{location}" for location in expected))
    for location, reason in expected.items():
        kind, message = errors[f"{HF}/{location}"]
        assert kind == "CorpusError", message
        where, _, what = message.partition(": ")
        assert where.startswith(f"{HF}/{location.partition('?')[0].partition('@')[0]}"), message
        assert what.startswith(reason), message
        assert message.isprintable()
    assert not (tmp_path / "out").exists()


def test_a_hub_that_cannot_be_reached_is_an_error_at_once(cli: Cli) -> None:
    with socket.socket() as bound:  # a port at which nobody listens
        bound.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{bound.getsockname()[1]}"
        done = cli("build", f"{HF}/org/two", "-o", "out", environment=environment(endpoint, cli.directory))
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert done.err.startswith(f"portrait: error: {HF}/org/two: cannot reach the hub at {endpoint}: ")


def test_no_request_is_sent_in_offline_mode(hub: StandIn, tmp_path: Path) -> None:
    hub.requests.clear()
    url = f"{HF}/org/two"
    errors = run(hub, tmp_path, ERRORS, url, HF_HUB_OFFLINE="1")
    assert errors == {
        url: ["CorpusError", f"{url}: HF_HUB_OFFLINE is set: unset it, or name files instead"],
    }
    assert hub.requests == []


def test_a_local_directory_of_the_same_name_is_not_mistaken_for_the_dataset(
    cli: Cli, hub: StandIn, tmp_path: Path
) -> None:
    (tmp_path / "org" / "lines").mkdir(parents=True)
    (tmp_path / "org" / "lines" / "a.jsonl").write_text('{"text": "not this one"}\n')
    built = build(cli, hub, f"{HF}/org/lines")
    assert built.id == from_files(tmp_path, *LINES.values())


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("", "no dataset"),
        ("@v1", "no dataset"),
        ("org/name@", "no dataset"),
        ("org/name?spilt=train", "unknown parameter 'spilt': choose from config, split, column, revision"),
        ("org/name?split=a&split=b", "'split' is given twice"),
        ("org/name?split=", "'split' is empty"),
        ("org/name@v1?revision=v2", "revision is given twice"),
        ("org/name?column=a,a", "column 'a' is named twice"),
        ("org/name?column=,", "column's name is empty"),
    ],
)
def test_an_invalid_url_is_refused_before_any_request(
    location: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = SimpleNamespace(dataset_info=lambda *_, **__: pytest.fail("a request to the hub"))
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: api)
    with pytest.raises(SpecError, match=message):
        resolve(f"{HF}/{location}")


#: A program that prints the message for each error that the hub's library can raise.
REFUSED = """
import huggingface_hub
from types import SimpleNamespace
from huggingface_hub import errors

def answer(status):
    return {"response": SimpleNamespace(status_code=status, headers={}, request=None)}

errors_of_library = {
    "refused": errors.HfHubHTTPError("503: try later\\nand more", **answer(503)),
    "unknown": errors.HfHubHTTPError("401", **answer(401)),
    "gated": errors.GatedRepoError("x", **answer(403)),
    "invalid": errors.HFValidationError("Repo id must not contain: x\\nand more"),
    "unreachable": OSError("no route"),
}
messages = {}
for name, error in errors_of_library.items():
    def dataset_info(*_, error=error, **__):
        raise error
    huggingface_hub.HfApi = lambda: type("Api", (), {"dataset_info": staticmethod(dataset_info)})
    try:
        resolve("hf://datasets/org/two")
    except portrait.CorpusError as error:
        messages[name] = str(error)
print(json.dumps(messages))
"""


def test_each_refusal_of_the_hub_has_its_message(hub: StandIn, tmp_path: Path) -> None:
    url = f"{HF}/org/two"
    log_in = "log in with 'hf auth login' or HF_TOKEN"
    assert run(hub, tmp_path, REFUSED) == {
        "refused": f"{url}: the hub refused: 503: try later",
        "unknown": f"{url}: no such dataset, or not one that you may read: check its name, and {log_in} "
        "if it is private",
        "gated": f"{url}: the dataset is gated: request access on its page, and {log_in}",
        "invalid": f"{url}: Repo id must not contain: x",
        "unreachable": f"{url}: cannot reach the hub at {hub.url}: no route: check the network",
    }


def test_a_cached_dataset_is_not_mistaken_for_the_one_on_the_hub(hub: StandIn, tmp_path: Path) -> None:
    code = """
import datasets
load = datasets.load_dataset_builder
def other(*arguments, **options):
    builder = load(*arguments, **options)
    builder.hash = "another"
    return builder
datasets.load_dataset_builder = other
try:
    resolve(sys.argv[1])
except portrait.CorpusError as error:
    print(json.dumps(str(error)))
"""
    url = f"{HF}/org/lines"
    assert run(hub, tmp_path, code, url) == f"{url}: the hub did not answer: try again"
