"""``portrait key`` prints the key to stderr and a line with its hash to stdout."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Cli


def test_the_key_goes_to_stderr_and_its_hash_to_stdout(cli: Cli) -> None:
    result = cli.here("key", "alice", "--portrait", "corpus", "--rate", "600/minute")
    assert result.code == 0
    assert result.out.count("\n") == result.err.count("\n") == 1
    secret = result.err.rpartition(": ")[2].strip()
    assert result.err == f"portrait: the key, which will not be shown again: {secret}\n"
    assert secret not in result.out
    line = tomllib.loads(result.out)["alice"]
    assert (line["portraits"], line["rate"]) == (["corpus"], "600/minute")


def test_every_key_is_different(cli: Cli) -> None:
    assert cli.here("key", "alice").err != cli.here("key", "alice").err


def test_an_invalid_rate_is_refused_in_one_line(cli: Cli) -> None:
    assert "fast" in cli.refused_here("key", "alice", "--rate", "fast")
