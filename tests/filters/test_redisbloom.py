"""Filters of the original Data Portraits library: the answers of a real server, and every damage.

``golden/redisbloom`` was dumped by the original library from RedisBloom 2.4.3; ``.expected.json``
holds what that server answered about every window of some texts. A reader in plain Python stands
beside them as a second opinion, and for the kinds of filter that today's server no longer makes.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from support import oracle
from support.places import GOLDEN
from support.redisbloom_writer import link, read, second_opinion, write

import portrait
from portrait.cli.main import cli, run
from portrait.errors import DamagedBundleError, NotAPortraitError, SpecError, UnsupportedBundleError
from portrait.filters.redisbloom import RedisBloom
from portrait.filters.redisbloom_dump import open_dump

if TYPE_CHECKING:
    from collections.abc import Callable

REDISBLOOM = GOLDEN / "redisbloom"
NAMES = ["words.50-50.bf", "words-quip.25-1.bf", "words-scaling.50-25.bf", "words-legacy.50-50.bf"]
DOCUMENTS = [
    json.loads(line)["text"] for line in (REDISBLOOM / "corpus.jsonl").read_text("utf-8").splitlines()
]


# --- The answers ------------------------------------------------------------------------------------


def hits(opened: portrait.Portrait, text: str) -> str:
    """The hits of a portrait with one layer, in the fixtures' notation."""
    (found,) = opened.hits(text).values()
    return "".join(map(str, found))


