"""Opening portraits, and following changes of their files: whatever is wrong stays that portrait's problem.

The library opens files by their paths. So that nobody can exchange one for a link meanwhile, every file is
looked at before, and opened below the roots and compared afterwards, before anything is asked.
"""

from __future__ import annotations

import codecs
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import portrait

from ..errors import ForbiddenFileError
from .roots import Roots

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portrait import Portrait

logger = logging.getLogger("portrait_server.shelf")

MANIFEST_NAME = "portrait.json"
CARD_NAME = "README.md"
#: A card is a page of text; a longer one is cut here.
MAX_CARD_BYTES = 256 << 10

#: Device, inode, size and time of change: tells a replaced file from the one that was opened.
Stamp = tuple[int, int, int, int]
_MISSING: Stamp = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Place:
    """A portrait as the settings name it, what was opened there, and its files as they were then.

    If the portrait cannot be asked, it is ``None`` and ``problem`` says why. ``location`` is a path, or the
    address of a portrait on a hub, and ``path`` where its files are.
    """

    location: Path | str
    path: Path
    name: str
    more_roots: tuple[Path, ...]
    portrait: Portrait | None
    stamps: Mapping[Path, Stamp]
    problem: str | None = None

    def card(self) -> str | None:
        """Return the bundle's card, cut to a page; ``None`` if it has none, or none that may be served."""
        if self.portrait is None or not self.portrait.is_bundle:
            return None
        try:
            data = Roots.of_portrait(self.path, self.more_roots).read(self.path / CARD_NAME, MAX_CARD_BYTES)
        except (OSError, ForbiddenFileError):
            return None
        # The decoder waits for the rest of a character that the cut goes through.
        whole = len(data) < MAX_CARD_BYTES
        return codecs.getincrementaldecoder("utf-8")("replace").decode(data, final=whole)


def open_place(location: Path | str, more_roots: tuple[Path, ...] = ()) -> Place:
    """Open the portrait at a path, or at an address, all of whose files must be inside its roots.

    Raises:
        PortraitError: It cannot be opened, or a file of it must not be.
    """
    try:
        return _open(location, more_roots)
    except OSError as error:
        if isinstance(error, portrait.PortraitError):
            raise
        raise portrait.NotAPortraitError(
            f"{error.filename or location}: {error.strerror or error}"
        ) from error


def open_leniently(location: Path | str, more_roots: tuple[Path, ...] = ()) -> Place:
    """Open the portrait at a path or an address, or return a place that says why it could not be opened."""
    try:
        return open_place(location, more_roots)
    except Exception as error:
        problem = _explained(location, error)
        logger.error("cannot open a portrait: %s", problem)
        return Place(location, Path(location), _name_of(location), more_roots, None, {}, problem)


def renewed(place: Place, *, force: bool = False) -> Place:
    """Return ``place`` with its portrait opened again if its files have changed, or in any case (``force``).

    What could not be opened is tried again, changed or not; a hub is asked only with ``force``. If the
    new files cannot be opened, the old portrait stays. If the old one's own files were cut short, it is
    withdrawn: reading it would kill the process.
    """
    well = place.portrait is not None and place.problem is None
    may_stay = (well or isinstance(place.location, str)) and not force
    if may_stay and {path: _stamp(path) for path in place.stamps} == place.stamps:
        return place
    try:
        new = open_place(place.location, place.more_roots)
    except Exception as error:
        return _kept_or_withdrawn(place, _explained(place.location, error, known=place.problem))
    if new.name != place.name:
        return _kept_or_withdrawn(
            place, f"{place.location}: the portrait is now named {new.name!r}: restart to serve it"
        )
    logger.info("portrait %s was opened again", place.name)
    return new


