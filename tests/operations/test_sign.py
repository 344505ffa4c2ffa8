"""A signed portrait is verified as a whole, and no changed byte of it, or of the weights, goes unnoticed."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.forge import change_manifest, change_shard, replace
from support.progress_callbacks import ProgressRecorder
from support.signers import (
    ALICE,
    CODE_SIGNING,
    Authority,
    certificate_pem,
    email,
    key_of,
    private_pem,
    write_keys,
)

import portrait
from portrait import BundleError, DamagedBundleError, OutputExistsError, SignatureError, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNATURE = "portrait.sigstore.json"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with weights, a small signed portrait beside some of them, and two people's keys."""
    directory = tmp_path_factory.mktemp("model")
    (directory / "a.txt").write_text("The glazier hums while the putty dries, always in the same key. " * 4)
    portrait.build(directory / "a.txt", directory / "glass.portrait")
    (directory / "glass.portrait" / "model.safetensors").write_bytes(bytes(range(200)))
    (directory / "weights" / "unet").mkdir(parents=True)
    (directory / "weights" / "unet" / "model.bin").write_bytes(bytes(range(100)))
    private, _ = write_keys(directory)
    write_keys(directory, "bob")
    portrait.sign(directory / "glass.portrait", private, weights=directory / "weights")
    return directory


@pytest.fixture
def copy(model: Path, tmp_path: Path) -> Path:
    """A copy of it for one test to change."""
    return shutil.copytree(model, tmp_path / "model")


def verify(model: Path, *, owner: str = "alice", weights: bool = True, **options: Any) -> portrait.Verified:
    """Verify the portrait by the key of somebody."""
    more = (model / "weights",) if weights else ()
    return portrait.verify(
        model / "glass.portrait", public_key=model / f"{owner}.pub", weights=more, **options
    )


def refusal(model: Path, **options: Any) -> str:
    """Return the message with which the signature is refused."""
    with pytest.raises(SignatureError) as caught:
        verify(model, **options)
    return str(caught.value)


def test_what_is_signed_is_verified(model: Path) -> None:
    verified = verify(model)
    signature = verified.signature
    assert signature is not None
    assert verified.signed
    assert verified.unexpected == ()
    assert [subject.name for subject in signature.subjects] == [
        "portrait:id",
        "portrait.json",
        "model.safetensors",
        "unet/model.bin",
    ]
    assert signature.subjects[0].sha256 == verified.id
    assert signature.weights_checked == ("model.safetensors", "unet/model.bin")
    assert signature.weights_absent == ()
    assert (signature.identity, signature.issuer) == (None, None)
    assert json.loads(json.dumps(verified.to_dict())) == verified.to_dict()


def test_signing_returns_what_verifying_finds(copy: Path) -> None:
    made = portrait.sign(
        copy / "glass.portrait", copy / "alice.pem", weights=[copy / "weights"], overwrite=True
    )
    assert made == verify(copy).signature


def test_without_a_key_the_signature_is_there_and_unchecked(model: Path) -> None:
    verified = portrait.verify(model / "glass.portrait")
    assert (verified.signed, verified.signature) == (True, None)
    assert verified.unexpected == ("model.safetensors",)


def test_weights_that_are_not_here_are_named_and_not_checked(copy: Path) -> None:
    signature = verify(copy, weights=False).signature
    assert signature is not None
    assert signature.weights_checked == ("model.safetensors",)
    assert signature.weights_absent == ("unet/model.bin",)


def test_weights_that_nobody_signed_are_reported(copy: Path) -> None:
    (copy / "glass.portrait" / "other.safetensors").touch()
    assert verify(copy).unexpected == ("other.safetensors",)


def test_every_way_not_to_be_the_signed_portrait_has_a_name(copy: Path) -> None:
    bundle = copy / "glass.portrait"
    assert "signed with the key" in refusal(copy, owner="bob")
    change_manifest(bundle, lambda manifest: manifest.update(license="MIT"))
    assert "signs another version of this portrait's manifest" in refusal(copy)
    change_shard(bundle, lambda data: data[:-1] + bytes([data[-1] ^ 1]))
    assert "signs another portrait, of the id" in refusal(copy)
    (bundle / SIGNATURE).unlink()
    assert f"{bundle}: is not signed" in refusal(copy)


def test_a_stale_signature_is_named_and_replaced_by_a_new_one(copy: Path) -> None:
    bundle = copy / "glass.portrait"
    (copy / "b.txt").write_text("A second layer, which nobody has signed yet. " * 4)
    portrait.add(bundle, {"b": copy / "b.txt"})
    assert "signs another portrait, of the id" in refusal(copy)
    portrait.sign(bundle, copy / "alice.pem", weights=copy / "weights")
    verify(copy)


def test_changed_weights_are_named(copy: Path) -> None:
    file = copy / "weights" / "unet" / "model.bin"
    file.write_bytes(bytes(100))
    assert refusal(copy).startswith(f"{file}: is not the file that the signature names")


