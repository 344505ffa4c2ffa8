"""The commands, options and messages in docs/scale.md are real."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sysconfig
from pathlib import Path

import click
import pytest
from support import corpora
from support.places import DOCS as DOCS_FOLDER

import portrait
from portrait.cli.build import command as build
from portrait.cli.query import command as query

DOCS = (DOCS_FOLDER / "scale.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the contents of the page's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCS, flags=re.MULTILINE | re.DOTALL)


def run(command: list[str], **variables: str) -> None:
    """Run a command that must succeed silently on stderr, with additional environment variables."""
    path = f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}"
    base = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    done = subprocess.run(command, env={**base, "PATH": path, **variables}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(autouse=True)
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of the portrait of a corpus, which is in the directory where the commands expect it."""
    monkeypatch.chdir(tmp_path)
    corpora.write(Path("corpus"), 5)
    return portrait.build("corpus", "plain").manifest.id


def test_the_slurm_array_builds_the_portrait(plain: str) -> None:
    (script,) = blocks("bash")
    Path("build.sh").write_text(script)
    (submit,) = [block for block in blocks("") if "sbatch" in block]
    first, last = map(int, re.search(r"--array=(\d+)-(\d+) build\.sh", submit).groups())  # type: ignore[union-attr]
    assert (first, f"TASKS={last}") == (1, re.search(r"^TASKS=.*$", script, re.MULTILINE)[0])  # type: ignore[index]
    assert submit.splitlines()[1].endswith(" build.sh")
    # As the scheduler does: run every task by its number, in any order, then the job that depends on them.
    for number in reversed(range(first, last + 1)):
        run(["bash", "build.sh"], SLURM_ARRAY_TASK_ID=str(number), SLURM_CPUS_PER_TASK="1")
    assert not Path("corpus.portrait").exists()
    run(["bash", "build.sh"], SLURM_CPUS_PER_TASK="1")
    assert portrait.open("corpus.portrait").manifest.id == plain
    assert not Path("corpus.build").exists()


def test_xargs_builds_the_portrait(plain: str) -> None:
    (line,) = [line for block in blocks("sh") for line in block.splitlines() if "xargs" in line]
    run(["bash", "-c", f"set -o pipefail; {line.replace('--finish', '--finish --quiet')}"])
    assert portrait.open("corpus.portrait").manifest.id == plain


def test_every_option_is_real() -> None:
    known = {name for option in build.params if isinstance(option, click.Option) for name in option.opts}
    commands = [line for block in blocks("sh") for line in block.splitlines() if "portrait build" in line]
    assert len(commands) >= 5
    for line in commands:
        for part in re.split(r"&&|\|", line):
            words = shlex.split(part)
            used = (
                {word for word in words[words.index("portrait") :] if word.startswith("--")}
                if "portrait" in words
                else set()
            )
            assert used <= known, used - known
    # Options at the start of a code span; those of other programs follow the name of their program.
    mentioned = set(re.findall(r"`(--[a-z-]+)", DOCS))
    opening = {name for option in query.params if isinstance(option, click.Option) for name in option.opts}
    opening |= {name for option in query.params for name in option.secondary_opts}
    assert mentioned <= known | opening, mentioned - known - opening


def test_every_message_is_real() -> None:
    source = "".join(path.read_text() for path in Path(portrait.__file__).parent.rglob("*.py"))
    joined = re.sub(r'"\n\s*f?"', "", source)
    for message in (
        "cannot write keys there: ",
        "the process that worked on it died ",
        "changed while it was read",
        "is damaged: its checksum does not fit",
        "begun with other ",
        "and something else follows",
    ):
        assert message in joined
        assert message.strip() in DOCS
