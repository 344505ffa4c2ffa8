"""``portrait key``: the key to stderr, the line with its hash to stdout."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Cli


def test_the_key_goes_to_stderr_and_its_hash_to_stdout(cli: Cli) -> None:
    done = cli.here("key", "alice", "--portrait", "corpus", "--rate", "600/minute")
    assert done.code == 0
    assert done.out.count("\n") == done.err.count("\n") == 1
    secret = done.err.rpartition(": ")[2].strip()
    assert done.err == f"portrait: the key, which will not be shown again: {secret}\n"
    assert secret not in done.out
    line = tomllib.loads(done.out)["alice"]
    assert (line["portraits"], line["rate"]) == (["corpus"], "600/minute")


def test_no_two_keys_are_the_same(cli: Cli) -> None:
    assert cli.here("key", "alice").err != cli.here("key", "alice").err


def test_what_is_not_a_rate_is_refused_in_one_line(cli: Cli) -> None:
    assert "fast" in cli.refused_here("key", "alice", "--rate", "fast")
