"""The weights of a model beside its portrait: which files they are, and their digests."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from portrait.bundle.reader import MANIFEST_NAME
from portrait.errors import SignatureError, SpecError
from portrait.markup.numbers import count
from portrait.signing.statement import MAX_SUBJECTS, Subject, is_portable_name
from portrait.storage.failures import reason
from portrait.storage.regular import open_regular, regular_status

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from portrait.progress import Progress

#: The ends of the names of files that hold weights.
WEIGHT_SUFFIXES = (
    ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".ggml", ".onnx", ".onnx_data", ".h5", ".hdf5",
    ".keras", ".msgpack", ".npz", ".tflite", ".pb", ".pdparams",
)  # fmt: skip

#: The stage of progress in which weights are read.
STAGE = "weights"

_CHUNK_BYTES = 1 << 22


def weight_paths(weights: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> tuple[Path, ...]:
    """Return one path or several as a tuple."""
    return (Path(weights),) if isinstance(weights, str | os.PathLike) else tuple(map(Path, weights))


def find_weights(directory: Path, own_files: Collection[str], more: Sequence[Path] = ()) -> dict[str, Path]:
    """Find the weights in a portrait's directory, and others.

    A directory is searched with its subdirectories, except hidden ones and those of other portraits. Names of
    weights are relative to the directory in which they were found.

    Args:
        directory: The portrait's directory.
        own_files: The portrait's own files in it.
        more: Directories to search, too, and files, which may have any name.

    Returns:
        The weights' files, by their names.

    Raises:
        SpecError: There is nothing at a path, two files have one name, or a name cannot be written down.
    """
    own = {os.path.realpath(directory / name) for name in own_files}
    found: dict[str, Path] = {}
    for path in (directory, *more):
        for name, file in _weights_at(path):
            real = os.path.realpath(file)
            if real in own:
                continue
            other = found.setdefault(name, file)
            if os.path.realpath(other) != real:
                raise SpecError(
                    f"{file}: has the name {name} of {other}: rename one of them, or sign the weights of one "
                    "directory only",
                    parameter="weights",
                )
            if not is_portable_name(name):
                raise SpecError(
                    f"{file}: weights cannot have this name: rename the file", parameter="weights"
                )
            if len(found) > MAX_SUBJECTS - 2:
                raise SpecError(
                    f"{path}: more than {count(MAX_SUBJECTS - 2)} files of weights: name those to sign",
                    parameter="weights",
                )
    return found


def _weights_at(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of weights at a path, each with its name."""
    if not path.is_dir():
        if not path.exists():
            raise SpecError(
                f"{path}: no such file or directory: name the model's weights", parameter="weights"
            )
        yield path.name, path
        return
    for folder, subfolders, files in os.walk(path, onerror=_refuse):
        here = Path(folder)
        subfolders[:] = sorted(
            name
            for name in subfolders
            if not name.startswith(".") and not os.path.lexists(here / name / MANIFEST_NAME)
        )
        for name in sorted(files):
            file = here / name
            if name.endswith(WEIGHT_SUFFIXES) and not name.startswith("."):
                yield file.relative_to(path).as_posix(), file


def _refuse(error: OSError) -> NoReturn:
    raise SpecError(f"{error.filename}: cannot be searched: {reason(error)}", parameter="weights") from error


def digest_weights(weights: Mapping[str, Path], progress: Progress) -> tuple[Subject, ...]:
    """Read weights, and return their names with their digests.

    Args:
        weights: The files, by their names.
        progress: Receives the number of bytes read.

    Raises:
        SignatureError: A file cannot be read.
    """
    with_sizes = {name: (path, _size(path)) for name, path in weights.items()}
    if not with_sizes:
        return ()
    progress.start(sum(size for _, size in with_sizes.values()), STAGE)
    try:
        return tuple(Subject(name, _digest(path, progress)) for name, (path, _) in with_sizes.items())
    finally:
        progress.finish()


def check_weights(
    subjects: Sequence[Subject], directories: Sequence[Path], progress: Progress
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Compare weights with the digests that a statement gives.

    Args:
        subjects: The weights, by the statement of a signature that has been checked.
        directories: Where to look for them. A file that several hold is compared in each.
        progress: Receives the number of bytes read.

    Returns:
        The names of the weights that are as stated, and of those that no directory holds.

    Raises:
        SignatureError: A file is not as stated, or cannot be read.
    """
    places = {
        subject.name: [file for place in directories if os.path.lexists(file := place / subject.name)]
        for subject in subjects
    }
    sizes = {file: _size(file) for files in places.values() for file in files}
    if sizes:
        progress.start(sum(sizes.values()), STAGE)
    try:
        for subject in subjects:
            for file in places[subject.name]:
                if _digest(file, progress) != subject.sha256:
                    raise SignatureError(
                        f"{file}: is not the file that the signature names: its SHA-256 is another: fetch it "
                        "again, or ask the signer"
                    )
    finally:
        if sizes:
            progress.finish()
    present = tuple(name for name, files in places.items() if files)
    return present, tuple(name for name, files in places.items() if not files)


def _size(path: Path) -> int:
    try:
        return regular_status(path).st_size
    except OSError as error:
        raise SignatureError(f"{path}: {reason(error)}") from error


def _digest(path: Path, progress: Progress) -> str:
    digest = hashlib.sha256()
    try:
        with open_regular(path) as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                progress.advance(len(chunk))
    except OSError as error:
        raise SignatureError(f"{path}: {reason(error)}") from error
    return digest.hexdigest()
