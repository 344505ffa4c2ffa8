"""The library follows the description of the format: a reader written from it alone agrees."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import xxhash
from support import second_reader
from support.places import GOLDEN, ROOT

import portrait
from portrait import FilterSpec, Minimizer, Stride, WindowSpec

if TYPE_CHECKING:
    from pathlib import Path

ALPHABET = "abcdeFGHIJ  \t\n\u3000éÉe\u0301京都Ωßﬁ½İᾴ\u0345\u00ad…’´🚢\ufe0f\u0323"
BUILDS: list[dict[str, Any]] = [
    {},
    {"max_shard_bytes": 4096},
    {
        "max_shard_bytes": 6000,
        "windows": WindowSpec(20, Stride(7), "byte", "none"),
        "filter": FilterSpec(fpr=0.001),
    },
    {"max_shard_bytes": 4096, "windows": WindowSpec(13, Stride(5), "char", "none")},
    {"windows": WindowSpec(31, Stride(30), "byte", "spaces"), "filter": FilterSpec(fpr=0.3)},
    {"filter": FilterSpec("ribbon")},
    {"windows": WindowSpec(24, Minimizer(11), "char", "loose")},
    {
        "windows": WindowSpec(5, Stride(3), "word", "loose"),
        "filter": FilterSpec("ribbon"),
        "max_shard_bytes": 4096,
    },
    {"windows": WindowSpec(4, Minimizer(4), "word", "none")},
    {"windows": WindowSpec(unit="byte", normalizer="none")},
    {"windows": WindowSpec(9, Minimizer(1), "byte", "spaces"), "max_shard_bytes": 4096},
    {"windows": WindowSpec(5, Minimizer(2), "word", "loose")},
    {"filter": FilterSpec("ribbon", 2.0**-13), "windows": WindowSpec(40, Stride(9))},
    {"short_documents": True},
]


def text(seed: int, n_chars: int) -> str:
    """Return a random text, the same for the same seed."""
    return "".join(random.Random(seed).choices(ALPHABET, k=n_chars))


@pytest.fixture(scope="module", params=range(len(BUILDS)))
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait of three random texts, each a source, for each way to build one."""
    directory = tmp_path_factory.mktemp("bundle")
    for i in range(3):
        (directory / f"{i}.txt").write_text(text(i, 40_000 >> 4 * i), encoding="utf-8", newline="")
    sources = {str(i): directory / f"{i}.txt" for i in range(3)}
    portrait.build(sources, directory / "out", **BUILDS[request.param])
    return directory / "out"


def test_the_second_reader_does_not_import_the_library() -> None:
    names = vars(second_reader)
    assert not any(getattr(value, "__name__", "").startswith("portrait") for value in names.values())


def test_layers_have_one_shard_or_several(bundle: Path) -> None:
    reader = second_reader.Reader(bundle)
    n_shards = [len(layer.shards) for layer in reader.layers.values()]
    assert n_shards[-1] == 1
    assert n_shards[0] == 1 or n_shards[0] > 2


def test_both_readers_find_the_same_hits(bundle: Path) -> None:
    reader, opened = second_reader.Reader(bundle), portrait.open(bundle)
    questions = [text(i, n)[start:] for i in range(4) for n, start in ((150, 0), (2000, 700))]
    for one in [*questions, "", "short", text(0, 900) + text(1, 900) + text(2, 150)]:
        assert reader.hits(one) == opened.hits(one)


def test_both_readers_recognise_the_documents(bundle: Path) -> None:
    reader, opened = second_reader.Reader(bundle), portrait.open(bundle)
    for i in range(3):
        one = text(i, 40_000 >> 4 * i)
        assert reader.documents(one)[str(i)]
        assert opened.query(one).exact_document


def test_both_readers_agree_on_which_documents_have_keys(bundle: Path) -> None:
    reader, opened = second_reader.Reader(bundle), portrait.open(bundle)
    for one in ("", "abc", text(9, 12), text(9, 400)):
        known = set(reader.documents(one).values())
        expected = True if True in known else None if None in known else False
        assert opened.query(one).exact_document is expected


