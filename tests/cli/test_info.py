"""``portrait info``: facts about a portrait, for people and as JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import portrait

if TYPE_CHECKING:
    from conftest import Cli


def test_info_lists_facts_about_the_portrait(room: portrait.Portrait, cli: Cli) -> None:
    result = cli("info", room.path)
    assert (result.code, result.err) == (0, "")
    facts = dict(re.findall(r"^(\S+(?: by)?) +(.*)$", result.out.partition("\n\n")[0], flags=re.MULTILINE))
    assert facts["portrait"] == "room"
    assert facts["id"] == room.manifest.id
    assert facts["windows"].startswith("50 characters, ")
    assert "42" in facts["windows"]
    assert facts["windows"].endswith(", after normaliser spaces")
    assert facts["guarantee"] == (
        "every verbatim passage of 91 characters or more (runs of white space counted as one) is a hit"
    )
    assert facts["licence"] == "CC0-1.0"
    assert facts["trained"] == "ada, bob"
    assert facts["built by"] == f"portrait {portrait.__version__}"
    sketches = [layer.sketch for layer in room.manifest.layers if layer.sketch is not None]
    n_keys = sum(layer.distinct_keys for layer in room.manifest.layers)
    assert (
        facts["sketch"] == f"{n_keys} keys, {sum(one.bytes for one in sketches)} B, for comparing portraits"
    )


def test_info_says_which_layers_have_a_sketch(room: portrait.Portrait, cli: Cli) -> None:
    bits = portrait.FilterSpec("pybloom")
    portrait.add(room.path, {"bits": room.path.parent / "signs.txt"}, filter=bits)
    assert re.search(r"^sketch +\d+ keys of 2 layers, ", cli("info", room.path).out, flags=re.MULTILINE)
    portrait.drop(room.path, ["signs", "walls"])
    assert "\nsketch     none: its keys cannot be compared with others\n" in cli("info", room.path).out


def test_info_has_a_row_for_every_layer(room: portrait.Portrait, cli: Cli) -> None:
    header, *rows = cli("info", room.path).out.partition("\n\n")[2].splitlines()
    names = re.split(r" {2,}", header)
    table = [dict(zip(names, re.split(r" {2,}", row), strict=True)) for row in rows]
    assert table == [
        {
            "source": layer.source,
            "filter": "bloom",
            "documents": "1",
            "text": {"signs": "1.16 kB", "walls": "1.94 kB"}[layer.source],
            "windows": f"{layer.windows}",
            "distinct keys": f"{layer.distinct_keys}",
            "rate": f"{layer.fpr:.3%}",
            "size": f"{(room.path / layer.shards[0].file).stat().st_size} B",
        }
        for layer in room.manifest.layers
    ]


def test_info_as_json_is_the_manifest_on_one_line(room: portrait.Portrait, cli: Cli) -> None:
    result = cli("info", room.path, "--json")
    assert (result.code, result.err, result.out.count("\n")) == (0, "", 1)
    assert json.loads(result.out) == json.loads((room.path / "portrait.json").read_bytes())
