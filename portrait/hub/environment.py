"""What the hub's variables say: the endpoint, where its cache is, whether it may be asked at all.

They are those of ``huggingface_hub``, read without loading it, so that a portrait in the cache opens as fast
as any other. (https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables)
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

SCHEME = "hf://"
_PUBLIC_HUB = "https://huggingface.co"
_TRUE = {"1", "ON", "YES", "TRUE"}


def is_address(location: str | os.PathLike[str]) -> bool:
    """Return whether a location is an address on a hub, rather than a path.

    The address of a repository's page counts as well: ``https://huggingface.co/ORG/NAME``.
    """
    return isinstance(location, str) and location.startswith((SCHEME, f"{endpoint_url()}/"))


def endpoint_url() -> str:
    """Return the hub's URL, without a slash at its end."""
    return (os.environ.get("HF_ENDPOINT") or _PUBLIC_HUB).rstrip("/")


def cache_directory() -> Path:
    """Return the directory in which the hub's library keeps repositories."""
    return _path("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") or _home("hub")


def assets_directory() -> Path:
    """Return the directory in which programs that use the hub keep files of their own."""
    return _path("HF_ASSETS_CACHE", "HUGGINGFACE_ASSETS_CACHE") or _home("assets")


def is_offline() -> bool:
    """Return whether the hub is not to be asked."""
    value = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return value.upper() in _TRUE


def _home(name: str) -> Path:
    """Return a directory in the hub's home."""
    home, caches = os.environ.get("HF_HOME"), os.environ.get("XDG_CACHE_HOME")
    return _expanded(f"{home}/{name}" if home else f"{caches or '~/.cache'}/huggingface/{name}")


def _path(*names: str) -> Path | None:
    value = next(filter(None, map(os.environ.get, names)), None)
    return None if value is None else _expanded(value)


# A question to the cache asks for these paths again and again.
@lru_cache(maxsize=16)
def _expanded(value: str) -> Path:
    return Path(os.path.expandvars(value)).expanduser()
