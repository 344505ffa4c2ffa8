"""File-system errors become one kind of error, in one wording."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import pytest

from portrait.errors import CorpusError, OutputError, OutputExistsError
from portrait.storage.failures import reason, writing

OUT = Path("out")


def output_error(error: Exception, what: str = "", **options: str) -> OutputError:
    """Raise an error while writing, and return the OutputError that it becomes.

    ``what`` and ``options`` are arguments of :func:`writing`.
    """
    with pytest.raises(OutputError) as caught, writing(OUT, what, **options):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


def test_a_system_error_names_the_output_and_the_reason() -> None:
    assert (
        str(output_error(OSError(28, "No space left on device")))
        == "out: cannot write: No space left on device"
    )
    assert output_error(OSError(28, "x")).parameter is None


def test_the_part_the_advice_and_the_parameter_are_added() -> None:
    error = output_error(
        OSError(28, "full"), "layer 'a'", advice="choose another work directory", parameter="work_dir"
    )
    assert str(error) == "out: cannot write layer 'a': full: choose another work directory"
    assert error.parameter == "work_dir"


def test_a_mapped_file_that_is_cut_short_while_it_is_written_elsewhere_is_the_reason(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(1 << 16))
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        os.truncate(source, 0)
        with (
            pytest.raises(OutputError) as caught,
            writing(OUT),
            (tmp_path / "target").open("wb", 0) as target,
        ):
            target.write(mapped)
    assert str(caught.value) == (
        "out: cannot write: a file that is copied was cut short meanwhile, or its disk or server failed"
    )


def test_an_impossible_name_becomes_an_output_error() -> None:
    assert str(output_error(ValueError("embedded null byte"))) == "out: cannot write: embedded null byte"


@pytest.mark.parametrize("error", [OutputExistsError("out: is taken"), CorpusError("in: is bad")])
def test_errors_of_the_library_pass_through(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, writing(OUT):
        raise error
    assert caught.value is error


def test_other_errors_pass_through() -> None:
    with pytest.raises(KeyError), writing(OUT):
        raise KeyError("a bug")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(2, "No such file or directory"), "No such file or directory"),
        (OSError("of a library\nwith a second line"), "of a library"),
        (ValueError(""), "ValueError"),
        (OSError(), "OSError"),
    ],
)
def test_the_reason_is_one_line(error: Exception, expected: str) -> None:
    assert reason(error) == expected
