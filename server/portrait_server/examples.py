"""The examples of a deployment that are installed with the service: configuration of what is around it."""

from __future__ import annotations

from pathlib import Path

from portrait import OutputError, OutputExistsError, SpecError

FOLDER = Path(__file__).parent / "deploy"


def names() -> list[str]:
    """Return the names of the example files."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_file())


def read(name: str) -> str:
    """Return the content of an example file."""
    return (FOLDER / name).read_text(encoding="utf-8")


def write_all(directory: Path) -> list[Path]:
    """Write all example files into a directory that exists, and return their paths.

    Raises:
        SpecError: There is no such directory.
        OutputExistsError: A file of one of the names exists; nothing is written.
        OutputError: A file cannot be written.
    """
    if not directory.is_dir():
        raise SpecError(f"{directory}: neither an example ({', '.join(names())}) nor a directory")
    paths = [directory / name for name in names()]
    for path in paths:
        if path.exists() or path.is_symlink():
            raise OutputExistsError(f"{path}: already exists: choose another directory")
    for path in paths:
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(read(path.name))
        except OSError as error:
            raise OutputError(f"{path}: {error.strerror}") from error
    return paths
