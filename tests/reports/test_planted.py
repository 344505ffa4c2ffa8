"""A report on a real benchmark, some of whose rows were planted into a real corpus.

The oracle is an exact search: every window that the corpus stores, as a set of strings, and no
filter. The texts are not part of the project; where they are not at hand, this is skipped.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support import oracle
from support.places import TEXTS

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

#: Where the texts are: beside the project, unless the environment says otherwise.
FILES = ["gsm8k-test.jsonl", "gsm8k-train.jsonl", "wikitext-2-test.txt"]
WIDTH, STRIDE = 50, 25
EVALUE = 1e-5
N_PLANTED = 60


class Planted(NamedTuple):
    """A benchmark, the corpus that some of its rows were planted into, and which rows these are.

    Rows are numbered from 0. The long ones are longer than what can be told from chance.
    """

    rows: list[dict[str, str]]
    documents: dict[str, list[str]]
    long: set[int]
    short: set[int]


@pytest.fixture(scope="module")
def texts() -> Path:
    missing = [name for name in FILES if not (TEXTS / name).exists()]
    if missing:
        pytest.skip(f"no {missing[0]} in {TEXTS}: PORTRAIT_TEXTS names the directory that holds it")
    return TEXTS


def rows_of(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def rewrapped(text: str, rng: random.Random) -> str:
    """The same words, otherwise broken into lines and spaced."""
    return "".join(rng.choice(["\n", "  ", "\n\n  ", "\t", " "]) if c == " " else c for c in text)


def normalized(text: str) -> str:
    spaces = "".join(oracle.WHITE_SPACE)
    return re.sub(f"[{spaces}]+", " ", unicodedata.normalize("NFC", text)).strip(" ")


@pytest.fixture(scope="module")
def planted(texts: Path) -> Planted:
    rng = random.Random(20)
    rows = rows_of(texts / "gsm8k-test.jsonl")
    # The threshold decides how long a passage must be to be told from chance in a row of this size.
    lengths = [len(normalized(row["question"])) for row in rows]
    long = set(rng.sample([i for i, n in enumerate(lengths) if n >= 175], N_PLANTED))
    short = set(rng.sample([i for i, n in enumerate(lengths) if n < 120], 10))
    wiki = (texts / "wikitext-2-test.txt").read_text(encoding="utf-8")
    places = sorted(rng.sample(range(len(wiki)), len(long | short)))
    pieces, at = [], 0
    for i, place in zip(rng.sample(sorted(long | short), len(places)), places, strict=True):
        text = rows[i]["question"]
        if i in long and rng.random() < 0.35:
            text += "\n" + rows[i]["answer"]
        if rng.random() < 0.5:
            text = rewrapped(text, rng)
        pieces += [wiki[at:place], text]
        at = place
    train = [f"{row['question']}\n{row['answer']}" for row in rows_of(texts / "gsm8k-train.jsonl")]
    return Planted(rows, {"wiki": ["".join([*pieces, wiki[at:]])], "train": train}, long, short)


@pytest.fixture(scope="module")
def stored(planted: Planted) -> dict[str, set[str]]:
    """Every window that the corpus stores, for each source."""
    found: dict[str, set[str]] = {}
    for source, documents in planted.documents.items():
        windows = found.setdefault(source, set())
        for document in map(normalized, documents):
            last = len(document) - WIDTH
            if last >= 0:
                windows.update(document[i : i + WIDTH] for i in {*range(0, last + 1, STRIDE), last})
    return found


def longest_chain(text: str, windows: set[str]) -> int:
    """The most windows in a row, a stride apart, that are really in the corpus."""
    best = 0
    chains: dict[int, int] = {}
    for i in range(len(text) - WIDTH + 1):
        if text[i : i + WIDTH] in windows:
            chains[i] = chains.get(i - STRIDE, 0) + 1
            best = max(best, chains[i])
    return best


def test_all_planted_rows_are_named_and_no_others(
    planted: Planted, stored: dict[str, set[str]], texts: Path, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "wiki.txt").write_text(planted.documents["wiki"][0], encoding="utf-8")
    train = "".join(json.dumps({"text": text}) + "\n" for text in planted.documents["train"])
    (tmp_path / "train.jsonl").write_text(train, encoding="utf-8")
    assert cli("build", "wiki=wiki.txt", "train=train.jsonl", "-o", "c.portrait", "-q").code == 0

    data = texts / "gsm8k-test.jsonl"
    files = ["--json", "r.json", "--html", "r.html", "--clean", "c.jsonl", "--contaminated", "d.jsonl"]
    options = ["--benchmark", "gsm8k", "--worst", "2000", "--fail-over", "0.04"]
    # 60 of 1319 rows are 4.5 %.
    assert cli("report", "c.portrait", data, *options, *files) == (1, "", "")

    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    named = {row["number"] - 1: row for row in report["worst"]}
    joined = [normalized(f"{row['question']}\n{row['answer']}") for row in planted.rows]
    chains = [{name: longest_chain(text, windows) for name, windows in stored.items()} for text in joined]

    # Every long planted row, and the source it was planted into.
    assert planted.long <= set(named)
    for i in planted.long:
        (layer,) = [one for one in named[i]["answer"]["layers"] if one["source"] == "wiki"]
        assert layer["verdict"] == "found"

    # No row is named without windows that really stand in the corpus: a chain of the filter may
    # have one window at its end that chance put there, but E-values make two too many.
    epsilon = max(layer["fpr"] for layer in report["portraits"][0]["layers"])
    for i, row in named.items():
        best = max(match["windows"] for layer in row["answer"]["layers"] for match in layer["matches"])
        assert best >= 3
        assert max(chains[i].values()) >= best - 1, planted.rows[i]

    # And none that has a chain long enough in truth is left out.
    for i, text in enumerate(joined):
        enough = next(k for k in range(1, 99) if 2 * (len(text) - WIDTH + 1) * epsilon**k <= EVALUE)
        if max(chains[i].values()) >= enough:
            assert i in named

    # Of rows planted in part, too short to tell from chance, nothing is claimed but their verdict:
    # what is not found is shorter than the length stated.
    opened = portrait.open(tmp_path / "c.portrait")
    for i in planted.short - set(named):
        row = planted.rows[i]
        answer = opened.query(f"{row['question']}\n{row['answer']}", evalue=EVALUE)
        assert answer.detectable_length is not None
        assert len(normalized(row["question"])) < answer.detectable_length

    assert report["totals"]["found"]["count"] == len(named)
    assert report["totals"]["expected_by_chance"] < 0.02
    lines = data.read_bytes().splitlines(keepends=True)
    assert (tmp_path / "d.jsonl").read_bytes() == b"".join(lines[i] for i in sorted(named))
    clean = b"".join(line for i, line in enumerate(lines) if i not in named)
    assert (tmp_path / "c.jsonl").read_bytes() == clean
