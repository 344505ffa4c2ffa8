"""Other people's files: no command removes, moves or overwrites a file that the manifest does not list."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
from support.file_trees import snapshot
from support.places import GOLDEN
from support.progress_callbacks import ActionAtFinish

import portrait
from portrait import OutputError, OutputExistsError, Stride, WindowSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Cli

TALES = {name: f"{name}: the tale of the {name} begins where the last one ends. " * 9 for name in "abcd"}
SPEC = WindowSpec(20, Stride(10))


def furnish(directory: Path) -> dict[str, bytes | str | None]:
    """Put into a directory what people keep in a model's repository, and return it."""
    (directory / ".git/objects/ab").mkdir(parents=True)
    (directory / ".git/objects/ab/cdef").write_bytes(b"an object")
    (directory / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (directory / ".gitattributes").write_text("*.safetensors filter=lfs\n")
    (directory / "model.safetensors").write_bytes(b"weights")
    (directory / "onnx").mkdir()
    (directory / "onnx/model.onnx").write_bytes(b"more weights")
    # The very names that files of new layers would get.
    for name in ("c-00001-of-00001.safetensors", "x-00001-of-00001.safetensors", "c-sketch.safetensors"):
        (directory / name).write_text("a person's file")
    (directory / "link").symlink_to("model.safetensors")
    (directory / "dangling").symlink_to("nowhere")
    (directory / ".portrait.part-notes").mkdir()
    (directory / ".portrait.part-notes/note").write_text("a person's note")
    listed = {"portrait.json", "README.md", *(path.name for path in directory.glob("[ab]-*.safetensors"))}
    return {name: content for name, content in snapshot(directory).items() if name not in listed}


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: texts, and a portrait of two of them, ``ab``, inside a model's repository."""
    monkeypatch.chdir(tmp_path)
    for name, tale in TALES.items():
        Path(f"{name}.txt").write_text(tale)
    portrait.build({"a": "a.txt", "b": "b.txt"}, "ab", windows=SPEC, license="CC0-1.0")
    portrait.build({"d": "d.txt"}, "d", windows=SPEC)
    return tmp_path


COMMANDS = {
    "add": ("add", "ab", "c=c.txt"),
    "add ribbon": ("add", "ab", "x=c.txt", "--max-shard-size", "4096"),
    "drop": ("drop", "ab", "a"),
    "build": ("build", "c=c.txt", "a=d.txt", "-o", "ab", "--overwrite", "--width", "20", "--stride", "10"),
    "build in parts": ("build", "c.txt", "-o", "ab", "--overwrite", "--work-dir", "work"),
    "build pybloom": ("build", "c=c.txt", "-o", "ab", "--overwrite", "--filter", "pybloom"),
    "merge": ("merge", "ab", "d", "-o", "ab", "--overwrite"),
    "merge others": ("merge", "d", "copy", "-o", "ab", "--overwrite"),
    "convert": ("convert", "ab", "ab", "--overwrite", "--max-shard-size", "4096"),
    "convert another": ("convert", "d", "ab", "--overwrite"),
    "wrap": ("convert", "theirs/words.50-50.bf", "ab", "--overwrite"),
    "verify": ("verify", "ab"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_command_touches_a_file_that_the_manifest_does_not_list(
    command: tuple[str, ...], cli: Cli, directory: Path
) -> None:
    shutil.copytree(GOLDEN / "redisbloom", "theirs")
    portrait.build({"c": "c.txt"}, "copy", windows=SPEC)
    theirs = furnish(Path("ab"))
    inodes = {name: (directory / "ab" / name).lstat().st_ino for name in theirs}
    assert cli(*command, "--quiet").code == 0
    after = snapshot(Path("ab"))
    assert {name: after.get(name, "gone") for name in theirs} == theirs
    assert {name: (directory / "ab" / name).lstat().st_ino for name in theirs} == inodes
    written = portrait.open("ab")
    portrait.verify("ab")
    # Nothing is left over, either.
    files = {one.file for layer in written.manifest.layers for one in layer.files}
    assert {*after} - {*theirs} == {"portrait.json", "README.md", *files}


def test_an_overwritten_portrait_is_a_new_one_beside_the_old_files() -> None:
    theirs = furnish(Path("ab"))
    fresh = portrait.build({"a": "c.txt"}, "fresh", windows=SPEC)
    built = portrait.build({"a": "c.txt"}, "ab", windows=SPEC, overwrite=True)
    assert built.manifest.id == fresh.manifest.id
    assert built.query(TALES["c"]).verdict == "found"
    assert built.query(TALES["a"]).verdict != "found"
    assert snapshot(Path("ab")).items() >= theirs.items()


def test_the_same_portrait_again_keeps_its_names_and_mends_damage() -> None:
    before = snapshot(Path("ab"))
    for damaged in Path("ab").glob("a-*"):
        damaged.write_bytes(bytes(damaged.stat().st_size))
    portrait.build({"a": "a.txt", "b": "b.txt"}, "ab", windows=SPEC, license="CC0-1.0", overwrite=True)
    assert snapshot(Path("ab")) == before


def test_a_file_that_appears_while_a_portrait_is_written_stays() -> None:
    theirs = {"c-00001-of-00001.safetensors": "mine", "README.md": "my own page"}

    def appear() -> None:
        Path("ab/README.md").unlink(missing_ok=True)
        for name, text in theirs.items():
            Path("ab", name).write_text(text)

    portrait.add("ab", {"c": "c.txt"}, progress=ActionAtFinish(appear))
    assert {name: Path("ab", name).read_text() for name in theirs} == theirs
    assert portrait.open("ab").query(TALES["c"]).verdict == "found"
    portrait.verify("ab")


def newer(manifest: bytes) -> bytes:
    return manifest.replace(b'"format_version": 1', b'"format_version": 99')


def other_id(manifest: bytes) -> bytes:
    return manifest.replace(b'"id": "', b'"id": "0')


@pytest.mark.parametrize("damage", [bytes.lower, lambda _: b"{", newer, other_id])
@pytest.mark.parametrize("command", ["build", "merge", "convert", "wrap", "wrap in place"])
def test_a_portrait_whose_manifest_cannot_be_read_is_not_overwritten(
    command: str, damage: Callable[[bytes], bytes], cli: Cli
) -> None:
    commands = {
        "build": ("build", "c.txt", "-o", "ab"),
        "merge": ("merge", "d", "copy", "-o", "ab"),
        "convert": ("convert", "d", "ab"),
        "wrap": ("convert", "theirs/words.50-50.bf", "ab"),
        "wrap in place": ("convert", "ab/words.50-50.bf", "ab"),
    }
    shutil.copytree(GOLDEN / "redisbloom", "theirs")
    for file in Path("theirs").glob("words.50-50.bf*"):
        shutil.copy(file, "ab")
    portrait.build({"c": "c.txt"}, "copy", windows=SPEC)
    manifest = Path("ab/portrait.json")
    text = manifest.read_bytes()
    manifest.write_bytes(damage(text) if damage is not bytes.lower else text.replace(b'"portrait"', b'"x"'))
    before = snapshot(Path("ab"))
    message = cli.refused(*commands[command], "--overwrite")
    assert message.startswith("ab/portrait.json: ")
    assert "nothing says which files are the portrait's" in message
    assert snapshot(Path("ab")) == before


@pytest.mark.parametrize("command", [("add", "link", "c=c.txt"), ("drop", "link", "a")])
def test_a_link_to_a_portrait_is_refused_and_named(command: tuple[str, ...], cli: Cli) -> None:
    Path("link").symlink_to("ab")
    before = snapshot(Path())
    assert cli.refused(*command) == "link: is a link to ab: name the directory itself, or choose another name"
    assert snapshot(Path()) == before


def test_another_process_that_changes_a_portrait_meanwhile_is_noticed() -> None:
    def change() -> None:
        if "a" in portrait.open("ab").sources:
            portrait.drop("ab", ["a"])

    with pytest.raises(OutputExistsError, match="ab: another process has changed it meanwhile"):
        portrait.add("ab", {"c": "c.txt"}, progress=ActionAtFinish(change))
    assert portrait.open("ab").sources == ("b",)
    portrait.verify("ab")


def test_the_files_of_other_software_stay_when_their_portrait_is_overwritten() -> None:
    shutil.copytree(GOLDEN / "redisbloom", "theirs")
    before = snapshot(Path("theirs"))
    portrait.wrap("theirs/words.50-50.bf", "theirs")
    portrait.build("a.txt", "theirs", overwrite=True)
    assert snapshot(Path("theirs")).items() >= before.items()
    portrait.verify("theirs")


def test_a_listed_file_that_is_not_what_the_manifest_records_stays() -> None:
    # A manifest that somebody dropped into a repository may list any name.
    listed = sorted(Path("ab").glob("a-*"))
    for file in listed:
        file.unlink()
        file.write_text("a person's file under a listed name")
    portrait.drop("ab", ["a"])
    assert [file.read_text() for file in listed] == ["a person's file under a listed name"] * len(listed)
    portrait.verify("ab")


# A process that is killed.

#: Reads numbers; runs the verb in a child process that dies before the file operation of that number.
MORTAL = """
import itertools, os, signal, sys
import portrait
from portrait.building import build, in_memory
from portrait.operations import layers

def mortal(function, steps, deadly):
    def step(*arguments, **options):
        if next(steps) == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return step

def run(verb, deadly):
    steps = itertools.count()
    for name in ("link", "unlink", "rename", "replace", "mkdir", "rmdir", "fsync", "open"):
        setattr(os, name, mortal(getattr(os, name), steps, deadly))
    windows = portrait.WindowSpec(20, portrait.Stride(10))
    if verb == "build":
        portrait.build({"a": "c.txt", "e": "d.txt"}, "ab", windows=windows, overwrite=True)
    elif verb == "drop":
        portrait.drop("ab", ["a"])
    else:
        portrait.merge(["d", "ab"], "ab", overwrite=True)
    print("done", next(steps), flush=True)

for line in sys.stdin:
    child = os.fork()
    if not child:
        run(sys.argv[1], int(line))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status):
        print("died", os.waitstatus_to_exitcode(status), flush=True)
"""


@pytest.mark.parametrize("verb", ["build", "drop", "merge"])
def test_a_kill_at_any_moment_leaves_the_old_portrait_or_the_new_one_and_all_other_files(
    verb: str,
) -> None:
    theirs = furnish(Path("ab"))
    shutil.copytree("ab", "kept", symlinks=True)
    old = portrait.open("ab").manifest.id
    seen = set()
    command = [sys.executable, "-c", MORTAL, verb]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def die_at(step: int, answers: IO[str] = process.stdout) -> tuple[str, int]:
            print(step, file=process.stdin, flush=True)
            what, number = answers.readline().split()
            return what, int(number)

        what, n_steps = die_at(-1)
        assert (what, n_steps > 20) == ("done", True)
        new = portrait.open("ab").manifest.id
        for step in range(n_steps):
            shutil.rmtree("ab")
            shutil.copytree("kept", "ab", symlinks=True)
            assert die_at(step) == ("died", -signal.SIGKILL)
            seen.add(portrait.verify("ab").id)
            assert snapshot(Path("ab")).items() >= theirs.items()
            # The next process that writes removes what is left over.
            portrait.build({"z": "c.txt"}, "ab", windows=SPEC, overwrite=True)
            written = portrait.open("ab").manifest
            files = {one.file for layer in written.layers for one in layer.files}
            assert {*snapshot(Path("ab"))} - {*theirs} == {"portrait.json", "README.md", *files}, step
        process.stdin.close()
    assert seen == {old, new}


def test_a_portrait_can_be_opened_while_it_is_overwritten() -> None:
    code = (
        "import portrait\n"
        "for i in range(1000):\n"
        "    portrait.build({'a': 'cd'[i % 2] + '.txt'}, 'ab', overwrite=True,\n"
        "        windows=portrait.WindowSpec(20, portrait.Stride(10)))\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code])
    try:
        deadline = time.monotonic() + 4
        n_opened = 0
        while time.monotonic() < deadline and writer.poll() is None:
            opened = portrait.open("ab")
            assert len(opened.query([TALES["c"], TALES["d"]])) == 2
            n_opened += 1
        assert n_opened > 20
    finally:
        writer.kill()
        writer.wait()


def test_an_error_before_the_manifest_is_replaced_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    furnish(Path("ab"))
    before = snapshot(Path("ab"))

    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OutputError, match="ab: cannot write: Input/output error"):
        portrait.add("ab", {"c": "c.txt"})
    assert snapshot(Path("ab")) == before


@pytest.mark.parametrize("command", ["add", "drop", "build", "merge", "convert"])
def test_what_people_write_in_the_card_stays(command: str, cli: Cli) -> None:
    card = Path("ab/README.md")
    text = card.read_text()
    begin = text.index("<!-- portrait:begin")
    card.write_text(f"{text[:begin]}Above.\n{text[begin:]}\nBelow.\n".replace("tags:", "language: en\ntags:"))
    result = cli(*COMMANDS[command])
    assert (result.code, "note" in result.err) == (0, False)
    written = card.read_text()
    assert "language: en\ntags:" in written
    assert "\nAbove.\n<!-- portrait:begin" in written
    assert written.endswith("<!-- portrait:end -->\n\nBelow.\n")
    assert portrait.open("ab").manifest.id in written


@pytest.mark.parametrize("command", ["add", "drop", "build", "merge", "convert", "wrap"])
def test_a_page_that_is_no_card_stays_and_is_named(command: str, cli: Cli) -> None:
    shutil.copytree(GOLDEN / "redisbloom", "theirs")
    Path("ab/README.md").write_text("The model's own page.")
    result = cli(*COMMANDS[command])
    assert result.code == 0
    note = "portrait: note: ab/README.md is not the portrait's card and stays: none was written\n"
    assert result.err.endswith(note)
    assert Path("ab/README.md").read_text() == "The model's own page."


@pytest.mark.parametrize("command", [("info", "ab"), ("verify", "ab"), ("query", "ab", "-f", "a.txt")])
def test_a_manifest_cannot_control_a_terminal(command: tuple[str, ...], cli: Cli) -> None:
    manifest = portrait.open("ab").manifest
    hostile = "\x1b[31m\x9b2J\rred\u202e\n"
    made = replace(manifest, license=hostile, trained_models=(hostile,), tool=hostile)
    Path("ab/portrait.json").write_bytes(made.to_json())
    Path("ab/\x1b[2Jfile").touch()
    result = cli(*command)
    assert result.code == 0
    assert all(c.isprintable() or c == "\n" for c in result.out + result.err)
