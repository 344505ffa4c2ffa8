"""The portraits that a server keeps open, read-only.

Every worker maps the files, so their bytes are in memory once. The files may be replaced while the server
runs: :meth:`Shelf.reload` opens what changed and swaps it in with one assignment, so that every question
is answered by the old portraits or by the new ones, never by a mixture.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import portrait

from .errors import UnknownPortraitError, WithdrawnPortraitError
from .files.opening import Place, open_leniently, open_place, renewed

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    from portrait import Answer, Portrait

logger = logging.getLogger("portrait_server.shelf")


class Shelf:
    """Open portraits by name, safe to share between threads.

    Args:
        locations: The paths of the portraits, or their addresses on a hub.
        roots: The directories that links in the portraits may lead to, besides the portraits' own.
        lenient: Keep a place for a portrait that cannot be opened now, as a worker that starts later than
            others must.

    Raises:
        PortraitError: A portrait cannot be opened (unless ``lenient``).
        SpecError: Two portraits have the same name.
    """

    def __init__(
        self,
        locations: Iterable[Path | str],
        *,
        roots: Iterable[str | os.PathLike[str]] = (),
        lenient: bool = False,
    ) -> None:
        self._lock = threading.Lock()
        self._places: dict[str, Place] = {}
        more_roots = tuple(map(Path, roots))
        for location in locations:
            place = (open_leniently if lenient else open_place)(location, more_roots)
            if place.name not in self._places:
                self._places[place.name] = place
                continue
            problem = f"{location}: another portrait is already named {place.name!r}: rename one of them"
            if not lenient:
                raise portrait.SpecError(problem)
            logger.error("cannot serve a portrait: %s", problem)

    @property
    def names(self) -> tuple[str, ...]:
        """The portraits' names, in the order of the settings."""
        return tuple(self._places)

    @property
    def problems(self) -> dict[str, str]:
        """The reasons why portraits cannot be asked or could not be replaced, by name."""
        return {name: place.problem for name, place in self._places.items() if place.problem is not None}

    @property
    def ready(self) -> bool:
        """Whether every portrait can be asked."""
        return all(place.portrait is not None for place in self._places.values())

    def states(self) -> dict[str, int]:
        """Return how many portraits are as on disk, answer with their old files, and cannot be asked."""
        places = self._places.values()
        n_open = sum(place.portrait is not None for place in places)
        stale = sum(place.portrait is not None and place.problem is not None for place in places)
        return {"current": n_open - stale, "stale": stale, "withdrawn": len(places) - n_open}

    def can_ask(self, name: str) -> bool:
        """Return whether the shelf has a portrait of that name that can be asked."""
        place = self._places.get(name)
        return place is not None and place.portrait is not None

    def get(self, name: str) -> Portrait:
        """Return the portrait of that name.

        Raises:
            UnknownPortraitError: The shelf has no such portrait.
            WithdrawnPortraitError: The portrait's files cannot be used.
        """
        return _portrait(self._places, name)

    def card(self, name: str) -> str | None:
        """Return the card of the portrait of that name, if it has one that may be served.

        It raises the errors of :meth:`get`.
        """
        places = self._places
        _portrait(places, name)
        return places[name].card()

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
            WithdrawnPortraitError: A portrait's files cannot be used.
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
            after = {name: renewed(place, force=force) for name, place in before.items()}
            self._places = after
        return [
            name
            for name, place in after.items()
            if place.portrait is not None and place.portrait is not before[name].portrait
        ]


def _portrait(places: Mapping[str, Place], name: str) -> Portrait:
    place = places.get(name)
    if place is None:
        raise Shelf.unknown(name)
    if place.portrait is None:
        raise WithdrawnPortraitError(f"portrait {name!r} cannot be asked now: its files cannot be used")
    return place.portrait