def _open(location: Path | str, more_roots: tuple[Path, ...]) -> Place:
    path = location if isinstance(location, Path) else portrait.pull(location)
    if isinstance(location, str):
        more_roots = (*more_roots, *_cache_of(path))
    roots = Roots.of_portrait(path, more_roots)
    is_directory = path.is_dir()
    first = path / MANIFEST_NAME if is_directory else path
    before = _stamps_in(path if is_directory else path.parent)
    if first.exists():  # otherwise, the library says what is missing
        roots.status(first)
    opened = portrait.open(path)
    stamps = {}
    for file in (first, *_other_files(path, opened)):
        stamps[file] = before.get(file, _MISSING)
        if _stamp_of(roots.status(file))[:2] != stamps[file][:2]:
            raise portrait.DamagedBundleError(f"{file}: was replaced while it was opened: open it again")
    _check_card(path, roots, opened)
    opened.check_rates()
    return Place(location, path, opened.name, more_roots, opened, stamps)


def _cache_of(path: Path) -> tuple[Path, ...]:
    """Return the hub's cache that a portrait is in: its files are links to others in the cache."""
    return tuple(parent.parents[1] for parent in path.parents if parent.name == "snapshots")[:1]


def _other_files(path: Path, opened: Portrait) -> list[Path]:
    """Return the files that answers are read from; a portrait's first file, manifest or index, names them."""
    if opened.is_bundle:
        return [path / shard.file for layer in opened.manifest.layers for shard in layer.shards]
    index = path.with_name(f"{path.name}.idx")
    files = [path.with_name(name) for name in opened.facts["files"]]
    return [index, *files] if index.exists() else files


def _check_card(path: Path, roots: Roots, opened: Portrait) -> None:
    """Say in the log why a card is not served; the portrait itself can be asked."""
    if not opened.is_bundle:
        return
    try:
        roots.status(path / CARD_NAME)
    except FileNotFoundError:
        pass
    except (OSError, ForbiddenFileError) as error:
        logger.warning("portrait %s: its card is not served: %s", opened.name, error)


def _stamps_in(directory: Path) -> dict[Path, Stamp]:
    return {path: _stamp(path) for path in directory.iterdir()} if directory.is_dir() else {}


def _stamp(file: Path) -> Stamp:
    try:
        return _stamp_of(file.stat())
    except OSError:
        return _MISSING


def _stamp_of(status: os.stat_result) -> Stamp:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _explained(location: Path | str, error: Exception, known: str | None = None) -> str:
    """Return why a portrait could not be opened; log the traceback of what was not foreseen, once."""
    if isinstance(error, portrait.PortraitError):
        return str(error)
    problem = f"{location}: cannot be opened: {type(error).__name__}"
    if problem != known:
        logger.error("%s", problem, exc_info=error)
    return problem


def _name_of(location: Path | str) -> str:
    """Return the name that a portrait will have once it can be opened."""
    if isinstance(location, str):
        return Path(location).name.partition("@")[0].removesuffix(".bf").removesuffix(".portrait")
    path = location
    if path.suffix == ".bf":
        return path.stem
    name = os.path.basename(os.path.realpath(path))  # noqa: PTH119
    return name.removesuffix(".portrait") or name


def _kept_or_withdrawn(place: Place, problem: str) -> Place:
    kept = place.portrait
    if kept is not None and any(_cut_short(path, place.stamps[path]) for path in _mapped_files(place)):
        kept = None
    if problem != place.problem or kept is not place.portrait:
        outcome = "is withdrawn" if kept is None else "stays as it was"
        logger.error("portrait %s %s: %s", place.name, outcome, problem)
    return replace(place, portrait=kept, problem=problem)


def _mapped_files(place: Place) -> list[Path]:
    """Return the files that an open portrait reads while it answers: all but a bundle's manifest."""
    manifest = place.path / MANIFEST_NAME
    return [path for path in place.stamps if path != manifest]


def _cut_short(path: Path, opened: Stamp) -> bool:
    """Return whether the very file that was opened has lost bytes: reading them would kill the process."""
    now = _stamp(path)
    return now[:2] == opened[:2] and now[2] < opened[2]
