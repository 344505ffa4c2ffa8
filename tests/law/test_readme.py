"""The commands and examples of the README and the docs do what they show."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import sysconfig
from typing import TYPE_CHECKING

import pyarrow
import pyarrow.parquet
import pytest
from support.places import GOLDEN, ROOT

import portrait
from portrait.answers.record import FIELDS, MATCH_FIELDS, MATCHES, SOURCES
from portrait.bundle.tensors import map_tensors
from portrait.filters.bloom import BloomBuilder
from portrait.portraits.portrait import open as open_portrait

if TYPE_CHECKING:
    from pathlib import Path

REDISBLOOM = GOLDEN / "redisbloom"
README = (ROOT / "README.md").read_text(encoding="utf-8")
ANSWERS = (ROOT / "docs" / "answers.md").read_text(encoding="utf-8")
FORMAT = (ROOT / "docs" / "FORMAT.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Return the contents of a page's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def transcripts() -> list[tuple[str, str]]:
    """Return every command that the README shows with its output, and the output."""
    commands = []
    for block in blocks(README, "console"):
        command, _, output = block.partition("\n")
        assert command.startswith("$ ")
        commands.append((command.removeprefix("$ "), output))
    return commands


def output_of(command: str, where: Path) -> str:
    """Run a shell command in a directory, and return its standard output."""
    path = f"{sysconfig.get_path('scripts')}:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "-c", command], cwd=where, env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the files that the transcripts use."""
    where = tmp_path_factory.mktemp("readme")
    shutil.copy(ROOT / "LICENSE", where)
    (exam,) = blocks(README, "json")
    (where / "exam.jsonl").write_text(exam, encoding="utf-8")
    return where


def test_there_are_exactly_two_install_commands() -> None:
    commands = [block.strip() for block in blocks(README, "sh") if "pip install" in block]
    assert commands == ["pip install '.[all]' && portrait demo", "pip install '.[test]' && pytest"]


def test_continuous_integration_runs_the_readme_s_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert """grep --max-count=1 --fixed-strings "pip install '.[test]'" README.md""" in script
    (line,) = [line for line in README.splitlines() if "pip install '.[test]'" in line]
    assert line == "pip install '.[test]' && pytest"


def test_every_transcript_shows_the_real_output(workplace: Path) -> None:
    shown = [(command, output) for command, output in transcripts() if command != "portrait demo"]
    assert len(shown) >= 4
    for command, expected in shown:
        assert timeless(output_of(command, workplace)) == timeless(expected), command


def timeless(text: str) -> str:
    """Return a text without the time that a build would take on this machine."""
    return re.sub(r"^time .* on this machine", "time", text, flags=re.MULTILINE)


def test_the_transcript_of_the_demo_shows_the_real_output_except_numbers(tmp_path: Path) -> None:
    (expected,) = [output for command, output in transcripts() if command == "portrait demo"]

    def masked(text: str) -> str:
        # The demo reads the files of the installed Python. Another version gives another rate and other
        # E-values, moves the ends of matches by a window, and wraps the quotation differently.
        text = re.sub(r"[»«]", "", text)
        text = re.sub(r"\d[\d.,]*(e-\d+)?( [kMG]?B)?", "N", text)
        return " ".join(text.split())

    assert masked(output_of("portrait demo", tmp_path)) == masked(expected)
    assert list(tmp_path.iterdir()) == []


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "LICENSE", tmp_path)
    monkeypatch.chdir(tmp_path)
    (example,) = blocks(README, "python")
    names: dict[str, object] = {}
    exec(example, names)
    answer = names["answer"]
    assert isinstance(answer, portrait.Answer)
    assert answer.verdict == "found"
    assert answer.layers[0].source == "law"


