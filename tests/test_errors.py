"""Every named error can be provoked, has a one-line message, and knows its exit code and HTTP status."""

from __future__ import annotations

import json
import lzma
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.signers import write_keys

import portrait
from portrait import errors
from portrait.engines.pool import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXT = "Seven kites over the reservoir, and only six strings to be seen from the dam at any hour. " * 4


class ErrorFacts(NamedTuple):
    """The name of an error's class, its message, exit code and HTTP status."""

    error: str
    message: str
    exit_code: int
    http_status: int


def facts_of(error: errors.PortraitError) -> ErrorFacts:
    """Return the facts of an error."""
    return ErrorFacts(type(error).__name__, str(error), error.exit_code, error.http_status)


def build_in_child(source: str, cwd: Path) -> ErrorFacts:
    """Return the error of building ``source`` in ``cwd`` with an interpreter that lacks the extras."""
    code = (
        "import json, portrait\n"
        f"try: portrait.build({source!r}, 'out')\n"
        "except portrait.PortraitError as error:\n"
        "    print(json.dumps([type(error).__name__, str(error), error.exit_code, error.http_status]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", BLOCK + code],
        cwd=cwd,
        check=True,
        capture_output=True,
        text=True,
    )
    return ErrorFacts(*json.loads(done.stdout))


#: Code that makes the optional dependencies impossible to import, as if they were not installed.
BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pyarrow", "isal", "datasets"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Block())
"""


def bundle() -> Path:
    """Build a portrait, and return its path."""
    Path("a.txt").write_text(TEXT)
    return portrait.build("a.txt", "bundle").path


def damage() -> None:
    for shard in bundle().glob("*.safetensors"):
        shard.unlink()
    portrait.open("bundle")


def newer() -> None:
    manifest = bundle() / "portrait.json"
    content = json.loads(manifest.read_text()) | {"format_version": 2}
    manifest.write_text(json.dumps(content))
    portrait.open("bundle")


def bad_text() -> None:
    portrait.open(bundle()).query("\ud800")


def empty() -> None:
    Path("empty.txt").touch()
    portrait.build("empty.txt", "out")


def null() -> None:
    Path("a.jsonl").write_text('{"text": null}')
    portrait.build("a.jsonl", "out")


def truncated() -> None:
    Path("a.txt.xz").write_bytes(lzma.compress(TEXT.encode())[:-4])
    portrait.build("a.txt.xz", "out")


def exists() -> None:
    portrait.build("a.txt", bundle())


def nowhere_to_write() -> None:
    Path("a.txt").write_text(TEXT)
    portrait.build("a.txt", "missing/out")


def lost_worker() -> None:
    # The function set up in each process is os._exit, which ends it with the task as its exit code.
    list(in_order(partial(partial, os._exit), [3], n_workers=2))


def lost_run() -> None:
    Path("a.txt").write_text(TEXT)
    execution = portrait.Execution(work_dir="work")
    portrait.read_share("a.txt", "out", (1, 1), execution=execution)
    for run in Path("work/data").glob("*.keys"):
        run.unlink()
    portrait.build("a.txt", "out", execution=execution)


def unsigned() -> None:
    (bundle() / "portrait.sigstore.json").write_text("{}")
    portrait.verify("bundle", public_key=write_keys(Path())[1])


def nothing_in_the_cache() -> None:
    portrait.pull("hf://org/ferry", cache_dir="cache", local_files_only=True)


class Case(NamedTuple):
    """An error's class, how to provoke it, and its expected codes, message and base class."""

    error: type[errors.PortraitError]
    provoke: Callable[[], object]
    exit_code: int
    http_status: int
    message: str
    base: type[Exception] = Exception


