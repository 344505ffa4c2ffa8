"""Weights are found by their names, beside the portrait and where the caller says, and compared by digest."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.permissions import without_privilege

from portrait import SignatureError, SpecError
from portrait.progress import Silent
from portrait.signing import weights
from portrait.signing.statement import Subject
from portrait.signing.weights import check_weights, digest_weights, find_weights, weight_paths

if TYPE_CHECKING:
    from collections.abc import Iterable


class Recorder(Silent):
    """A progress callback that records its calls."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        self.calls.append((n_bytes, stage))

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        self.calls.append(n_bytes)

    def finish(self) -> None:
        self.calls.append("finish")


def make(directory: Path, names: Iterable[str]) -> Path:
    """Write files whose content is their name, and return their directory."""
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(name)
    return directory


def subject(name: str, content: str) -> Subject:
    return Subject(name, hashlib.sha256(content.encode()).hexdigest())


def test_weights_are_the_files_that_look_like_them(tmp_path: Path) -> None:
    make(
        tmp_path,
        (
            "portrait.json",
            "main.safetensors",
            "model.safetensors",
            "README.md",
            "config.json",
            "unet/m.bin",
            ".cache/x.bin",
            ".hidden.bin",
            "other.portrait/portrait.json",
            "other.portrait/main.safetensors",
        ),
    )
    found = find_weights(tmp_path, {"portrait.json", "main.safetensors"})
    assert found == {name: tmp_path / name for name in ("model.safetensors", "unet/m.bin")}


def test_other_directories_and_files_are_searched_too(tmp_path: Path) -> None:
    own = make(tmp_path / "model" / "portrait", ["portrait.json", "main.safetensors"])
    make(tmp_path / "model", ["a.gguf", "sub/b.pt", "notes.txt"])
    make(tmp_path / "else", ["adapter"])
    found = find_weights(own, {"main.safetensors"}, [tmp_path / "model", tmp_path / "else" / "adapter"])
    assert set(found) == {"a.gguf", "sub/b.pt", "adapter"}
    assert found["adapter"] == tmp_path / "else" / "adapter"


def test_the_same_file_found_twice_counts_once(tmp_path: Path) -> None:
    make(tmp_path, ["a.bin"])
    assert set(find_weights(tmp_path, (), [tmp_path, tmp_path / "a.bin"])) == {"a.bin"}


def test_the_portrait_s_own_files_are_never_weights(tmp_path: Path) -> None:
    make(tmp_path, ["main.safetensors", "portrait.sigstore.json"])
    own = {"main.safetensors", "portrait.sigstore.json"}
    assert find_weights(tmp_path, own, [tmp_path, tmp_path / "portrait.sigstore.json"]) == {}


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    a, b = make(tmp_path / "a", ["m.bin"]), make(tmp_path / "b", ["m.bin"])
    with pytest.raises(SpecError, match=r"has the name m\.bin of ") as caught:
        find_weights(a, (), [b])
    assert caught.value.parameter == "weights"


def test_what_cannot_be_named_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="missing: no such file or directory"):
        find_weights(tmp_path, (), [tmp_path / "missing"])
    make(tmp_path, ["a\\b.bin"])
    with pytest.raises(SpecError, match="weights cannot have this name"):
        find_weights(tmp_path, ())


def test_a_directory_that_cannot_be_searched_is_named(tmp_path: Path) -> None:
    make(tmp_path, ["sub/a.bin"])
    (tmp_path / "sub").chmod(0)
    try:
        with (
            without_privilege(),
            pytest.raises(SpecError, match="sub: cannot be searched: Permission denied"),
        ):
            find_weights(tmp_path, ())
    finally:
        (tmp_path / "sub").chmod(0o755)


def test_a_name_that_is_not_unicode_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.bin")).touch()
    with pytest.raises(SpecError, match="weights cannot have this name"):
        find_weights(tmp_path, ())


def test_there_is_a_limit_to_the_number_of_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, ["a.bin", "b.bin", "c.bin"])
    monkeypatch.setattr(weights, "MAX_SUBJECTS", 4)
    with pytest.raises(SpecError, match="more than 2 files of weights"):
        find_weights(tmp_path, ())


def test_one_path_or_several_are_taken() -> None:
    assert weight_paths("model") == weight_paths(Path("model")) == weight_paths(["model"]) == (Path("model"),)
    assert weight_paths(()) == ()


def test_digests_are_of_whole_files_and_progress_counts_them(tmp_path: Path) -> None:
    make(tmp_path, ["a.bin", "link/b.bin"])
    (tmp_path / "c.bin").symlink_to("a.bin")
    recorder = Recorder()
    assert digest_weights({"x": tmp_path / "a.bin", "c": tmp_path / "c.bin"}, recorder) == (
        subject("x", "a.bin"),
        subject("c", "a.bin"),
    )
    assert recorder.calls == [(10, "weights"), 5, 5, "finish"]
    assert digest_weights({}, recorder) == ()
    assert len(recorder.calls) == 4


def test_weights_are_compared_wherever_they_are(tmp_path: Path) -> None:
    first, second = make(tmp_path / "1", ["a.bin"]), make(tmp_path / "2", ["a.bin", "sub/b.bin"])
    stated = [subject("a.bin", "a.bin"), subject("sub/b.bin", "sub/b.bin"), subject("c.bin", "c")]
    recorder = Recorder()
    assert check_weights(stated, [first, second], recorder) == (("a.bin", "sub/b.bin"), ("c.bin",))
    assert recorder.calls == [(19, "weights"), 5, 5, 9, "finish"]
    assert check_weights(stated, [first], Silent()) == (("a.bin",), ("sub/b.bin", "c.bin"))
    (second / "a.bin").write_text("A.bin")
    with pytest.raises(SignatureError) as caught:
        check_weights(stated, [first, second], recorder)
    assert str(caught.value).startswith(f"{second / 'a.bin'}: is not the file that the signature names")
    assert recorder.calls[-1] == "finish"


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.bin")
    with pytest.raises(SignatureError, match=r"a\.bin: is a FIFO, not a regular file"):
        check_weights([subject("a.bin", "")], [tmp_path], Silent())
    with pytest.raises(SignatureError, match=r"a\.bin: is a FIFO, not a regular file"):
        digest_weights({"a.bin": tmp_path / "a.bin"}, Silent())
