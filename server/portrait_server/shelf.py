"""The portraits that a server keeps open, read-only.

Every worker maps the files, so their bytes are in memory once. The files may be replaced while the server
runs: :meth:`Shelf.reload` opens what changed and swaps it in with one assignment, so that every question
is answered by the old portraits or by the new ones, never by a mixture.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import portrait

from .errors import UnknownPortraitError, WithdrawnPortraitError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    from portrait import Answer, Portrait

logger = logging.getLogger("portrait_server.shelf")

#: Device, inode, size and time of change: tells a replaced file from the one that was opened.
Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Place:
    """A path on the shelf, the portrait opened there, and its files as they were then.

    If the portrait cannot be asked, it is ``None`` and ``problem`` says why.
    """

    path: Path
    name: str
    portrait: Portrait | None
    stamps: Mapping[Path, Stamp]
    problem: str | None = None


class Shelf:
    """Open portraits by name, safe to share between threads.

    Args:
        paths: The paths of the portraits.
        lenient: Keep a place for a portrait that cannot be opened now, as a worker that starts later than
            others must.

    Raises:
        PortraitError: A portrait cannot be opened (unless ``lenient``).
        SpecError: Two portraits have the same name.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]], *, lenient: bool = False) -> None:
        self._lock = threading.Lock()
        self._places: dict[str, _Place] = {}
        for path in map(Path, paths):
            place = _open_leniently(path) if lenient else _open(path)
            if place.name in self._places:
                raise portrait.SpecError(
                    f"{path}: another portrait is already named {place.name!r}: rename one of them"
                )
            self._places[place.name] = place

    @property
    def names(self) -> tuple[str, ...]:
        """The portraits' names, in the order of the paths."""
        return tuple(self._places)

    @property
    def problems(self) -> dict[str, str]:
        """The reasons why portraits cannot be asked or could not be replaced, by name."""
        return {name: place.problem for name, place in self._places.items() if place.problem is not None}

    @property
    def ready(self) -> bool:
        """Whether every portrait can be asked."""
        return all(place.portrait is not None for place in self._places.values())

    def can_ask(self, name: str) -> bool:
        """Return whether the shelf has a portrait of that name that can be asked."""
        place = self._places.get(name)
        return place is not None and place.portrait is not None

    def get(self, name: str) -> Portrait:
        """Return the portrait of that name.

        Raises:
            UnknownPortraitError: The shelf has no such portrait.
            WithdrawnPortraitError: The portrait's files are damaged.
        """
        return _portrait(self._places, name)

    @staticmethod
    def unknown(name: str) -> UnknownPortraitError:
        """Return the error for a name that the shelf does not have, or that a caller may not ask."""
        return UnknownPortraitError(
            f"there is no portrait {name[:100]!r} here: GET /v1/portraits lists the portraits"
        )

    def ask(
        self, names: Iterable[str] | None, texts: Iterable[str], evalue: float | None = None
    ) -> list[Answer]:
        """Ask portraits about texts.

        Args:
            names: The portraits to ask; ``None`` for all.
            texts: The texts.
            evalue: The threshold; ``None`` for the library's default.

        Returns:
            One answer for each text.

        Raises:
            UnknownPortraitError: The shelf has no such portrait.
            WithdrawnPortraitError: A portrait's files are damaged.
        """
        return self.asker(names, evalue)(texts)

    def asker(
        self, names: Iterable[str] | None, evalue: float | None = None
    ) -> Callable[[Iterable[str]], list[Answer]]:
        """Return a function that asks the portraits of those names as they are now.

        Args and errors are those of :meth:`ask`.
        """
        places = self._places
        portraits = [_portrait(places, name) for name in (places if names is None else names)]
        options = {} if evalue is None else {"evalue": evalue}
        return lambda texts: portrait.query(portraits, list(texts), **options)

    def reload(self, *, force: bool = False) -> list[str]:
        """Open again what changed on disk, or everything (``force``).

        If the new files cannot be opened, the old portrait stays and the log says so. If the old one's
        own files were cut short, it is withdrawn: reading it would kill the process.

        Returns:
            The names of the portraits that were opened again.
        """
        with self._lock:
            before = self._places
            after = {name: _renewed(place, force) for name, place in before.items()}
            self._places = after
        return [
            name
            for name, place in after.items()
            if place.portrait is not None and place.portrait is not before[name].portrait
        ]


def _portrait(places: Mapping[str, _Place], name: str) -> Portrait:
    place = places.get(name)
    if place is None:
        raise Shelf.unknown(name)
    if place.portrait is None:
        raise WithdrawnPortraitError(f"portrait {name!r} cannot be asked now: its files are damaged")
    return place.portrait


def _open(path: Path) -> _Place:
    stamps = _stamps(path, None)
    opened = portrait.open(path)
    return _Place(path, opened.name, opened, stamps | _stamps(path, opened))


def _open_leniently(path: Path) -> _Place:
    try:
        return _open(path)
    except portrait.PortraitError as error:
        logger.error("cannot open a portrait: %s", error)
        name = path.resolve().name
        return _Place(path, name.removesuffix(".portrait") or name, None, {}, str(error))


def _renewed(place: _Place, force: bool) -> _Place:
    """Return ``place`` with its portrait opened again if its files have changed."""
    now = {path: _stamp(path) for path in place.stamps}
    if place.portrait is not None and not force and now == place.stamps:
        return place
    try:
        new = _open(place.path)
    except portrait.PortraitError as error:
        return _kept_or_withdrawn(place, str(error))
    if new.name != place.name:
        return _kept_or_withdrawn(
            place, f"{place.path}: the portrait is now named {new.name!r}: restart to serve it"
        )
    logger.info("portrait %s was opened again", place.name)
    return new


def _kept_or_withdrawn(place: _Place, problem: str) -> _Place:
    kept = place.portrait
    if kept is not None and any(_cut_short(path, stamp) for path, stamp in place.stamps.items()):
        kept = None
    if problem != place.problem or kept is not place.portrait:
        outcome = "is withdrawn" if kept is None else "stays as it was"
        logger.error("portrait %s %s: %s", place.name, outcome, problem)
    return _Place(place.path, place.name, kept, place.stamps, problem)


def _cut_short(path: Path, opened: Stamp) -> bool:
    """Return whether the very file that was opened has lost bytes: reading them would kill the process."""
    now = _stamp(path)
    return now[:2] == opened[:2] and now[2] < opened[2]


def _stamps(path: Path, opened: Portrait | None) -> dict[Path, Stamp]:
    """Return the stamps of the manifest and, for an open portrait, of all its files."""
    files = {path / "portrait.json" if path.is_dir() else path}
    if opened is not None and opened.is_bundle:
        files |= {path / shard.file for layer in opened.manifest.layers for shard in layer.shards}
    elif opened is not None:
        files |= set(path.parent.glob(f"{path.name}.*"))
    return {file: _stamp(file) for file in sorted(files)}


def _stamp(file: Path) -> Stamp:
    try:
        status = file.stat()
    except OSError:
        return (0, 0, 0, 0)
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