CASES = [
    Case(errors.SpecError, lambda: portrait.WindowSpec(width=0), 2, 400, "width", ValueError),
    Case(errors.SpecError, lambda: portrait.FilterSpec(fpr=1), 2, 400, "between 0 and 1", ValueError),
    Case(errors.TextError, bad_text, 2, 400, "lone surrogate U+D800 at character 0", ValueError),
    Case(errors.CorpusError, lambda: portrait.build("missing.txt", "out"), 2, 500, "missing.txt: "),
    Case(errors.BadRowError, null, 2, 500, "a.jsonl, line 1: column 'text' holds null", errors.CorpusError),
    Case(
        errors.UnreadableFileError,
        truncated,
        2,
        500,
        "a.txt.xz: the compressed data",
        errors.CorpusError,
    ),
    Case(errors.EmptyCorpusError, empty, 2, 500, "empty.txt", errors.CorpusError),
    Case(errors.OutputExistsError, exists, 2, 500, "bundle: already exists", FileExistsError),
    Case(errors.OutputError, nowhere_to_write, 2, 500, "missing: cannot write: ", OSError),
    Case(errors.WorkerError, lost_worker, 2, 500, "a worker process died: "),
    Case(errors.WorkDirError, lost_run, 2, 500, "re-run the same call"),
    Case(errors.NotAPortraitError, lambda: portrait.open("missing"), 2, 500, "missing: ", errors.BundleError),
    Case(errors.DamagedBundleError, damage, 2, 500, "the shard is missing", errors.BundleError),
    Case(errors.UnsupportedBundleError, newer, 2, 500, "upgrade portrait", errors.BundleError),
    Case(errors.HubError, nothing_in_the_cache, 2, 502, "is not in the cache cache, and nothing"),
    Case(errors.SignatureError, unsigned, 2, 500, "not a Sigstore bundle", errors.BundleError),
]

#: The package that reading each file requires.
MISSING_EXTRAS = {
    "a.txt": "pyarrow",
    "a.jsonl": "pyarrow",
    "a.jsonl.gz": "isal",
    "a.jsonl.zst": "pyarrow",
    "a.parquet": "pyarrow",
}


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of every test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.error.__name__)
def test_an_error_is_named_and_its_message_is_one_line(case: Case) -> None:
    with pytest.raises(errors.PortraitError) as caught:
        case.provoke()
    facts = facts_of(caught.value)
    assert (facts.error, facts.exit_code, facts.http_status) == (
        case.error.__name__,
        case.exit_code,
        case.http_status,
    )
    assert case.message in facts.message
    assert facts.message.isprintable()
    assert isinstance(caught.value, case.base)


@pytest.mark.parametrize("name", MISSING_EXTRAS)
def test_a_missing_extra_is_named_with_the_command_that_installs_it(name: str, directory: Path) -> None:
    (directory / name).write_text(TEXT)
    facts = build_in_child(name, directory)
    assert facts == ErrorFacts(
        "MissingExtraError",
        f"this needs {MISSING_EXTRAS[name]}, which is not installed: pip install 'data-portrait[build]'",
        2,
        500,
    )
    assert issubclass(errors.MissingExtraError, ImportError)
    assert [path.name for path in directory.iterdir()] == [name]


def descendants(
    error: type[errors.PortraitError] = errors.PortraitError,
) -> Iterator[type[errors.PortraitError]]:
    """Yield all subclasses of an error that the library defines, leaving out those of the service."""
    for one in error.__subclasses__():
        if one.__module__ == errors.__name__:
            yield one
            yield from descendants(one)


def test_every_error_has_a_case() -> None:
    provoked = {case.error for case in CASES} | {errors.MissingExtraError}
    # An abstract class: every error of a bundle is an instance of one of its subclasses.
    abstract = {errors.BundleError}
    assert set(descendants()) == provoked | abstract
    assert all(set(error.__subclasses__()) & provoked for error in abstract)


def test_every_error_is_a_public_name() -> None:
    names = {errors.PortraitError.__name__, *(error.__name__ for error in descendants())}
    assert names <= set(portrait.__all__)
    assert all(getattr(portrait, name) is getattr(errors, name) for name in names)


@pytest.mark.parametrize("provoke", [damage, newer, lambda: portrait.open("missing")])
def test_all_bundle_errors_can_be_caught_as_one_class(provoke: Callable[[], object]) -> None:
    with pytest.raises(errors.BundleError):
        provoke()


@pytest.mark.parametrize(
    "provoke",
    [
        lambda: portrait.open("a\nb"),
        lambda: portrait.build("a\nb", "out"),
        lambda: portrait.build("name=a\r\nb", "out"),
        lambda: portrait.build("*\x1b[2J*", "out"),
        lambda: portrait.build(Path(__file__), "a\nb/out"),
    ],
    ids=["bundle", "corpus", "named corpus", "glob", "output"],
)
def test_a_name_with_line_breaks_gives_a_one_line_message(provoke: Callable[[], object]) -> None:
    with pytest.raises(errors.PortraitError) as caught:
        provoke()
    assert str(caught.value).isprintable()


def test_the_bare_install_can_open_and_query(directory: Path) -> None:
    bundle()
    code = BLOCK + f"import portrait\nprint(portrait.open('bundle').query({TEXT!r}).verdict)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=directory, check=True, capture_output=True, text=True
    )
    assert done.stdout == "found\n"
