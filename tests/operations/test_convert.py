"""``convert``: other files, the same portrait."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support.forge import replace as replace_file
from support.forge import shard_path

import portrait
from portrait import DamagedBundleError, NotAPortraitError, OutputExistsError

TEXT = " ".join(f"{random.Random(3).getrandbits(40 + i % 7):x}{i:x}" for i in range(9000))


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, holding a portrait."""
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text(TEXT)
    portrait.build({"x": "a.txt", "y": "a.txt"}, "whole", license="CC0-1.0", trained_models=["m"])
    return tmp_path


def contents(path: str) -> dict[str, bytes]:
    """Return the content of every file of a bundle."""
    return {one.name: one.read_bytes() for one in Path(path).iterdir()}


def test_only_the_files_change() -> None:
    whole = portrait.open("whole")
    cut = portrait.convert("whole", "cut", max_shard_bytes=5000)
    assert all(len(layer.shards) > 2 for layer in cut.manifest.layers)
    assert all(shard.bytes <= 5000 for layer in cut.manifest.layers for shard in layer.shards)
    assert cut.manifest.id == whole.manifest.id
    layers = [replace(layer, shards=()) for layer in whole.manifest.layers]
    assert [replace(layer, shards=()) for layer in cut.manifest.layers] == layers
    assert replace(cut.manifest, layers=()) == replace(whole.manifest, layers=())
    assert cut.hits(TEXT[:9999]) == whole.hits(TEXT[:9999])
    assert portrait.verify("cut").id == whole.manifest.id


def test_converting_back_restores_the_same_bytes() -> None:
    portrait.convert("whole", "cut", max_shard_bytes=4096)
    portrait.convert("cut", "other", max_shard_bytes=9000)
    portrait.convert("other", "back")
    back, whole = contents("back"), contents("whole")
    # The card names the directory.
    assert back.pop("README.md").replace(b"back", b"whole") == whole.pop("README.md")
    assert back == whole
    portrait.build({"x": "a.txt", "y": "a.txt"}, "built", max_shard_bytes=4096)
    shards = {name: data for name, data in contents("built").items() if name.endswith(".safetensors")}
    assert shards.items() <= contents("cut").items()


def test_an_edited_card_is_kept() -> None:
    card = Path("whole/README.md")
    begin = card.read_text().index("<!-- portrait:begin")
    card.write_text(f"{card.read_text()[:begin]}Ours.\n{card.read_text()[begin:]}And ours.\n")
    portrait.convert("whole", "cut", max_shard_bytes=5000)
    copy = Path("cut/README.md").read_text()
    assert copy.startswith(f"{card.read_text()[:begin]}Ours.\n<!-- portrait:begin")
    assert copy.endswith("<!-- portrait:end -->\nAnd ours.\n")
    assert "\n# cut\n" in copy
    card.unlink()
    portrait.convert("whole", "new", max_shard_bytes=5000)
    assert "# new" in Path("new/README.md").read_text()


@pytest.mark.parametrize("page", ["text", "link", "fifo", "device"])
def test_a_page_that_is_not_the_portrait_s_is_not_copied(page: str) -> None:
    card, secret = Path("whole/README.md"), Path("secret")
    card.unlink()
    secret.write_text("secret")
    if page == "text":
        card.write_text("secret")
    elif page == "fifo":
        os.mkfifo(card)
    else:
        card.symlink_to("../secret" if page == "link" else "/dev/zero")
    portrait.convert("whole", "cut", max_shard_bytes=5000)
    assert "\n# cut\n" in Path("cut/README.md").read_text()
    assert "secret" not in Path("cut/README.md").read_text()
    # Nor is it touched where the portrait is written again.
    status = card.lstat()
    portrait.drop("whole", ["x"])
    assert (card.lstat().st_ino, card.lstat().st_mode) == (status.st_ino, status.st_mode)


def test_a_damaged_portrait_is_not_converted() -> None:
    path = shard_path(Path("whole"))
    data = path.read_bytes()
    replace_file(path, data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(DamagedBundleError, match="its content is not what"):
        portrait.convert("whole", "cut", max_shard_bytes=5000)
    assert not Path("cut").exists()


def test_existing_files_are_not_overwritten() -> None:
    Path("cut").mkdir()
    with pytest.raises(OutputExistsError):
        portrait.convert("whole", "cut")
    with pytest.raises(NotAPortraitError):
        portrait.convert("a.txt", "new")


def test_a_portrait_may_replace_itself() -> None:
    before = portrait.open("whole")
    portrait.convert("whole", "whole", max_shard_bytes=5000, overwrite=True)
    assert len(portrait.open("whole").manifest.layers[0].shards) > 2
    assert portrait.verify("whole").id == before.manifest.id


def test_the_command_line_converts() -> None:
    command = [sys.executable, "-m", "portrait", "convert", "whole", "cut", "--max-shard-size", "5kB"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    n_shards = len(list(Path("cut").glob("*-of-*.safetensors")))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"cut: {n_shards} shards, ")