def test_the_other_commands_run(workplace: Path) -> None:
    (workplace / "papers").mkdir()
    (workplace / "papers" / "one.txt").write_text("A paper about ferries. " * 9, encoding="utf-8")
    (workplace / "crawl").mkdir()
    lines = b'{"text": "a page"}\n'
    zstd = pyarrow.Codec("zstd")
    (workplace / "crawl" / "one.jsonl.zst").write_bytes(zstd.compress(lines, asbytes=True))
    (command,) = [block for block in blocks(README, "sh") if "arxiv=" in block and "web=" in block]
    output_of(command, workplace)
    assert open_portrait(workplace / "corpus.portrait").sources == ("arxiv", "web")
    (command,) = [block for block in blocks(README, "sh") if "gpt3" in block]
    output_of(command, workplace)
    assert open_portrait(workplace / "thirteen-words.portrait").spec == portrait.PRESETS["gpt3"].windows
    (command,) = [block for block in blocks(README, "sh") if "to-publish" in block]
    output_of(command, workplace)
    (layer,) = open_portrait(workplace / "to-publish.portrait").manifest.layers
    assert layer.filter["kind"] == "ribbon"
    (command,) = [block for block in blocks(README, "sh") if "for-the-hub" in block]
    output_of(command, workplace)
    assert open_portrait(workplace / "for-the-hub.portrait").sources == ("arxiv", "web")
    (workplace / "gsm8k.jsonl").write_text('{"question": "How many?", "answer": "4"}\n', encoding="utf-8")
    (command,) = [block for block in blocks(README, "sh") if "gsm8k" in block]
    output_of(command, workplace)
    assert (workplace / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    (workplace / "theses").mkdir()
    (workplace / "theses" / "one.txt").write_text("A thesis about ferries. " * 9, encoding="utf-8")
    if not (workplace / "license.portrait").exists():
        output_of("portrait build LICENSE -o license.portrait", workplace)
    (commands,) = [block for block in blocks(README, "sh") if "portrait merge" in block]
    for one in commands.splitlines():
        output_of(one, workplace)
    assert open_portrait(workplace / "all.portrait").sources == ("arxiv", "main", "theses")
    published = workplace / "published"
    published.mkdir()
    shutil.copy(REDISBLOOM / "words.50-50.bf.part0.bin", published)
    shutil.copy(REDISBLOOM / "words.50-50.bf", published / "NAME.50-50.bf")
    (command,) = [block for block in blocks(README, "sh") if "published" in block]
    output_of(command, workplace)
    assert open_portrait(published).sources == ("NAME.50-50",)


def test_the_scan_of_questions_runs(workplace: Path) -> None:
    (workplace / "questions.jsonl").write_text(
        '{"id": 1, "question": "Who?", "answer": "A Contributor.", "meta": {"url": "https://example.org"}}\n'
    )
    output_of("portrait build LICENSE -o license.portrait --overwrite", workplace)
    (command,) = [block for block in blocks(README, "sh") if "questions.jsonl" in block]
    output_of(command, workplace)
    (row,) = pyarrow.parquet.read_table(workplace / "found.parquet").to_pylist()
    assert row["values"] == {"id": 1, "meta.url": "https://example.org"}


def test_every_field_of_a_scan_is_documented() -> None:
    names = {"row", "place", "values", *FIELDS, SOURCES, MATCHES, *MATCH_FIELDS}
    assert [name for name in sorted(names) if f"`{name}`" not in ANSWERS] == []


def test_every_link_to_a_file_has_a_target() -> None:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\((?!<?https://)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_library_writes_the_worked_example_of_the_format(tmp_path: Path) -> None:
    key, lanes = re.findall(r"^(?:key|lanes) +([0-9a-f ]+)$", FORMAT, flags=re.MULTILINE)
    (document,) = re.findall(r"The document `(.+?)`", FORMAT)
    numbers = [int(lane, 16) for lane in lanes.split()]
    builder = BloomBuilder(1)
    builder.insert(int(key, 16).to_bytes(8, "little"))
    assert memoryview(builder.data).tobytes() == b"".join(n.to_bytes(4, "little") for n in numbers)

    (tmp_path / "ferry.txt").write_text(document, encoding="utf-8")
    built = portrait.build(tmp_path / "ferry.txt", tmp_path / "ferry.portrait", short_documents=True)
    (layer,) = built.manifest.layers
    assert layer.test_vectors.present == (key,)
    _, data = map_tensors(built.path / layer.shards[0].file)["blocks"]
    assert data.tobytes() == memoryview(builder.data).tobytes()

    (dump,) = blocks(FORMAT, "hexdump")
    file = bytes.fromhex("".join(line[6:53] for line in dump.splitlines()))
    assert file == (built.path / layer.shards[0].file).read_bytes()
    for digest in (layer.shards[0].sha256, layer.shards[0].xxh3_128, layer.tensors["blocks"]):
        assert digest in FORMAT

    assert layer.sketch is not None
    content = (built.path / layer.sketch.file).read_bytes()
    (header,) = re.findall(r'^`(\{"__metadata__".*)`$', FORMAT, flags=re.MULTILINE)
    last = int(key, 16).to_bytes(8, "little")
    assert content == (184).to_bytes(8, "little") + header.encode().ljust(184) + last
    assert f"`{last.hex()}`" in FORMAT
    record = json.dumps(dataclasses.asdict(layer.sketch), sort_keys=True)
    assert record in " ".join(FORMAT.split())


def test_every_field_of_the_manifest_is_documented(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("Some text.", encoding="utf-8")
    manifest = portrait.build(tmp_path / "one.txt", tmp_path / "one.portrait").manifest.to_dict()
    (layer,) = manifest["layers"]
    parts = (layer["shards"][0], layer["sketch"], layer["test_vectors"], manifest["corpus"]["main"])
    names = {*manifest, *layer, *(name for part in parts for name in part)}
    assert [name for name in sorted(names) if f"`{name}`" not in FORMAT] == []


def test_every_benchmark_is_in_the_justfile_and_the_readme_refers_to_benchmarks() -> None:
    paths = (ROOT / "benchmarks").glob("*.py")
    # Other modules are parts of scripts.
    scripts = {path.name for path in paths if '__name__ == "__main__"' in path.read_text(encoding="utf-8")}
    assert len(scripts) >= 19
    justfile = (ROOT / "justfile").read_text(encoding="utf-8")
    assert {script for script in scripts if f"python {script}" in justfile} == scripts
    rows = [line for line in README.splitlines() if line.startswith("| ") and "benchmarks/" in line]
    assert len(rows) >= 5
