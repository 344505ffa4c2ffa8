"""Options of what to write: sizes of shards, and the output itself."""

from __future__ import annotations

from typing import Any

import click
import pytest

from portrait.bundle.writer import DEFAULT_SHARD_BYTES
from portrait.cli.shared.writing import license_option, max_shard_size_option, out_option


@click.command("write")
@out_option
@license_option
@max_shard_size_option
def write(**given: Any) -> dict[str, Any]:
    return given


def test_the_default_size_is_the_library_s() -> None:
    given = write.main(["-o", "out"], standalone_mode=False)
    assert given == {"out": "out", "license_": None, "max_shard_bytes": DEFAULT_SHARD_BYTES}


def test_what_is_given_is_passed_on() -> None:
    given = write.main(["--out", "o", "--license", "CC0", "--max-shard-size", "64MB"], standalone_mode=False)
    assert given == {"out": "o", "license_": "CC0", "max_shard_bytes": 64_000_000}


def test_an_output_is_required_and_a_size_is_one() -> None:
    with pytest.raises(click.MissingParameter):
        write.main([], standalone_mode=False)
    with pytest.raises(click.BadParameter, match="'big' is not a size"):
        write.main(["-o", "out", "--max-shard-size", "big"], standalone_mode=False)