def expected(name: str) -> Any:
    return json.loads((REDISBLOOM / f"{name}.expected.json").read_text("utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_every_hit_is_the_server_s(name: str) -> None:
    truth = expected(name)
    opened = portrait.open(REDISBLOOM / name)
    spec = portrait.WindowSpec(truth["width"], truth["stride"], "char", "data-portraits")
    assert opened.spec == spec
    assert len(truth["answers"]) > 20
    for answer in truth["answers"]:
        assert hits(opened, answer["text"]) == answer["hits"]


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_in_plain_python_says_the_same(name: str) -> None:
    opened = portrait.open(REDISBLOOM / name)
    for text in [*(answer["text"] for answer in expected(name)["answers"][:4]), DOCUMENTS[40][:300]]:
        assert hits(opened, text) == second_opinion(REDISBLOOM / name, text, opened.spec.width)


@pytest.mark.parametrize(("name", "n_documents"), [("words.50-50.bf", None), ("words-quip.25-1.bf", 12)])
def test_no_document_of_the_corpus_is_missed(name: str, n_documents: int | None) -> None:
    opened = portrait.open(REDISBLOOM / name)
    for text in DOCUMENTS[:n_documents]:
        found = hits(opened, text)
        assert set(found[:: opened.spec.stride]) <= {"1"}
        if len(found) > 300:
            (layer,) = opened.query(text).layers
            assert layer.verdict == "found"
            assert layer.fpr == pytest.approx(oracle_rate(REDISBLOOM / name))


def oracle_rate(path: Path) -> float:
    """How often some link holds a window of which nothing is known."""
    links, _ = read(path)
    fills = [int.from_bytes(link.data, "little").bit_count() / link.bits for link in links]
    return 1 - math.prod(1 - fill**link.hashes for fill, link in zip(fills, links, strict=True))


def test_the_rate_is_that_of_all_links_together() -> None:
    opened = open_dump(REDISBLOOM / "words-scaling.50-25.bf")
    assert opened.fpr == opened.filter.rate() == pytest.approx(oracle_rate(opened.path), rel=1e-12)


def test_a_filter_is_one_source_named_as_its_file() -> None:
    opened = portrait.open(REDISBLOOM / NAMES[0])
    assert (opened.name, opened.sources) == ("words.50-50", ("words.50-50",))
    assert not opened.is_bundle
    assert repr(opened) == f"Portrait({str(opened.path)!r}, sources=['words.50-50'])"
    answer = opened.query(DOCUMENTS[0])
    assert (answer.verdict, answer.exact_document) == ("found", False)
    assert answer.layers[0].source == "words.50-50"


def test_a_filter_and_a_bundle_answer_together(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(DOCUMENTS[3], encoding="utf-8")
    windows = portrait.WindowSpec(50, 50, normalizer="data-portraits")
    built = portrait.build(tmp_path / "a.txt", tmp_path / "a.portrait", windows=windows)
    answer = portrait.query([built, portrait.open(REDISBLOOM / NAMES[0])], DOCUMENTS[3])
    first, second = answer.layers
    assert [first.portrait, second.portrait] == ["a", "words.50-50"]
    assert [match.start for match in first.matches] == [match.start for match in second.matches]
    assert answer.exact_document


@pytest.mark.parametrize("options", [13, 5, 12, 4, 1, 0])
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
    # Chunks and parts that end anywhere, also in the middle of a link.
    parts = [[n_bytes]] if n_parts == 1 else [[40], [10, 53], [n_bytes - 103]]
    path = tmp_path / "made.8-8.bf"
    write(path, links, options, 8, parts)
    opened = portrait.open(path)
    assert opened.facts["hash"]["name"] == ("murmur64a" if wide else "murmur2")
    for text in texts:
        assert hits(opened, text) == second_opinion(path, text, 8)
    assert any("1" in hits(opened, text) for text in texts[:30])


def test_it_knows_no_keys() -> None:
    dump = open_dump(REDISBLOOM / NAMES[0])
    assert isinstance(dump.filter, RedisBloom)
    with pytest.raises(ValueError, match="a hash of its own"):
        dump.filter.contains(bytes(8))


def test_it_has_no_manifest_but_facts() -> None:
    opened = portrait.open(REDISBLOOM / "words-scaling.50-25.bf")
    with pytest.raises(UnsupportedBundleError, match="has no manifest: see its facts"):
        _ = opened.manifest
    facts = opened.facts
    assert (facts["format"], facts["entries"]) == ("redisbloom", 25274)
    assert facts["windows"] == {"width": 50, "stride": 25, "unit": "char"}
    assert [known["hashes"] for known in facts["links"]] == [11, 12, 13, 14, 15]
    assert 0.499 < facts["links"][0]["fill"] < 0.505


# --- Width and stride -------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the fixtures, to be renamed and damaged."""
    return Path(shutil.copytree(REDISBLOOM, tmp_path / "dumps"))


def renamed(folder: Path, name: str) -> Path:
    """The first fixture's index under another name; its parts keep theirs."""
    return (folder / NAMES[0]).rename(folder / name)


def test_the_stride_is_given_where_the_name_has_none(folder: Path) -> None:
    path = renamed(folder, "words.bf")
    with pytest.raises(
        SpecError, match=r"words\.bf: the stride is not in the file's name .* give the stride"
    ):
        portrait.open(path)
    opened = portrait.open(path, stride=50)
    assert (opened.spec.width, opened.spec.stride) == (50, 50)
    with pytest.raises(SpecError, match="stride must be a whole number"):
        portrait.open(path, stride=0)


def test_a_name_that_contradicts_the_index_is_not_believed(folder: Path) -> None:
    path = renamed(folder, "words.40-20.bf")
    with pytest.raises(SpecError, match="the name says windows of 40 characters and the index of 50"):
        portrait.open(path)
    assert portrait.open(path, stride=50).spec.width == 50


def test_the_older_form_has_its_width_in_the_name_only(folder: Path) -> None:
    for suffix in (".bf", ".bf.idx"):
        (folder / f"words-legacy.50-50{suffix}").rename(folder / f"legacy{suffix}")
    with pytest.raises(SpecError, match="nothing says how wide its windows are: name it NAME"):
        portrait.open(folder / "legacy.bf", stride=50)


def test_a_bundle_has_a_stride_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some text.")
    built = portrait.build(tmp_path / "a.txt", tmp_path / "a.portrait")
    assert portrait.open(built.path, stride=25).spec == built.spec
    with pytest.raises(SpecError, match="was built with a stride of 25, not 50"):
        portrait.open(built.path, stride=50)


def test_files_of_a_hub_s_cache_are_symbolic_links(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for number, file in enumerate(sorted(folder.glob("words.50-50.bf*"))):
        file.rename(folder / f"blob{number}")
        (cache / file.name).symlink_to(folder / f"blob{number}")
    assert portrait.open(cache / NAMES[0]).query(DOCUMENTS[0]).verdict == "found"


# --- Damage -----------------------------------------------------------------------------------------


def change_index(**fields: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))

    return change


def change_block(i: int, **fields: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        index = json.loads(path.read_text())
        index["blocks"][i] |= fields
        path.write_text(json.dumps(index))

    return change


def change_info(**fields: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        index = json.loads(path.read_text())
        index["bf_info"] |= fields
        path.write_text(json.dumps(index))

    return change


def part_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.part0.bin")


def poke(offset: int, layout: str, value: float) -> Callable[[Path], None]:
    """Overwrite a field of the header; the index repeats nothing of it then."""

    def change(path: Path) -> None:
        change_index(bf_info={})(path)
        data = bytearray(part_of(path).read_bytes())
        struct.pack_into(layout, data, offset, value)
        part_of(path).write_bytes(data)

    return change


def short_header(path: Path) -> None:
    """A header that ends before its struct does, in files that agree about it."""
    index = json.loads(path.read_text())
    index["blocks"][0]["block_size"] = 19
    index["bf_info"] = {}
    path.write_text(json.dumps(index))
    data = part_of(path).read_bytes()
    part_of(path).write_bytes(data[:19] + data[73:])


def cut(path: Path) -> None:
    data = part_of(path).read_bytes()
    part_of(path).write_bytes(data[:-1])


def grow(path: Path) -> None:
    with part_of(path).open("ab") as file:
        file.write(b"\0")


def fewer_bits(path: Path) -> None:
    """Index and part agree; the header wants more."""
    change_block(1, block_size=22928, iter=22929)(path)
    change_index(bf_info={})(path)
    part_of(path).write_bytes(part_of(path).read_bytes()[:-8])


def come_back(path: Path) -> None:
    blocks = json.loads(path.read_text())["blocks"]
    first, last = (
        {**blocks[1], "part_file": "other", "block_size": 8, "iter": 9},
        {**blocks[1], "block_num": 2},
    )
    change_index(blocks=[blocks[0], first, {**last, "block_size": 22928}])(path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: part_of(path).unlink(), "part0.bin: the part is missing: fetch it, too"),
        (cut, "part0.bin: 23,008 bytes instead of 23,009: fetch it again"),
        (grow, "part0.bin: 23,010 bytes instead of 23,009: fetch it again"),
        (lambda path: part_of(path).write_bytes(b""), "part0.bin: 0 bytes instead of 23,009"),
        (
            lambda path: path.write_text("{"),
            ".bf: not an index: it is not JSON and there is no words.50-50.bf.idx",
        ),
        (lambda path: path.write_bytes(b"\xff\0"), ".bf: not an index: it is not JSON"),
        (lambda path: path.write_text("[" * 100_000), ".bf: not an index: it is not JSON"),
        (lambda path: path.write_text("[]"), ".bf: not an index: it lists no blocks"),
        (change_index(blocks=[]), ".bf: not an index: it lists no blocks"),
        (change_index(blocks=[7]), "block 0: block_size is None, not a size"),
        (change_index(width=None), "width is None, not a number of characters"),
        (change_index(width=0), "width is 0, not a number of characters"),
        (change_index(bf_info=[]), "bf_info is not an object"),
        (change_block(1, block_size=0), "block 1: block_size is 0, not a size"),
        (change_block(1, block_size=-5), "block 1: block_size is -5, not a size"),
        (change_block(1, block_size=True), "block 1: block_size is True, not a size"),
        (change_block(1, block_size=1 << 70), "block 1: block_size is 1180591620717411303424, not a size"),
        (change_block(1, block_size=22928), "block 1 does not follow the one before it"),
        (change_block(1, iter=5), "block 1 does not follow the one before it"),
        (change_block(1, block_num=2), "block 1 is out of order"),
        (change_block(1, part_file="../x"), "block 1: part_file '../x' is not a plain file name"),
        (change_block(1, part_file=".."), "block 1: part_file '..' is not a plain file name"),
        (change_block(1, part_file=3), "block 1: part_file 3 is not a plain file name"),
        (change_block(1, part_file="a\0"), "is not a plain file name"),
        (change_block(1, part_file="b.bin"), "part0.bin: 23,009 bytes instead of 73"),
        (come_back, "block 2 goes back to 'words.50-50.bf.part0.bin'"),
        (change_info(hashes=11), ".bf: hashes is 11, but 10 in the header"),
        (change_info(bits=8), ".bf: bits is 8, but 183488 in the header"),
        (change_info(options=5), ".bf: options is 5, but 13 in the header"),
        (fewer_bits, "the header wants 22,936 bytes of bits, but there are 22,928"),
        (short_header, "part0.bin: 19 bytes are too few for a header of 20"),
        (poke(8, "<I", 0), "the header has 0 links instead of 1 to 1,024"),
        (poke(8, "<I", 1 << 31), "the header has 2,147,483,648 links instead of 1 to 1,024"),
        (poke(8, "<I", 2), "the header has 73 bytes, but 2 links take 126"),
        (poke(12, "<I", 13 | 16), "unknown options 0x1d in the header"),
        (poke(0, "<Q", 5), "the links' entries do not add up to the 5 of the header"),
        (poke(20, "<Q", 0), "link 0 of the header has 183,488 bits in 0 bytes"),
        (poke(28, "<Q", 0), "link 0 of the header has 0 bits in 22,936 bytes"),
        (poke(28, "<Q", 183489), "link 0 of the header has 183,489 bits in 22,936 bytes"),
        (poke(44, "<d", math.nan), "link 0 of the header aims at a rate of nan"),
        (poke(52, "<d", math.inf), "link 0 of the header aims at a rate of 0.001 with inf"),
        (poke(60, "<I", 0), "link 0 of the header has 0 hashes"),
        (poke(60, "<I", 4_000_000_000), "link 0 of the header has 4,000,000,000 hashes"),
        (poke(72, "<B", 18), "link 0 of the header has 2^18 bits in use, of 183,488"),
        (poke(72, "<B", 64), "link 0 of the header has 2^64 bits in use"),
    ],
)
def test_damage_has_a_named_error(damage: Callable[[Path], None], message: str, folder: Path) -> None:
    path = folder / NAMES[0]
    damage(path)
    with pytest.raises(DamagedBundleError) as caught:
        portrait.open(path)
    assert str(caught.value).startswith(str(folder))
    assert message in str(caught.value)


def test_the_older_form_is_checked_as_well(folder: Path) -> None:
    path, index = folder / "words-legacy.50-50.bf", folder / "words-legacy.50-50.bf.idx"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedBundleError, match=r"legacy\.50-50\.bf: 2,000 bytes instead of 2,001"):
        portrait.open(path)
    index.write_text("[")
    with pytest.raises(DamagedBundleError, match=r"legacy\.50-50\.bf\.idx: not an index: it is not JSON"):
        portrait.open(path)
    index.unlink()
    with pytest.raises(DamagedBundleError, match="there is no words-legacy"):
        portrait.open(path)


def test_a_filter_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotAPortraitError, match="no such file"):
        portrait.open(tmp_path / "none.50-50.bf")


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


# --- The command line -------------------------------------------------------------------------------


def test_a_filter_is_asked_from_the_shell() -> None:
    path = str(REDISBLOOM / NAMES[0])
    done = CliRunner().invoke(cli, ["query", path, DOCUMENTS[0], "--json"], standalone_mode=False)
    found = json.loads(done.output)
    assert (done.return_value, found["verdict"]) == (0, "found")
    assert found["layers"][0]["source"] == "words.50-50"
    done = CliRunner().invoke(cli, ["query", path, "Nothing like it. " * 40], standalone_mode=False)
    assert done.return_value == 1
    assert done.output.startswith("NOT FOUND")


def test_an_unknown_stride_is_one_line_and_an_option(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = str(renamed(folder, "words.bf"))
    assert run(["query", path, DOCUMENTS[0]]) == 2
    assert capfd.readouterr().err == (
        f"portrait: error: {path}: the stride is not in the file's name (NAME.WIDTH-STRIDE.bf): "
        "give the stride (--stride)\n"
    )
    assert run(["query", "--stride", "50", "-q", path, DOCUMENTS[0]]) == 0


def test_info_prints_what_the_header_says(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["info", str(REDISBLOOM / "words-scaling.50-25.bf")]) == 0
    shown = capfd.readouterr().out
    assert "50 characters, every 25, after normaliser data-portraits" in shown
    assert "entries    25,274" in shown
    assert "5     murmur64a  518,208      15    2,774    24,000   7.7%" in shown
    assert run(["info", "--json", str(REDISBLOOM / "words-scaling.50-25.bf")]) == 0
    assert len(json.loads(capfd.readouterr().out)["links"]) == 5
