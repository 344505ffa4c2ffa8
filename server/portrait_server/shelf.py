"""The portraits this server holds open, read-only.

Every worker maps them, so their bytes lie in memory once. What stands on disk may be replaced while
the server runs: :meth:`Shelf.reload` opens what changed and swaps it in with one assignment, so that
a question is answered by the old portraits or by the new ones, never by a mixture.
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

#: Device, inode, size and time of change: what tells a replaced file from the one that was opened.
Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Place:
    """A path, the portrait opened there, and the files as they were then.

    ``portrait`` is ``None`` where ``problem`` says why it cannot be asked.
    """

    path: Path
    name: str
    portrait: Portrait | None
    stamps: Mapping[Path, Stamp]
    problem: str | None = None


class Shelf:
    """Open portraits by name; safe to share between threads.

    ``lenient`` keeps a place for a portrait that cannot be opened now, which is what a worker wants
    that starts anew beside others. Otherwise this raises what :func:`portrait.open` raises, and
    :class:`portrait.SpecError` where two portraits have one name.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]], *, lenient: bool = False) -> None:
        self._lock = threading.Lock()
        self._places: dict[str, _Place] = {}
        for path in map(Path, paths):
            place = _open_leniently(path) if lenient else _open(path)
            if place.name in self._places:
                raise portrait.SpecError(
                    f"{path}: there is a portrait named {place.name!r} already: rename one of them"
                )
            self._places[place.name] = place

    @property
    def names(self) -> tuple[str, ...]:
        """The portraits' names, in the order they were given."""
        return tuple(self._places)

    @property
    def problems(self) -> dict[str, str]:
        """Why some portraits cannot be asked, or were not replaced, by name."""
        return {name: place.problem for name, place in self._places.items() if place.problem is not None}

    @property
    def ready(self) -> bool:
        """Whether every portrait can be asked."""
        return all(place.portrait is not None for place in self._places.values())

    def can_ask(self, name: str) -> bool:
        """Whether the portrait of that name is there and whole."""
        return name in self._places and self._held(name) is not None

    def get(self, name: str) -> Portrait:
        """The portrait of that name.

        Raises :class:`UnknownPortraitError`, and :class:`WithdrawnPortraitError` for one whose files
        went bad.
        """
        return _portrait(self._places, name)

    @staticmethod
    def unknown(name: str) -> UnknownPortraitError:
        """The error for a name that is not here, or not for everyone."""
        return UnknownPortraitError(f"no portrait {name[:100]!r} here: GET /v1/portraits lists what there is")

    def ask(
        self, names: Iterable[str] | None, texts: Iterable[str], evalue: float | None = None
    ) -> list[Answer]:
        """One answer for each text, from the portraits of those names, or from all.

        Raises what :meth:`get` and :func:`portrait.query` raise.
        """
        return self.asker(names, evalue)(texts)

    def asker(
        self, names: Iterable[str] | None, evalue: float | None = None
    ) -> Callable[[Iterable[str]], list[Answer]]:
        """What asks the portraits of those names, as they are now, any number of times."""
        places = self._places
        portraits = [_portrait(places, name) for name in (places if names is None else names)]
        options = {} if evalue is None else {"evalue": evalue}
        return lambda texts: portrait.query(portraits, list(texts), **options)

    def reload(self, *, force: bool = False) -> list[str]:
        """Open again what changed on disk, or everything (``force``); returns the names of the new ones.

        A portrait that can no longer be opened leaves the old one in its place, and the log says so;
        unless the old one's own files were cut short, which would kill who reads them: then it is
        withdrawn.
        """
        with self._lock:
            places = dict(self._places)
            for name, place in self._places.items():
                places[name] = _renewed(place, force)
            changed = [name for name, place in places.items() if place.portrait is not self._held(name)]
            self._places = places
        return [name for name in changed if places[name].portrait is not None]

    def _held(self, name: str) -> Portrait | None:
        return self._places[name].portrait


def _portrait(places: Mapping[str, _Place], name: str) -> Portrait:
    place = places.get(name)
    if place is None:
        raise Shelf.unknown(name)
    if place.portrait is None:
        raise WithdrawnPortraitError(
            f"portrait {name!r} cannot be asked at the moment: its files are damaged"
        )
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
    """``place``, opened again where its files are not those that were opened."""
    now = {path: _stamp(path) for path in place.stamps}
    if place.portrait is not None and not force and now == place.stamps:
        return place
    try:
        new = _open(place.path)
    except portrait.PortraitError as error:
        return _kept_or_withdrawn(place, str(error))
    if new.name != place.name:
        return _kept_or_withdrawn(place, f"{place.path}: is now named {new.name!r}: restart to serve that")
    logger.info("portrait %s is open anew", place.name)
    return new


def _kept_or_withdrawn(place: _Place, problem: str) -> _Place:
    opened = place.portrait
    if opened is not None and any(_cut_short(path, stamp) for path, stamp in place.stamps.items()):
        opened = None
    if problem != place.problem or opened is not place.portrait:
        did = "is withdrawn" if opened is None else "stays as it was"
        logger.error("portrait %s %s: %s", place.name, did, problem)
    return _Place(place.path, place.name, opened, place.stamps, problem)


def _cut_short(path: Path, opened: Stamp) -> bool:
    """Whether the very file that was opened lost bytes: to read one of those ends the process."""
    now = _stamp(path)
    return now[:2] == opened[:2] and now[2] < opened[2]


def _stamps(path: Path, opened: Portrait | None) -> dict[Path, Stamp]:
    """The stamps of a portrait's files: its manifest's, or of those too that an open one is made of."""
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
