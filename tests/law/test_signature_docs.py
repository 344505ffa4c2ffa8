"""docs/signatures.md does what it shows, and states the constants of the code."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from typing import TYPE_CHECKING

import pytest
from support.openssl import needs_openssl
from support.places import DOCS as DOCS_FOLDER
from support.places import ROOT

from portrait.cli.sign import PASSWORD
from portrait.signing.envelope import PAYLOAD_TYPE
from portrait.signing.signature_file import MAX_CERTIFICATES, MAX_SIGNATURE_BYTES, MEDIA_TYPE, SIGNATURE_NAME
from portrait.signing.statement import ID_SUBJECT, MAX_SUBJECTS, PREDICATE_TYPE, STATEMENT_TYPE
from portrait.signing.weights import WEIGHT_SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = (DOCS_FOLDER / "signatures.md").read_text(encoding="utf-8")


def run(command: list[str], where: Path) -> str:
    """Run a command in a directory, and return its standard output."""
    path = f"{sysconfig.get_path('scripts')}:/usr/bin:/bin"
    done = subprocess.run(command, cwd=where, env={"PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def without_keys(text: str) -> str:
    """Return a text without the id of the key, which is another each time."""
    return re.sub(r"key [0-9a-f]{64}$", "key", text, flags=re.MULTILINE)


@needs_openssl
def test_the_example_of_the_readme_works(tmp_path: Path) -> None:
    shutil.copy(ROOT / "LICENSE", tmp_path)
    run(["portrait", "build", "LICENSE", "-o", "license.portrait"], tmp_path)
    (example,) = re.findall(r"^```sh\n([^`]*portrait sign [^`]*)^```$", README, flags=re.MULTILINE)
    assert "signed with key" in run(["bash", "-e", "-c", example], tmp_path)


@needs_openssl
def test_the_page_works_from_top_to_bottom(tmp_path: Path) -> None:
    shutil.copy(ROOT / "LICENSE", tmp_path)
    blocks = re.findall(r"^```(sh|console|python)\n(.*?)^```$", DOCS, flags=re.MULTILINE | re.DOTALL)
    assert [kind for kind, _ in blocks].count("console") >= 5
    for kind, block in blocks:
        if kind == "console":
            command, _, expected = block.partition("\n")
            shown = run(["bash", "-c", command.removeprefix("$ ")], tmp_path)
            assert without_keys(shown) == without_keys(expected), command
        elif kind == "sh":
            run(["bash", "-e", "-c", block], tmp_path)
        else:
            run(["python", "-c", block], tmp_path)


@pytest.mark.parametrize(
    "constant",
    [
        *(MEDIA_TYPE, PAYLOAD_TYPE, STATEMENT_TYPE, PREDICATE_TYPE, SIGNATURE_NAME, ID_SUBJECT, PASSWORD),
        *WEIGHT_SUFFIXES,
    ],
)
def test_every_name_of_the_code_is_documented(constant: str) -> None:
    assert f"`{constant}`" in DOCS


def test_every_limit_is_documented() -> None:
    assert f"{MAX_SIGNATURE_BYTES >> 20} MiB at most" in DOCS
    assert f"1 to {MAX_CERTIFICATES} certificates" in DOCS
    assert f"2 to {MAX_SUBJECTS:,} objects" in DOCS
