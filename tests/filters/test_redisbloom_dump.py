"""Filters of the original Data Portraits library: index, name and parts, and every kind of damage."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support.dumps import (
    DOCUMENTS,
    NAMES,
    REDISBLOOM,
    change_block,
    change_index,
    change_info,
    part_of,
    renamed,
)

import portrait
from portrait.cli.main import cli, run
from portrait.errors import DamagedBundleError, NotAPortraitError, SpecError, UnsupportedBundleError
from portrait.spec import MAX_UNITS

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the golden filters, for the test to rename and damage."""
    return Path(shutil.copytree(REDISBLOOM, tmp_path / "dumps"))


def shorten(path: Path) -> None:
    """Remove the last byte of the part."""
    data = part_of(path).read_bytes()
    part_of(path).write_bytes(data[:-1])


def lengthen(path: Path) -> None:
    """Append a byte to the part."""
    with part_of(path).open("ab") as file:
        file.write(b"\0")


def return_to_first_part(path: Path) -> None:
    """Let the index continue in another part, and then in the first one again."""
    blocks = json.loads(path.read_text())["blocks"]
    first, last = (
        {**blocks[1], "part_file": "other", "block_size": 8, "iter": 9},
        {**blocks[1], "block_num": 2},
    )
    change_index(blocks=[blocks[0], first, {**last, "block_size": 22928}])(path)


def test_a_filter_is_one_source_named_as_its_file() -> None:
    opened = portrait.open(REDISBLOOM / NAMES[0])
    assert (opened.name, opened.sources) == ("words.50-50", ("words.50-50",))
    assert not opened.is_bundle
    assert repr(opened) == f"Portrait({str(opened.path)!r}, sources=['words.50-50'])"
    answer = opened.query(DOCUMENTS[0])
    assert (answer.verdict, answer.exact_document) == ("found", None)
    assert answer.layers[0].source == "words.50-50"


def test_a_filter_and_a_bundle_answer_together(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(DOCUMENTS[3], encoding="utf-8")
    windows = portrait.WindowSpec(50, portrait.Stride(50), normalizer="data-portraits")
    built = portrait.build(tmp_path / "a.txt", tmp_path / "a.portrait", windows=windows)
    answer = portrait.query([built, portrait.open(REDISBLOOM / NAMES[0])], DOCUMENTS[3])
    first, second = answer.layers
    assert [first.portrait, second.portrait] == ["a", "words.50-50"]
    assert [match.start for match in first.matches] == [match.start for match in second.matches]
    assert answer.exact_document


def test_a_filter_has_facts_instead_of_a_manifest() -> None:
    opened = portrait.open(REDISBLOOM / "words-scaling.50-25.bf")
    with pytest.raises(UnsupportedBundleError, match="has no manifest: see its facts"):
        _ = opened.manifest
    facts = opened.facts
    assert (facts["format"], facts["entries"]) == ("redisbloom", 25274)
    assert facts["windows"] == {"width": 50, "sampling": "stride", "stride": 25, "unit": "char"}
    assert [link["hashes"] for link in facts["links"]] == [11, 12, 13, 14, 15]
    assert 0.499 < facts["links"][0]["fill"] < 0.505


def test_the_stride_must_be_given_where_the_name_has_none(folder: Path) -> None:
    path = renamed(folder, "words.bf")
    with pytest.raises(
        SpecError, match=r"words\.bf: the stride is not in the file's name .* give the stride"
    ):
        portrait.open(path)
    opened = portrait.open(path, stride=50)
    assert opened.spec.width == 50
    assert opened.spec.sampling == portrait.Stride(50)
    with pytest.raises(SpecError, match="stride must be a whole number"):
        portrait.open(path, stride=0)


def test_a_name_that_contradicts_the_index_is_refused(folder: Path) -> None:
    path = renamed(folder, "words.40-20.bf")
    with pytest.raises(SpecError, match="the name says windows of 40 characters and the index of 50"):
        portrait.open(path)
    assert portrait.open(path, stride=50).spec.width == 50


@pytest.mark.parametrize("width", [1, MAX_UNITS])
def test_a_width_may_be_as_small_or_large_as_any(width: int, folder: Path) -> None:
    path = folder / NAMES[0]
    change_index(width=width)(path)
    assert portrait.open(path, stride=50).spec.width == width


def test_an_index_has_64_mib_at_most(folder: Path) -> None:
    path = folder / NAMES[0]
    path.write_bytes(path.read_bytes().ljust(64 << 20))
    assert portrait.open(path).spec.width == 50
    with path.open("ab") as file:
        file.write(b" ")
    with pytest.raises(
        DamagedBundleError, match=r"too large for an index, and there is no words\.50-50\.bf\.idx"
    ):
        portrait.open(path)


def test_the_older_form_has_its_width_only_in_the_name(folder: Path) -> None:
    for suffix in (".bf", ".bf.idx"):
        (folder / f"words-legacy.50-50{suffix}").rename(folder / f"legacy{suffix}")
    with pytest.raises(SpecError, match="nothing says how wide its windows are: name it NAME"):
        portrait.open(folder / "legacy.bf", stride=50)


def test_symbolic_links_as_in_a_hub_s_cache_are_followed(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for number, file in enumerate(sorted(folder.glob("words.50-50.bf*"))):
        file.rename(folder / f"blob{number}")
        (cache / file.name).symlink_to(folder / f"blob{number}")
    assert portrait.open(cache / NAMES[0]).query(DOCUMENTS[0]).verdict == "found"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: part_of(path).unlink(), "part0.bin: the part is missing: fetch it, too"),
        (shorten, "part0.bin: 23,008 bytes instead of 23,009: fetch it again"),
        (lengthen, "part0.bin: 23,010 bytes instead of 23,009: fetch it again"),
        (lambda path: part_of(path).write_bytes(b""), "part0.bin: 0 bytes instead of 23,009"),
        (
            lambda path: path.write_text("{"),
            "line 1 column 2 (char 1), and there is no words.50-50.bf.idx beside it: fetch it again",
        ),
        (lambda path: path.write_bytes(b"\xff\0"), ".bf: not an index: it is not JSON"),
        (lambda path: path.write_text("[" * 100_000), "not an index: it is JSON nested more than 64 deep"),
        (lambda path: path.write_text("[" + "{}," * 1_250_000 + "{}]"), "more than 2,500,000 values"),
        (lambda path: path.write_text("[]"), ".bf: not an index: it lists no blocks"),
        (change_index(blocks=[]), ".bf: not an index: it lists no blocks"),
        (change_index(blocks=[7]), "block 0: block_size is None, not a size"),
        (change_index(width=None), "width is None, not a number of characters"),
        (change_index(width=0), "width is 0, not a number of characters"),
        (change_index(width=MAX_UNITS + 1), f"width is {MAX_UNITS + 1}, not a number of characters"),
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
        (return_to_first_part, "block 2 goes back to 'words.50-50.bf.part0.bin'"),
        (change_info(hashes=11), ".bf: hashes is 11, but 10 in the header"),
        (change_info(bits=8), ".bf: bits is 8, but 183488 in the header"),
        (change_info(options=5), ".bf: options is 5, but 13 in the header"),
    ],
)
def test_damage_to_index_and_parts_has_a_named_error(
    damage: Callable[[Path], None], message: str, folder: Path
) -> None:
    path = folder / NAMES[0]
    damage(path)
    with pytest.raises(DamagedBundleError) as caught:
        portrait.open(path)
    assert str(caught.value).startswith(str(folder))
    assert message in str(caught.value)


