"""``verify``: an undamaged portrait passes, and no changed byte does."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.forge import change_manifest, change_shard, opens_or_is_refused, replace, seal

import portrait
from portrait import BundleError, DamagedBundleError

if TYPE_CHECKING:
    from pathlib import Path


TEXT = "The lamplighter knew every street by the sound of its cats. "


def refusal(bundle: Path) -> str:
    """Return the message with which ``verify`` refuses a bundle."""
    with pytest.raises(DamagedBundleError) as caught:
        portrait.verify(bundle)
    assert str(caught.value).isprintable()
    return str(caught.value)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``portrait verify`` in a process."""
    command = [sys.executable, "-m", "portrait", "verify", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_undamaged_portrait_is_verified(whole: Path) -> None:
    verified = portrait.verify(whole)
    files = [path for path in whole.iterdir() if path.name != "README.md"]
    assert verified == portrait.Verified(
        path=str(whole),
        id=portrait.open(whole).manifest.id,
        files=len(files),
        bytes=sum(path.stat().st_size for path in files),
        unexpected=(),
    )
    assert len(files) > 3


def test_a_change_with_matching_digests_is_not_detected(bundle: Path) -> None:
    change_manifest(bundle, lambda manifest: manifest.update(license="MIT"))
    change_shard(bundle, lambda data: data)
    portrait.verify(bundle)


def test_a_missing_card_is_fine_and_other_files_are_reported(bundle: Path) -> None:
    (bundle / "README.md").unlink()
    (bundle / "weights.bin").touch()
    (bundle / "old").mkdir()
    (bundle / ".gitattributes").touch()
    assert portrait.verify(bundle).unexpected == ("old", "weights.bin")
    result = run(bundle)
    assert result.returncode == 0
    assert result.stderr.splitlines() == [
        f"portrait: note: {name!r} is not part of the portrait" for name in ("old", "weights.bin")
    ]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_changed_byte_of_the_manifest_is_detected(
    whole: Path, scratch: Path, data: st.DataObject
) -> None:
    original = (whole / "portrait.json").read_bytes()
    changed = bytearray(original)
    offset = data.draw(st.integers(0, len(original) - 1))
    changed[offset] = data.draw(st.sampled_from(b' \n\t"0aA.,x') | st.integers(0, 255))
    if changed == original:
        changed[offset] ^= 1
    replace(scratch / "portrait.json", bytes(changed))
    try:
        with pytest.raises(BundleError):
            portrait.verify(scratch)
        opens_or_is_refused(scratch, TEXT * 3)
    finally:
        replace(scratch / "portrait.json", original)


def test_the_digest_covers_every_byte_of_the_manifest(whole: Path, scratch: Path) -> None:
    """Check white space, which JSON ignores, and fields that the id does not cover."""
    original = (whole / "portrait.json").read_bytes()
    spaces = original.replace(b"\n  ", b"\n\t ", 1)
    licence = original.replace(b"CC0-1.0", b"CC0-2.0")
    number = original.replace(b'"probe_keys": 1048576', b'"probe_keys": 1048577', 1)
    for changed in (spaces, licence, number, original + b" "):
        assert changed != original
        replace(scratch / "portrait.json", changed)
        portrait.open(scratch)
        assert refusal(scratch).startswith(f"{scratch / 'portrait.json'}: its digest")
    replace(scratch / "portrait.json", original)


def test_the_digest_may_also_occur_in_another_field(bundle: Path) -> None:
    digest = json.loads((bundle / "portrait.json").read_bytes())["manifest_sha256"]
    change_manifest(bundle, lambda manifest: manifest.update(license=digest))
    portrait.verify(bundle)


def test_the_first_damaged_file_is_named(bundle: Path) -> None:
    first, second = sorted(bundle.glob("a-*.safetensors"))[:2]
    for path in (second, first):
        data = path.read_bytes()
        replace(path, data[:-1] + bytes([data[-1] ^ 1]))
    result = run(bundle)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"portrait: error: {first}: its digest is not the recorded one: fetch the bundle again\n"
    )


def test_the_command_line_verifies(whole: Path) -> None:
    result = run(whole)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0].startswith(f"{whole}: intact: ")
    assert json.loads(run(whole, "--json").stdout) == portrait.verify(whole).to_dict()
    assert run(whole, "--quiet").stdout == ""
    assert run(whole / "missing").returncode == 2


class Recorder:
    """A progress callback that records its calls."""

    def __init__(self) -> None:
        self.started: list[int | None] = []
        self.n_bytes = 0
        self.finished = 0

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        self.started.append(n_bytes)

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        self.n_bytes += n_bytes

    def finish(self) -> None:
        self.finished += 1


def test_progress_counts_every_byte(whole: Path) -> None:
    recorder = Recorder()
    portrait.verify(whole, progress=recorder)
    n_bytes = sum(path.stat().st_size for path in whole.glob("*.safetensors"))
    assert (recorder.started, recorder.n_bytes, recorder.finished) == ([n_bytes], n_bytes, 1)


def test_the_forged_seal_is_the_one_that_the_library_writes(whole: Path) -> None:
    text = (whole / "portrait.json").read_bytes()
    assert seal(text) == text


def test_a_manifest_that_disappears_during_the_check_is_named(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portrait.bundle import reader

    read = reader.read

    def read_and_remove(path: Path) -> reader.Bundle:
        opened = read(path)
        (path / "portrait.json").unlink()
        return opened

    monkeypatch.setattr(reader, "read", read_and_remove)
    assert refusal(bundle) == f"{bundle / 'portrait.json'}: No such file or directory"
