"""A portrait's way beside a model: pushed, pulled, trusted, asked, served, added to and pushed again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import mlcroissant
import pytest
from portrait_server import create_app
from support.hub_stand_in import LAST_MODIFIED, StandIn, serving
from support.openssl import needs_openssl

import portrait

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from conftest import Cli

TALE = "The keeper of the northern light wrote a letter to the harbour master every Sunday evening. " * 6
SAGA = "Seven sisters sailed around the cape with nothing but a loaf of bread and a box of matches. " * 6
ABROAD = "Nobody in the valley had ever seen an elephant, and nobody there believed the postman either. " * 3
WEIGHTS = b"weights of a model " * 100
PAGE = b"---\nlicense: mit\n---\n# A model\n"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A hub with a model of the user's and a dataset, and a working directory."""
    monkeypatch.chdir(tmp_path)
    with serving() as stand_in:
        stand_in.tokens["token"] = "org"
        stand_in.add_model("org/model", {"README.md": PAGE, "model.safetensors": WEIGHTS})
        rows = [{"text": TALE}, {"text": "A second row of the dataset, which says something else. " * 4}]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        stand_in.add("org/tales", {"train.jsonl": lines.encode()})
        for name, value in {
            "HF_ENDPOINT": stand_in.url,
            "HF_HOME": str(tmp_path / "builder"),
            "HF_TOKEN": "token",
            "HF_HUB_DISABLE_XET": "1",
        }.items():
            monkeypatch.setenv(name, value)
        yield stand_in


def openssl(*arguments: str) -> None:
    """Run OpenSSL's command."""
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def done(cli: Cli, *arguments: str | os.PathLike[str], code: int = 0) -> str:
    """Run a command that exits with this code, and return its output."""
    # What reads a dataset asks the hub that was named when its library was loaded.
    result = cli(*arguments) if arguments[0] == "build" else cli.here(*arguments)
    assert result.code == code, result
    return result.out


def check_descriptions(hub: StandIn, sources: set[str]) -> None:
    """Check the card, the Croissant file and the summary that the hub has."""
    files = hub.models["org/model"].files()
    manifest = json.loads(files["portrait/portrait.json"])
    commit = hub.repositories["org/tales"].branches["main"]
    assert {layer["source"] for layer in manifest["layers"]} == sources
    card = files["portrait/README.md"].decode()
    assert f"Id: `{manifest['id']}`" in card
    assert f"https://huggingface.co/datasets/org/tales/tree/{commit}" in card
    assert "portrait query hf://org/model/portrait " in card
    assert card.endswith("\nWritten by the builder.\n")
    described = mlcroissant.Dataset(json.loads(files["portrait/croissant.json"]))
    assert described.metadata.issues.errors == set()
    croissant = files["portrait/croissant.json"].decode()
    assert manifest["id"] in croissant
    assert commit in croissant
    summary = files["portrait/training-summary.md"].decode()
    assert manifest["id"] in summary
    assert LAST_MODIFIED[:10] in summary
    for source in sources:
        assert source in card
        assert source in summary


@needs_openssl
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_a_portrait_travels_with_its_model(
    hub: StandIn, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A builder publishes a portrait of a dataset beside the model.
    done(
        cli,
        "build",
        "tales=hf://datasets/org/tales",
        "-o",
        "p.portrait",
        "-q",
        "--trained-model",
        "org/model",
    )
    with Path("p.portrait/README.md").open("a") as card:
        card.write("\nWritten by the builder.\n")
    done(cli, "card", "p.portrait", "--training-summary", "-o", "p.portrait/training-summary.md")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem")
    openssl("ec", "-in", "key.pem", "-pubout", "-out", "key.pub")
    Path("weights").mkdir()
    Path("weights/model.safetensors").write_bytes(WEIGHTS)
    done(cli, "sign", "p.portrait", "--private-key", "key.pem", "--weights", "weights")
    pushed = json.loads(done(cli, "push", "p.portrait", "org/model", "--path", "portrait", "--json"))
    files = hub.models["org/model"].files()
    assert (files["README.md"], files["model.safetensors"]) == (PAGE, WEIGHTS)
    check_descriptions(hub, {"tales"})

    # Somebody else, with an empty cache and without a token, trusts it, asks it and serves it.
    monkeypatch.setenv("HF_HOME", str(tmp_path / "stranger"))
    monkeypatch.delenv("HF_TOKEN")
    address = pushed["address"]
    verified = json.loads(
        done(cli, "verify", address, "--public-key", "key.pub", "--weights", "weights", "--json")
    )
    assert verified["signature"]["weights_checked"] == ["model.safetensors"]
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "other.pem")
    openssl("ec", "-in", "other.pem", "-pubout", "-out", "other.pub")
    assert "key" in cli.here("verify", address, "--public-key", "other.pub").err
    assert done(cli, "query", address, TALE).startswith("FOUND")
    assert done(cli, "query", "hf://org/model", ABROAD, code=1).startswith("NOT FOUND")
    assert "portrait   portrait\n" in done(cli, "info", address)
    Path("rows.jsonl").write_text(json.dumps({"text": TALE}) + "\n" + json.dumps({"text": ABROAD}) + "\n")
    rows = [json.loads(line) for line in done(cli, "scan", address, "rows.jsonl").splitlines()]
    assert [row["verdict"] for row in rows] == ["found", "not_found"]
    assert "1 of 2 rows" in done(cli, "report", address, "rows.jsonl")
    client = create_app({"PORTRAITS": [address]}).test_client()
    answer = client.post("/v1/query", json={"texts": [TALE]})
    assert answer.json is not None
    assert answer.json["answers"][0]["verdict"] == "found"

    # The builder pulls it, adds to it, signs and pushes it again.
    monkeypatch.setenv("HF_TOKEN", "token")
    Path("saga.txt").write_text(SAGA)
    done(cli, "pull", "hf://org/model/portrait", "-o", "q.portrait")
    assert portrait.verify("q.portrait", public_key="key.pub").id == portrait.open("p.portrait").manifest.id
    done(cli, "add", "q.portrait", "sagas=saga.txt", "-q")
    assert "signs another version" in cli.here("push", "q.portrait", "org/model", "--path", "portrait").err
    done(cli, "sign", "q.portrait", "--private-key", "key.pem", "--weights", "weights")
    again = json.loads(done(cli, "push", "q.portrait", "org/model", "--path", "portrait", "--json"))
    assert [path for path in again["unchanged"] if "tales" in path] != []
    check_descriptions(hub, {"sagas", "tales"})
    compared = json.loads(done(cli, "compare", address, "hf://org/model/portrait", "--json"))
    assert {one["source"]: one["presence"] for one in compared["sources"]} == {
        "sagas": "added",
        "tales": "identical",
    }

    # The stranger gets the new one by the branch, and still the old one by its commit.
    monkeypatch.setenv("HF_HOME", str(tmp_path / "stranger"))
    assert done(cli, "query", "hf://org/model", SAGA).startswith("FOUND")
    assert done(cli, "query", address, SAGA, code=1).startswith("NOT FOUND")
    portrait.verify("hf://org/model", public_key="key.pub")
    assert hub.leaked == []
