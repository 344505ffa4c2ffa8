"""The examples of a deployment that are installed with the service."""

from __future__ import annotations

from pathlib import Path

import pytest
from portrait_server import examples
from support.places import ROOT

from portrait import OutputError, OutputExistsError, SpecError

DEPLOY = ROOT / "server" / "deploy"


def test_every_file_of_the_folder_is_an_example() -> None:
    assert examples.names() == sorted(path.name for path in DEPLOY.iterdir())
    assert {"compose.yaml", "nginx-http.conf", "nginx-server.conf", "portrait.service"} < set(
        examples.names()
    )
    for name in examples.names():
        assert examples.read(name) == (DEPLOY / name).read_text()


def test_all_examples_are_written_or_none(tmp_path: Path) -> None:
    assert examples.write_all(tmp_path) == [tmp_path / name for name in examples.names()]
    assert (tmp_path / "service.toml").read_text() == examples.read("service.toml")
    last = tmp_path / examples.names()[-1]
    for path in tmp_path.iterdir():
        path.unlink()
    last.write_text("mine")
    with pytest.raises(OutputExistsError, match=last.name):
        examples.write_all(tmp_path)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_a_directory_that_cannot_be_written_to_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"neither an example .*nor a directory"):
        examples.write_all(tmp_path / "none")
    with pytest.raises(OutputError, match="/proc"):
        examples.write_all(Path("/proc"))
