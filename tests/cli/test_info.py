"""``portrait info``: facts about a portrait, for people and as JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

NOTICE = (
    "The reading room closes at six; whoever is found behind the atlas will be asked to read from it. " * 4
)


@pytest.fixture
def built(tmp_path: Path) -> portrait.Portrait:
    """A portrait of two layers, whose maker means well."""
    for name, n in {"signs": 3, "walls": 5}.items():
        (tmp_path / f"{name}.txt").write_text(NOTICE * n)
    sources = {name: tmp_path / f"{name}.txt" for name in ("signs", "walls")}
    return portrait.build(
        sources, tmp_path / "room.portrait", license="CC0-1.0", trained_models=["ada", "bob"]
    )


def test_info_tells_a_person_what_the_portrait_is(built: portrait.Portrait, cli: Cli) -> None:
    done = cli("info", built.path)
    assert (done.code, done.err) == (0, "")
    facts = dict(re.findall(r"^(\S+(?: by)?) +(.*)$", done.out.partition("\n\n")[0], flags=re.MULTILINE))
    assert facts["portrait"] == "room"
    assert facts["id"] == built.manifest.id
    assert facts["windows"] == "50 characters, every 25, after normaliser spaces"
    assert facts["guarantee"] == "every verbatim passage of 74 characters or more is a hit"
    assert facts["licence"] == "CC0-1.0"
    assert facts["trained"] == "ada, bob"
    assert facts["built by"] == f"portrait {portrait.__version__}"


def test_info_has_a_row_for_every_layer(built: portrait.Portrait, cli: Cli) -> None:
    header, *rows = cli("info", built.path).out.partition("\n\n")[2].splitlines()
    names = re.split(r" {2,}", header)
    found = [dict(zip(names, re.split(r" {2,}", row), strict=True)) for row in rows]
    assert found == [
        {
            "source": layer.source,
            "filter": "bloom",
            "documents": "1",
            "text": {"signs": "1.16 kB", "walls": "1.94 kB"}[layer.source],
            "windows": f"{layer.windows}",
            "distinct keys": f"{layer.distinct_keys}",
            "rate": f"{layer.fpr:.3%}",
            "size": f"{(built.path / layer.shards[0].file).stat().st_size} B",
        }
        for layer in built.manifest.layers
    ]


def test_info_as_json_is_the_manifest_on_one_line(built: portrait.Portrait, cli: Cli) -> None:
    done = cli("info", built.path, "--json")
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    assert json.loads(done.out) == json.loads((built.path / "portrait.json").read_bytes())
