"""The portraits that a command asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.filters.redisbloom_dump import SUFFIX
from portrait.hub.local import local_path
from portrait.portraits import portrait as portraits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.portraits.portrait import Portrait


def open_all(paths: Sequence[str], stride: int | None, *, map: bool = True) -> list[Portrait]:  # noqa: A002
    """Open portraits.

    Args:
        paths: Bundles and foreign filters, or their addresses on a hub.
        stride: Units between stored windows, for foreign filters whose names do not say it. Bundles beside
            foreign filters keep their own; bundles alone refuse it.
        map: Whether to map the files rather than to read them into memory.

    Raises:
        BundleError: A path is not a portrait, or not one to be trusted.
        SpecError: The stride is out of range, or contradicts a portrait.
    """
    local = [local_path(path) for path in paths]
    has_foreign = any(path.suffix == SUFFIX for path in local)
    return [
        portraits.open(path, stride=None if has_foreign and path.suffix != SUFFIX else stride, map=map)
        for path in local
    ]
