"""Verifying: whole is whole, and no changed byte passes."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.forge import change_manifest, change_shard, replace, seal, shard_path

import portrait
from portrait import BundleError, DamagedBundleError, PortraitError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait of two layers, one of them in several shards."""
    directory = tmp_path_factory.mktemp("whole")
    dice = random.Random(7)
    (directory / "a.txt").write_text("".join(dice.choices("abcdef ", k=60_000)))
    (directory / "b.txt").write_text("The lamplighter knew every street by the sound of its cats. " * 9)
    portrait.build(
        {"a": directory / "a.txt", "b": directory / "b.txt"},
        directory / "out",
        max_shard_bytes=4096,
        license="CC0-1.0",
    )
    return directory / "out"


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return shutil.copytree(whole, tmp_path / "bundle")


@pytest.fixture(scope="module")
def scratch(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that is damaged anew in every example."""
    return shutil.copytree(whole, tmp_path_factory.mktemp("scratch") / "bundle")


def refusal(bundle: Path) -> str:
    with pytest.raises(DamagedBundleError) as caught:
        portrait.verify(bundle)
    assert str(caught.value).isprintable()
    return str(caught.value)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "portrait", "verify", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_whole_portrait_is_whole(whole: Path) -> None:
    found = portrait.verify(whole)
    files = [path for path in whole.iterdir() if path.name != "README.md"]
    assert found == portrait.Verified(
        path=str(whole),
        id=portrait.open(whole).manifest.id,
        files=len(files),
        bytes=sum(path.stat().st_size for path in files),
        unexpected=(),
    )
    assert len(files) > 3


def test_what_is_forged_with_all_its_digests_is_whole(bundle: Path) -> None:
    change_manifest(bundle, lambda manifest: manifest.update(license="MIT"))
    change_shard(bundle, lambda data: data)
    portrait.verify(bundle)


def test_a_missing_card_is_fine_and_other_files_are_reported(bundle: Path) -> None:
    (bundle / "README.md").unlink()
    (bundle / "weights.bin").touch()
    (bundle / "old").mkdir()
    (bundle / ".gitattributes").touch()
    assert portrait.verify(bundle).unexpected == ("old", "weights.bin")
    done = run(bundle)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        f"portrait: note: {name!r} is no part of the portrait" for name in ("old", "weights.bin")
    ]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_changed_byte_of_any_shard_is_caught(whole: Path, scratch: Path, data: st.DataObject) -> None:
    names = sorted(path.name for path in whole.glob("*.safetensors"))
    path = scratch / data.draw(st.sampled_from(names))
    original = (whole / path.name).read_bytes()
    # Half of the examples in the header, which is a fraction of the file.
    end = data.draw(st.sampled_from([192, len(original)]))
    changed = bytearray(original)
    changed[data.draw(st.integers(0, end - 1))] ^= data.draw(st.integers(1, 255))
    replace(path, bytes(changed))
    try:
        with pytest.raises(BundleError) as caught:
            portrait.verify(scratch)
        assert path.name in str(caught.value)
        opens_or_is_refused(scratch)
    finally:
        replace(path, original)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_changed_byte_of_the_manifest_is_caught(whole: Path, scratch: Path, data: st.DataObject) -> None:
    original = (whole / "portrait.json").read_bytes()
    changed = bytearray(original)
    at = data.draw(st.integers(0, len(original) - 1))
    changed[at] = data.draw(st.sampled_from(b' \n\t"0aA.,x') | st.integers(0, 255))
    if changed == original:
        changed[at] ^= 1
    replace(scratch / "portrait.json", bytes(changed))
    try:
        with pytest.raises(BundleError):
            portrait.verify(scratch)
        opens_or_is_refused(scratch)
    finally:
        replace(scratch / "portrait.json", original)


def opens_or_is_refused(bundle: Path) -> None:
    with contextlib.suppress(PortraitError):
        portrait.open(bundle).query("The lamplighter knew every street by the sound of its cats. " * 3)


def test_every_byte_of_the_manifest_counts(whole: Path, scratch: Path) -> None:
    """Also those that JSON ignores, and those of fields that the id does not cover."""
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


def test_a_digest_that_stands_in_other_fields_too_is_still_one(bundle: Path) -> None:
    digest = json.loads((bundle / "portrait.json").read_bytes())["manifest_sha256"]
    change_manifest(bundle, lambda manifest: manifest.update(license=digest))
    portrait.verify(bundle)


def test_a_wrong_record_with_right_digests_is_caught(bundle: Path) -> None:
    path = shard_path(bundle)
    vectors = {name: ["0" * 16] for name in ("present", "absent")}
    absent = json.loads((bundle / "portrait.json").read_bytes())["layers"][0]["test_vectors"]["absent"]
    cases: dict[str, dict[str, Any]] = {
        "does not hold the test key": {"test_vectors": {"present": absent, "absent": []}},
        "the filter's rate is": {"fpr": 0.5},
        "is not a key": {"test_vectors": vectors | {"present": ["x"]}},
        "its tensors are not those": {"tensors": {"blocks": "0" * 64}},
    }
    original = (bundle / "portrait.json").read_bytes()
    for what, fields in cases.items():
        replace(bundle / "portrait.json", original)
        change_manifest(bundle, lambda manifest, fields=fields: manifest["layers"][0].update(fields))  # type: ignore[misc]
        message = refusal(bundle)
        assert what in message
        assert message.startswith((f"{path}: ", f"{bundle / 'portrait.json'}: "))


@pytest.mark.parametrize("name", ["sha256", "xxh3_128"])
def test_both_digests_count(name: str, bundle: Path) -> None:
    change_manifest(bundle, lambda manifest: flip(manifest["layers"][0]["shards"][0], name))
    assert refusal(bundle).startswith(f"{shard_path(bundle)}: its digest is not the recorded one")


def flip(record: dict[str, str], name: str) -> None:
    record[name] = record[name][:-1] + ("0" if record[name][-1] != "0" else "1")


def test_the_first_file_that_is_wrong_is_named(bundle: Path) -> None:
    first, second = sorted(bundle.glob("a-*.safetensors"))[:2]
    for path in (second, first):
        data = path.read_bytes()
        replace(path, data[:-1] + bytes([data[-1] ^ 1]))
    done = run(bundle)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"portrait: error: {first}: its digest is not the recorded one: fetch the bundle again\n"
    )


def test_the_command_line_says_what_is_whole(whole: Path) -> None:
    done = run(whole)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].startswith(f"{whole}: whole: ")
    assert json.loads(run(whole, "--json").stdout) == portrait.verify(whole).to_dict()
    assert run(whole, "--quiet").stdout == ""
    assert run(whole / "missing").returncode == 2


class Heard:
    """Notes what it hears."""

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


def test_progress_hears_of_every_byte(whole: Path) -> None:
    heard = Heard()
    portrait.verify(whole, progress=heard)
    n_bytes = sum(path.stat().st_size for path in whole.glob("*.safetensors"))
    assert (heard.started, heard.n_bytes, heard.finished) == ([n_bytes], n_bytes, 1)


def test_seal_is_what_the_library_writes(whole: Path) -> None:
    text = (whole / "portrait.json").read_bytes()
    assert seal(text) == text