def pieces(model: Path) -> Iterator[tuple[str, int]]:
    """Yield each file that must not change, with its size."""
    bundle = model / "glass.portrait"
    names = [path.name for path in bundle.iterdir() if path.name not in ("README.md", SIGNATURE)]
    for path in (*(bundle / name for name in names), model / "weights" / "unet" / "model.bin"):
        yield str(path.relative_to(model)), path.stat().st_size


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_any_changed_byte_is_noticed_and_its_file_named(model: Path, data: st.DataObject) -> None:
    name, size = data.draw(st.sampled_from(sorted(pieces(model))))
    path = model / name
    original = path.read_bytes()
    changed = bytearray(original)
    changed[data.draw(st.integers(0, size - 1))] ^= data.draw(st.integers(1, 255))
    replace(path, bytes(changed))
    try:
        with pytest.raises(BundleError) as caught:
            verify(model)
        # A manifest that is read, and is not the signed one, is reported by the signature that it breaks.
        about_manifest = path.name == "portrait.json" and SIGNATURE in str(caught.value)
        assert path.name in str(caught.value) or about_manifest
    finally:
        replace(path, original)


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_any_changed_byte_of_the_statement_is_noticed(model: Path, position: int, flip: int) -> None:
    path = model / "glass.portrait" / SIGNATURE
    original = path.read_bytes()
    content = json.loads(original)
    payload = bytearray(base64.b64decode(content["dsseEnvelope"]["payload"]))
    payload[position % len(payload)] ^= flip
    content["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    replace(path, json.dumps(content).encode())
    try:
        assert "it was changed after it was signed" in refusal(model)
    finally:
        replace(path, original)


def test_an_identity_is_verified_offline_by_trusted_roots(copy: Path) -> None:
    root = Authority.root()
    middle = root.authority("Middle", path_length=0)
    leaf = middle.issue(names=email(), purposes=CODE_SIGNING)
    (copy / "chain.pem").write_bytes(certificate_pem(leaf, middle.certificate))
    (copy / "roots.pem").write_bytes(certificate_pem(root.certificate))
    bundle = copy / "glass.portrait"
    made = portrait.sign(bundle, copy / "alice.pem", certificate=copy / "chain.pem", overwrite=True)
    verified = portrait.verify(bundle, identity=ALICE, trusted_root=copy / "roots.pem")
    assert verified.signature == made
    assert (made.identity, made.issuer) == (ALICE, "CN=Middle")
    with pytest.raises(SignatureError, match=rf"signed by {ALICE}, and not by bob@example\.org"):
        portrait.verify(bundle, identity="bob@example.org", trusted_root=copy / "roots.pem")


def test_a_damaged_portrait_is_not_signed(copy: Path) -> None:
    bundle = copy / "glass.portrait"
    before = (bundle / SIGNATURE).read_bytes()
    (shard,) = bundle.glob("main-*-of-*.safetensors")
    data = shard.read_bytes()
    replace(shard, data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(DamagedBundleError, match=shard.name):
        portrait.sign(bundle, copy / "alice.pem", overwrite=True)
    assert (bundle / SIGNATURE).read_bytes() == before


def test_nothing_is_read_before_the_arguments_make_sense(copy: Path) -> None:
    bundle = copy / "glass.portrait"
    for arguments, error in (
        ({"private_key": copy / "missing.pem"}, SpecError),
        ({"private_key": copy / "alice.pub"}, SpecError),
        ({"private_key": copy / "alice.pem"}, OutputExistsError),
        ({"private_key": copy / "alice.pem", "overwrite": True, "weights": [copy / "missing"]}, SpecError),
    ):
        recorder = ProgressRecorder()
        with pytest.raises(error):
            portrait.sign(bundle, progress=recorder, **arguments)
        assert recorder.stages == []
    with pytest.raises(SpecError, match=r"alice\.pem: not a directory"):
        portrait.verify(bundle, public_key=copy / "alice.pub", weights=copy / "alice.pem")
    with pytest.raises(SpecError, match="not by both"):
        verify(copy, identity=ALICE)
    with pytest.raises(SpecError, match="weights are checked by a signature"):
        portrait.verify(bundle, weights=copy / "weights")


def test_only_signatures_take_the_optional_package(model: Path) -> None:
    code = (
        "import sys, portrait\n"
        "sys.modules['cryptography'] = None\n"
        "assert portrait.verify('glass.portrait').signed\n"
        "for call in (portrait.sign, lambda path, key: portrait.verify(path, public_key=key)):\n"
        "    try: call('glass.portrait', 'alice.pub')\n"
        "    except portrait.MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=model, check=True, capture_output=True, text=True)
    message = "this needs cryptography, which is not installed: pip install 'data-portrait[sign]'\n"
    assert done.stdout == message * 2


def test_an_encrypted_key_signs_with_its_password(copy: Path) -> None:
    (copy / "alice.pem").write_bytes(private_pem(key_of("alice"), b"secret"))
    with pytest.raises(SpecError, match="give its password"):
        portrait.sign(copy / "glass.portrait", copy / "alice.pem", overwrite=True)
    portrait.sign(copy / "glass.portrait", copy / "alice.pem", password="secret", overwrite=True)
    verify(copy, weights=False)


def test_progress_counts_the_layers_files_and_then_the_weights(model: Path) -> None:
    recorder = ProgressRecorder()
    verify(model, progress=recorder)
    layers = portrait.open(model / "glass.portrait").manifest.layers
    n_bytes = sum(record.bytes for layer in layers for record in layer.files)
    assert [(stage.name, stage.n_bytes, stage.bytes_done) for stage in recorder.stages] == [
        ("", n_bytes, n_bytes),
        ("weights", 300, 300),
    ]
    assert recorder.n_finished == 2
