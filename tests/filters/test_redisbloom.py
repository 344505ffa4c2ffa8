"""The filter of RedisBloom: the answers of a real server, and every kind of damage to the header.

A reader in plain Python gives a second opinion, and covers the kinds of filter that current servers no longer
make.
"""

from __future__ import annotations

import itertools
import json
import math
import random
import shutil
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support import oracle
from support.dumps import DOCUMENTS, NAMES, REDISBLOOM, change_block, change_index, hits, part_of, poke
from support.redisbloom_writer import Link, link, read, second_opinion, write

import portrait
from portrait.errors import DamagedBundleError, SpecError, TextError
from portrait.filters.redisbloom import RedisBloom, of_files
from portrait.filters.redisbloom_dump import open_dump

if TYPE_CHECKING:
    from collections.abc import Callable


def server_answers(name: str) -> Any:
    """Return the windows of a filter, and a real server's hits for each of several texts."""
    return json.loads((REDISBLOOM / f"{name}.expected.json").read_text("utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_every_hit_is_a_hit_of_the_server(name: str) -> None:
    truth = server_answers(name)
    opened = portrait.open(REDISBLOOM / name)
    spec = portrait.WindowSpec(truth["width"], portrait.Stride(truth["stride"]), "char", "data-portraits")
    assert opened.spec == spec
    assert len(truth["answers"]) > 20
    for answer in truth["answers"]:
        assert hits(opened, answer["text"]) == answer["hits"]


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_in_plain_python_gives_the_same_hits(name: str) -> None:
    opened = portrait.open(REDISBLOOM / name)
    for text in [*(answer["text"] for answer in server_answers(name)["answers"][:4]), DOCUMENTS[40][:300]]:
        assert hits(opened, text) == second_opinion(REDISBLOOM / name, text, opened.spec.width)


@pytest.mark.parametrize(("name", "n_documents"), [("words.50-50.bf", None), ("words-quip.25-1.bf", 12)])
def test_no_document_of_the_corpus_is_missed(name: str, n_documents: int | None) -> None:
    opened = portrait.open(REDISBLOOM / name)
    for text in DOCUMENTS[:n_documents]:
        text_hits = hits(opened, text)
        assert set(text_hits[:: opened.spec.sampling.gap]) <= {"1"}
        if len(text_hits) > 300:
            (layer,) = opened.query(text).layers
            assert layer.verdict == "found"
            assert layer.fpr == pytest.approx(oracle_rate(REDISBLOOM / name))


def oracle_rate(path: Path) -> float:
    """Return the chance that at least one of the filter's links contains a random window."""
    links, _ = read(path)
    fills = [int.from_bytes(link.data, "little").bit_count() / link.bits for link in links]
    return 1 - math.prod(1 - fill**link.hashes for fill, link in zip(fills, links, strict=True))


def test_the_rate_is_that_of_all_links_together() -> None:
    opened = open_dump(REDISBLOOM / "words-scaling.50-25.bf")
    assert opened.fpr == opened.filter.rate() == pytest.approx(oracle_rate(opened.path), rel=1e-12)


@pytest.mark.parametrize("options", [15, 13, 6, 5, 12, 4, 1, 0])
@pytest.mark.parametrize("n_parts", [1, 3])
def test_every_kind_of_filter_is_read_from_any_number_of_parts(
    options: int, n_parts: int, tmp_path: Path
) -> None:
    wide, rounded = bool(options & 4), not options & 1
    links = [link(60, 0.01, rounded=rounded), link(120, 0.005, rounded=rounded)]
    dice = random.Random(options)
    texts = ["".join(dice.choices("abc ", k=40)) for _ in range(40)]
    for i, text in enumerate(texts[:30]):
        for window in oracle.all_windows(oracle.normalise(text, "data-portraits")[0], oracle.Spec(8, 1))[::8]:
            for at in links[i % 2].positions(window, wide):
                links[i % 2].data[at >> 3] |= 1 << (at & 7)
            links[i % 2].entries += 1
    n_bytes = sum(len(link.data) for link in links)
    # Chunks and parts end anywhere, even within a link.
    parts = [[n_bytes]] if n_parts == 1 else [[40], [10, 53], [n_bytes - 103]]
    path = tmp_path / "made.8-8.bf"
    write(path, links, options, 8, parts)
    opened = portrait.open(path)
    assert opened.facts["hash"]["name"] == ("murmur64a" if wide else "murmur2")
    for text in texts:
        assert hits(opened, text) == second_opinion(path, text, 8)
    assert any("1" in hits(opened, text) for text in texts[:30])


def test_keys_are_refused() -> None:
    dump = open_dump(REDISBLOOM / NAMES[0])
    assert isinstance(dump.filter, RedisBloom)
    with pytest.raises(ValueError, match="a hash of its own"):
        dump.filter.contains(bytes(8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the golden filters, for the test to rename and damage."""
    return Path(shutil.copytree(REDISBLOOM, tmp_path / "dumps"))


def short_header(path: Path) -> None:
    """Shorten the header to less than its fixed part, in the index, too."""
    index = json.loads(path.read_text())
    index["blocks"][0]["block_size"] = 19
    index["bf_info"] = {}
    path.write_text(json.dumps(index))
    data = part_of(path).read_bytes()
    part_of(path).write_bytes(data[:19] + data[73:])


def fewer_bits(path: Path) -> None:
    """Shorten the bits in the part and the index, but not in the header."""
    change_block(1, block_size=22928, iter=22929)(path)
    change_index(bf_info={})(path)
    part_of(path).write_bytes(part_of(path).read_bytes()[:-8])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (fewer_bits, "the header announces 22,936 bytes of bits, but there are 22,928"),
        (short_header, "part0.bin: 19 bytes are too few for a header of 20"),
        (poke(8, "<I", 0), "the header has 0 links instead of 1 to 64"),
        (poke(8, "<I", 1 << 31), "the header has 2,147,483,648 links instead of 1 to 64"),
        (poke(8, "<I", 2), "the header has 73 bytes, but 2 links take 126"),
        (poke(12, "<I", 13 | 16), "unknown options 0x1d in the header"),
        (poke(0, "<Q", 5), "the links' entries do not add up to the 5 of the header"),
        (poke(20, "<Q", 0), "link 0 of the header has 183,488 bits in 0 bytes"),
        (poke(28, "<Q", 0), "link 0 of the header has 0 bits in 22,936 bytes"),
        (poke(28, "<Q", 183489), "link 0 of the header has 183,489 bits in 22,936 bytes"),
        (poke(44, "<d", math.nan), "link 0 of the header aims at a rate of nan"),
        (poke(44, "<d", 0.0), "link 0 of the header aims at a rate of 0.0 with 14.37"),
        (poke(44, "<d", 1.0), "link 0 of the header aims at a rate of 1.0 with 14.37"),
        (poke(52, "<d", math.inf), "link 0 of the header aims at a rate of 0.001 with inf"),
        (poke(52, "<d", 0.0), "link 0 of the header aims at a rate of 0.001 with 0.0 bits"),
        (poke(52, "<d", 1e4), "link 0 of the header aims at a rate of 0.001 with 10000.0 bits"),
        (poke(60, "<I", 0), "link 0 of the header has 0 hashes"),
        (poke(60, "<I", 4_000_000_000), "link 0 of the header has 4,000,000,000 hashes"),
        (poke(72, "<B", 18), "link 0 of the header has 2^18 bits in use, of 183,488"),
        (poke(72, "<B", 64), "link 0 of the header has 2^64 bits in use"),
    ],
)
def test_damage_to_the_header_has_a_named_error(
    damage: Callable[[Path], None], message: str, folder: Path
) -> None:
    path = folder / NAMES[0]
    damage(path)
    with pytest.raises(DamagedBundleError) as caught:
        portrait.open(path)
    assert str(caught.value).startswith(str(folder))
    assert message in str(caught.value)


def many(n_links: int, error: float) -> list[Link]:
    """Return links of one window each, all of whose bits but one are set, so that most probes are made."""
    links = [link(1, error, rounded=False) for _ in range(n_links)]
    for one in links:
        one.data = bytearray(b"\xfe" + b"\xff" * (len(one.data) - 1))
        one.entries = 1
    return links


@pytest.mark.parametrize(
    ("links", "message"),
    [
        (many(65, 0.5), "the header has 65 links instead of 1 to 64"),
        (many(1, 2.0**-128), "link 0 of the header has 129 hashes, of 128 at most"),
        (many(20, 2.0**-102), "20 links with 2,060 hashes, of 2,048 at most"),
    ],
    ids=["links", "hashes", "probes"],
)
def test_a_filter_that_costs_too_much_a_window_is_refused(
    links: list[Link], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "made.8-8.bf"
    write(path, links, 5, 8, [[sum(len(one.data) for one in links)]])
    with pytest.raises(DamagedBundleError) as caught:
        portrait.open(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("links", [many(64, 0.001), many(1, 2.0**-127), many(16, 2.0**-127)])
def test_the_most_expensive_filter_takes_microseconds_a_window(links: list[Link], tmp_path: Path) -> None:
    path = tmp_path / "made.8-8.bf"
    write(path, links, 5, 8, [[sum(len(one.data) for one in links)]])
    opened = portrait.open(path)
    text = "".join(random.Random(1).choices("abcdefgh ", k=10_000))
    start = time.process_time()
    opened.query(text)
    assert time.process_time() - start < 100e-6 * len(text)


def test_random_damage_to_the_header_never_crashes(folder: Path) -> None:
    path, dice = folder / NAMES[0], random.Random(3)
    change_index(bf_info={})(path)
    whole = part_of(path).read_bytes()
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            data[dice.randrange(73)] = dice.randrange(256)
        part_of(path).write_bytes(data)
        try:
            portrait.open(path).query(DOCUMENTS[0])
        except portrait.PortraitError:
            refused += 1
    assert refused > 200


@pytest.mark.parametrize("cuts", [(), (400, 401, 30_000)])
def test_files_without_an_index_are_divided_by_their_header(cuts: tuple[int, ...]) -> None:
    path = REDISBLOOM / "words-scaling.50-25.bf"
    data = part_of(path).read_bytes()
    ends = [0, *cuts, len(data)]
    files = [(path, memoryview(data)[begin:end]) for begin, end in itertools.pairwise(ends)]
    opened, dump = of_files(files), open_dump(path).filter
    assert opened.chain == dump.chain
    windows = oracle.all_windows(oracle.normalise(DOCUMENTS[0], "data-portraits")[0], oracle.Spec(50, 1))
    texts = [window.decode() for window in windows]
    assert opened.contains_windows(texts) == dump.contains_windows(texts)
    assert opened.rate() == dump.rate()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:19], "a.bf: 19 bytes are too few for a header of 20: fetch it again"),
        (lambda data: data[:20], "a.bf: the header has 20 bytes, but 5 links take 285: fetch it again"),
        (
            lambda data: data[:8] + struct.pack("<I", 65) + data[12:],
            "a.bf: the header has 65 links instead of 1 to 64: fetch it again",
        ),
    ],
)
def test_files_without_an_index_that_are_damaged_are_named(
    change: Callable[[bytes], bytes], message: str
) -> None:
    data = part_of(REDISBLOOM / "words-scaling.50-25.bf").read_bytes()
    with pytest.raises(DamagedBundleError) as caught:
        of_files([(Path("a.bf"), memoryview(change(data)))])
    assert str(caught.value) == message


def test_broken_text_is_refused() -> None:
    opened = open_dump(REDISBLOOM / NAMES[0]).filter
    with pytest.raises(TextError, match="U\\+D800 at character 1"):
        opened.contains_windows(["a\ud800"])


def test_the_filter_cannot_be_cut_into_pieces() -> None:
    opened = open_dump(REDISBLOOM / NAMES[0]).filter
    with pytest.raises(SpecError, match="keeps the files it came in"):
        opened.pieces(1 << 20)
