"""A stand-in for the hub, in whose place the hub's library finds it, and small portraits to publish there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import portrait
from support.hub_stand_in import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.hub_stand_in import Files, StandIn

TALE = "The ferryman of Orrin counts every plank of the pier before he lets anybody step on it. " * 4
SEQUEL = (
    "His daughter counts the passengers instead, and writes their names on the back of a tide table. " * 4
)
#: Texts of people in a card: after what is generated.
NOTE = b"\nAsk the ferryman before you cite this.\n"
#: The token of the user ``org``, who may write to repositories of that name.
TOKEN = "the-token-of-org"
#: Files of a model's repository.
MODEL_FILES = {
    "README.md": b"---\nlicense: mit\n---\n# A model\n",
    "config.json": b"{}\n",
    "model.safetensors": bytes(range(200)),
}


@pytest.fixture(scope="module")
def hub_server() -> Iterator[StandIn]:
    """A stand-in for the hub, which serves nothing yet."""
    with serving() as stand_in:
        yield stand_in


@pytest.fixture
def hub(hub_server: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The stand-in, empty, as this process's hub; the user ``org`` is logged in, and the cache is new."""
    hub_server.clear()
    hub_server.tokens[TOKEN] = "org"
    use_hub(hub_server.url, tmp_path / "home", monkeypatch)
    return hub_server


def use_hub(url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the variables of this process name a hub, with a user who is logged in."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_ASSETS_CACHE", "HUGGINGFACE_ASSETS_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", url)
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")


@pytest.fixture(scope="module")
def tale(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small portrait of the tale, which no test changes."""
    return _build(tmp_path_factory, {"tale": TALE})


@pytest.fixture(scope="module")
def saga(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small portrait of the tale and its sequel, which no test changes."""
    return _build(tmp_path_factory, {"tale": TALE, "sequel": SEQUEL})


def _build(tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str]) -> Path:
    directory = tmp_path_factory.mktemp("built")
    for name, text in texts.items():
        (directory / f"{name}.txt").write_text(text)
    sources = {name: directory / f"{name}.txt" for name in texts}
    return portrait.build(sources, directory / "ferry.portrait").path


def files_of(directory: Path, path_in_repo: str = "") -> Files:
    """Return the files in a directory as files of a repository."""
    prefix = path_in_repo and f"{path_in_repo}/"
    return {f"{prefix}{path.name}": path.read_bytes() for path in directory.iterdir()}


def shard_name(directory: Path) -> str:
    """Return the name of the file of a portrait's first filter."""
    return next(path.name for path in sorted(directory.glob("*-of-*.safetensors")))