def test_both_readers_agree_on_ids_and_digests(bundle: Path) -> None:
    reader = second_reader.Reader(bundle)
    assert reader.id() == reader.manifest["id"] == portrait.open(bundle).manifest.id
    assert reader.manifest_sha256() == reader.manifest["manifest_sha256"]


def test_the_second_reader_refuses_samplings_it_does_not_know() -> None:
    record = {"width": 50, "sampling": "minimizer", "span": 42, "unit": "char"}
    for change in ({"sampling": "dice"}, {"unit": "verse"}, {"span": 0}, {"width": 7}):
        with pytest.raises(second_reader.Refused):
            second_reader.Windows(record | change)
    with pytest.raises(KeyError):
        second_reader.Windows({"width": 50, "stride": 25, "unit": "char"})


def test_both_readers_ask_the_same_windows_of_real_text() -> None:
    command = [sys.executable, "second_reader.py", "--small"]
    done = subprocess.run(command, cwd=ROOT / "benchmarks", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (counts,) = re.findall(r"^([\d,]+) of ([\d,]+) windows, ([\d,]+) of them hits", done.stdout)
    agreeing, asked, hits = (int(count.replace(",", "")) for count in counts)
    assert agreeing == asked >= 10_000
    assert 1000 < hits < asked


@pytest.mark.parametrize("name", ["defaults", "two_sources"])
def test_both_readers_agree_on_golden_bundles(name: str) -> None:
    reader, opened = second_reader.Reader(GOLDEN / name), portrait.open(GOLDEN / name)
    one = "The bakery on the corner opens at five. By six the street smells of rye and caraway, and more."
    assert reader.hits(one) == opened.hits(one)
    assert any(map(any, reader.hits(one).values()))


def test_the_second_reader_confirms_the_rates_of_ribbon_filters(bundle: Path) -> None:
    for layer in second_reader.Reader(bundle).layers.values():
        if isinstance(layer, second_reader.RibbonLayer):
            assert layer.rate() == pytest.approx(layer.record["fpr"], rel=1e-12)


def test_the_second_reader_confirms_the_test_vectors(bundle: Path) -> None:
    for layer in second_reader.Reader(bundle).layers.values():
        vectors = layer.record["test_vectors"]
        assert all(layer.holds(int(key, 16)) for key in vectors["present"])
        assert not any(layer.holds(int(key, 16)) for key in vectors["absent"])


def test_the_second_reader_finds_the_smallest_keys_in_the_sketch(bundle: Path) -> None:
    reader = second_reader.Reader(bundle)
    short = reader.layers["2"].record["document_keys"] == "all"
    for i in range(3):
        one = reader.normalize(text(i, 40_000 >> 4 * i))
        parts = reader.windows.parts(one)
        stored = reader.windows.stored(parts)
        keys = {reader.windows.key(parts, at) for at in stored}
        if stored or short:
            keys.add(xxhash.xxh3_64_intdigest(one.encode(), seed=1))
        layer = reader.layers[str(i)]
        assert list(layer.sketch()) == sorted(keys)[:16384]
        assert all(map(layer.holds, layer.sketch()[:200]))


def test_both_readers_compare_sketches_alike(tmp_path: Path) -> None:
    whole = "".join(random.Random(1).choices("abcdefghij ", k=60_000))
    for name, content in (("whole", whole), ("half", whole[:30_000])):
        (tmp_path / f"{name}.txt").write_text(content, encoding="utf-8")
        windows = WindowSpec(20, Stride(2), normalizer="none")
        portrait.build(tmp_path / f"{name}.txt", tmp_path / name, windows=windows)
    a, b = (second_reader.Reader(tmp_path / name).layers["main"] for name in ("whole", "half"))
    assert len(a.sketch()) == 16384 > len(b.sketch())
    found = portrait.compare(tmp_path / "whole", tmp_path / "half").overlap
    assert found is not None
    assert found.a_in_b.value == second_reader.share_in(a, b) == pytest.approx(0.5, abs=0.02)
    assert found.b_in_a.value == second_reader.share_in(b, a) > 0.99
