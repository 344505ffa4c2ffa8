"""``portrait demo``: every kind of answer, and nothing left behind."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import portrait

if TYPE_CHECKING:
    from conftest import Cli


def test_the_demo_shows_every_kind_of_answer_and_leaves_nothing_behind(cli: Cli, tmp_path: Path) -> None:
    scratch, here = tmp_path / "scratch", tmp_path / "here"
    scratch.mkdir()
    here.mkdir()
    cli.directory = here
    result = cli("demo", environment={"TMPDIR": str(scratch)})
    assert (result.code, result.err) == (0, "")
    found, not_found, inconclusive = (
        result.out.index(f"\n{verdict}: ") for verdict in ("FOUND", "NOT FOUND", "INCONCLUSIVE")
    )
    assert found < result.out.index("»") < result.out.index("«") < not_found < inconclusive
    assert [*here.iterdir(), *scratch.iterdir()] == []


def test_the_demo_s_portrait_can_be_kept_and_queried(cli: Cli, tmp_path: Path) -> None:
    result = cli("demo", "--keep", "kept", environment={"TMPDIR": str(tmp_path)})
    assert result.code == 0
    assert 'portrait query kept "some text"' in result.out
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    opened = portrait.open(tmp_path / "kept")
    module = Path(json.__file__).read_text(encoding="utf-8")
    assert opened.query(module).exact_document
    assert not opened.query(f"{module} and more").exact_document
    assert cli("query", "kept", "-f", json.__file__, "-q").code == 0


def test_the_demo_replaces_nothing(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    result = cli("demo", "--keep", "kept")
    assert result.code == 2
    assert re.fullmatch("portrait: error: kept: already exists: .*\n", result.err)
    assert list((tmp_path / "kept").iterdir()) == []


def test_the_demo_is_coloured_on_a_terminal(cli: Cli, tmp_path: Path) -> None:
    result = cli.on_terminal("stdout", "demo", environment={"TMPDIR": str(tmp_path)})
    assert result.code == 0
    assert "\x1b[31m" in result.out
    assert "»" not in result.out
    assert list(tmp_path.iterdir()) == []


def test_a_demo_whose_output_nobody_reads_leaves_nothing_behind(cli: Cli, tmp_path: Path) -> None:
    assert cli.into_closed_pipe("demo", environment={"TMPDIR": str(tmp_path)}) == (141, "", "")
    assert list(tmp_path.iterdir()) == []