def test_what_an_index_repeats_of_several_links_is_of_the_first(folder: Path) -> None:
    path = folder / "words-scaling.50-25.bf"
    first, *_, last = portrait.open(path).facts["links"]
    assert (first["hashes"], last["hashes"]) == (11, 15)
    change_index(bf_info={"hashes": 11, "chain_n_filters": 5})(path)
    assert len(portrait.open(path).facts["links"]) == 5
    change_info(hashes=15)(path)
    with pytest.raises(DamagedBundleError, match=r"hashes is 15, but 11 in the header"):
        portrait.open(path)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(5, "Input/output error", "a.bin"), "a.bin: Input/output error"),
        (OSError(5, "Input/output error"), f"{REDISBLOOM / NAMES[0]}: Input/output error"),
    ],
)
def test_an_error_of_the_system_names_its_file_or_the_index(
    error: OSError, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr("portrait.filters.redisbloom_dump.open_file", refuse)
    with pytest.raises(DamagedBundleError) as caught:
        portrait.open(REDISBLOOM / NAMES[0])
    assert str(caught.value) == message


def test_damage_to_the_older_form_is_refused(folder: Path) -> None:
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


def test_a_missing_filter_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotAPortraitError, match="no such file"):
        portrait.open(tmp_path / "none.50-50.bf")


def test_a_filter_is_queried_on_the_command_line() -> None:
    path = str(REDISBLOOM / NAMES[0])
    done = CliRunner().invoke(cli, ["query", path, DOCUMENTS[0], "--json"], standalone_mode=False)
    answer = json.loads(done.output)
    assert (done.return_value, answer["verdict"]) == (0, "found")
    assert answer["layers"][0]["source"] == "words.50-50"
    done = CliRunner().invoke(cli, ["query", path, "Nothing like it. " * 40], standalone_mode=False)
    assert done.return_value == 1
    assert done.output.startswith("NOT FOUND")


def test_the_error_about_an_unknown_stride_names_the_option(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = str(renamed(folder, "words.bf"))
    assert run(["query", path, DOCUMENTS[0]]) == 2
    assert capfd.readouterr().err == (
        f"portrait: error: {path}: the stride is not in the file's name (NAME.WIDTH-STRIDE.bf): "
        "give the stride (--stride)\n"
    )
    assert run(["query", "--stride", "50", "-q", path, DOCUMENTS[0]]) == 0


def test_info_prints_the_content_of_the_header(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["info", str(REDISBLOOM / "words-scaling.50-25.bf")]) == 0
    output = capfd.readouterr().out
    assert "50 characters, every 25, after normaliser data-portraits" in output
    assert "entries    25,274" in output
    assert "5     murmur64a  518,208      15    2,774    24,000   7.7%" in output
    assert run(["info", "--json", str(REDISBLOOM / "words-scaling.50-25.bf")]) == 0
    assert len(json.loads(capfd.readouterr().out)["links"]) == 5
