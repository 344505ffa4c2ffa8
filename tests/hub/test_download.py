"""A published portrait is verified before anything opens it, and what is wrong with it is said in a line."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from huggingface_hub import close_session
from support import forge
from support.hub_fixtures import SEQUEL, TALE, files_of, shard_name, use_hub
from support.hub_stand_in import serving
from support.limits import run_limited
from support.permissions import without_privilege
from support.places import GOLDEN

import portrait
from portrait import DamagedBundleError, HubError, NotAPortraitError, OutputError, UnsupportedBundleError
from portrait.hub.addresses import parse
from portrait.hub.connection import HubConnection
from portrait.hub.download import cached, download

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.hub_stand_in import StandIn

ADDRESS = "hf://org/ferry"
WORDS = "words.50-50.bf"


@pytest.fixture
def copy(tale: Path, tmp_path: Path) -> Path:
    """A copy of the portrait for one test to change."""
    return shutil.copytree(tale, tmp_path / "copy")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait whose filter is larger than its manifest."""
    directory = tmp_path_factory.mktemp("fleet")
    (directory / "a.txt").write_text("".join(f"{i * i} boats, " for i in range(4000)))
    spec = portrait.WindowSpec(20, portrait.Stride(2))
    return portrait.build(directory / "a.txt", directory / "fleet", windows=spec).path


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let nothing in this process wait, and return the waits."""
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    return waits


def fetch(location: str = ADDRESS, **options: Any) -> Path:
    """Return the path of a portrait in the cache."""
    return cached(location, HubConnection.of_environment(**options))


def message_of(error: type[portrait.PortraitError], location: str = ADDRESS) -> str:
    """Return the message of the error that a download raises, of exactly that class and in one line."""
    with pytest.raises(error) as raised:
        fetch(location)
    assert type(raised.value) is error
    assert str(raised.value).isprintable()
    return str(raised.value)


def is_verified(directory: Path) -> bool:
    """Return whether anything in the cache counts as verified."""
    return any((directory / "home" / "assets").rglob("*.json"))


def test_a_portrait_is_downloaded_and_opened(hub: StandIn, tale: Path) -> None:
    commit = hub.add_model("org/ferry", files_of(tale))
    path = fetch()
    assert path.parts[-3:] == ("models--org--ferry", "snapshots", commit)
    assert portrait.open(path).query(TALE).verdict == "found"
    assert {file.name: file.read_bytes() for file in path.iterdir()} == files_of(tale)
    assert hub.leaked == []


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("hf://datasets/org/ferry", TALE),
        ("hf://datasets/org/ferry@more/deep/inside", SEQUEL),
        ("hf://datasets/org/ferry@more", SEQUEL),
    ],
)
def test_type_revision_and_path_are_heeded(
    hub: StandIn, tale: Path, saga: Path, location: str, text: str
) -> None:
    hub.add("org/ferry", files_of(tale))
    hub.repositories["org/ferry"].commit(files_of(saga, "deep/inside"), "more")
    answer = portrait.open(location).query(text)
    assert answer.verdict == "found"
    assert len(answer.layers) == (1 if text == TALE else 2)


def test_a_commit_is_fetched_once_and_a_branch_is_asked_for(hub: StandIn, tale: Path, saga: Path) -> None:
    commit = hub.add_model("org/ferry", files_of(tale))
    path = fetch(f"{ADDRESS}@{commit}")
    hub.requests.clear()
    assert fetch(f"{ADDRESS}@{commit}") == path
    assert hub.requests == []
    assert fetch() == path
    assert len(hub.requests) == 1
    newer = hub.models["org/ferry"].commit(files_of(saga))
    assert fetch().name == newer
    assert fetch(f"{ADDRESS}@{commit}") == path


def test_what_two_commits_share_is_sent_once(hub: StandIn, tale: Path) -> None:
    hub.add_model("org/ferry", files_of(tale))
    fetch()
    hub.models["org/ferry"].commit({**files_of(tale), "more.txt": b"more"})
    path = fetch()
    assert hub.sent[shard_name(tale)] == (tale / shard_name(tale)).stat().st_size
    assert not (path / "more.txt").exists()


def test_only_files_of_the_portrait_are_fetched(hub: StandIn, tale: Path) -> None:
    hub.add_model("org/ferry", {**files_of(tale), "model.safetensors": b"weights", "croissant.json": b"{}"})
    path = fetch()
    assert {file.name for file in path.iterdir()} == {*files_of(tale), "croissant.json"}


class Damage(NamedTuple):
    """A change to a manifest, and the class and the message of the error it causes."""

    change: Callable[[dict[str, Any]], object]
    error: type[portrait.PortraitError]
    message: str


def _rename(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda manifest: manifest["layers"][0]["shards"][0].update(file=name)


@pytest.mark.parametrize(
    "damage",
    [
        Damage(lambda manifest: manifest.update(format_version=2), UnsupportedBundleError, "format"),
        Damage(_rename("../../secret.safetensors"), DamagedBundleError, "plain name of a file"),
        Damage(_rename("deep/a.safetensors"), DamagedBundleError, "plain name of a file"),
        Damage(_rename(".."), DamagedBundleError, "plain name of a file"),
        Damage(_rename("other.safetensors"), DamagedBundleError, "the repository does not have it"),
        Damage(
            lambda manifest: manifest["layers"][0]["shards"][0].update(bytes=9_999_999),
            DamagedBundleError,
            "instead of 9,999,999: the repository does not hold what its manifest says",
        ),
        Damage(lambda manifest: manifest.clear(), NotAPortraitError, "portrait.json"),
    ],
)
def test_a_hostile_manifest_is_refused(hub: StandIn, copy: Path, tmp_path: Path, damage: Damage) -> None:
    forge.change_manifest(copy, damage.change)
    hub.add_model("org/ferry", files_of(copy))
    for _ in range(2):
        message = message_of(damage.error)
        assert damage.message in message
        assert message.startswith(ADDRESS)
    assert hub.sent.get(shard_name(copy)) is None
    assert not is_verified(tmp_path)


def test_a_manifest_that_is_not_what_its_digest_says_is_refused(hub: StandIn, tale: Path) -> None:
    files = files_of(tale)
    files["portrait.json"] = files["portrait.json"].replace(b'"license": null', b'"license": "X"')
    hub.add_model("org/ferry", files)
    assert "portrait.json: " in message_of(DamagedBundleError)


class Huge(bytes):
    """A file that claims to be larger than it is."""

    def __len__(self) -> int:
        return (64 << 20) + 1


def test_a_manifest_that_is_too_large_is_not_even_fetched(hub: StandIn, tale: Path) -> None:
    hub.add_model("org/ferry", {**files_of(tale), "portrait.json": Huge(b"{}")})
    assert "larger than any manifest, which has 67,108,864 bytes at most" in message_of(DamagedBundleError)
    assert not hub.sent


@pytest.mark.parametrize("name", ["shard", "tale-sketch.safetensors", "portrait.json", "croissant.json"])
def test_a_spoiled_file_is_removed_from_the_cache_and_fetched_again(
    hub: StandIn, tale: Path, tmp_path: Path, name: str
) -> None:
    name = shard_name(tale) if name == "shard" else name
    commit = hub.add_model("org/ferry", {**files_of(tale), "croissant.json": b"{}\n"})
    hub.spoiled.add(name)
    assert message_of(DamagedBundleError).startswith(
        f"{ADDRESS}@{commit}/{name}: its digest is not the one that "
    )
    assert not any(path.name == name for path in (tmp_path / "home").rglob("*"))
    assert not is_verified(tmp_path)
    hub.spoiled.clear()
    assert portrait.open(ADDRESS).query(TALE).verdict == "found"


def test_files_that_agree_with_the_hub_but_not_with_the_manifest_are_refused(
    hub: StandIn, tale: Path
) -> None:
    files = files_of(tale)
    shard = files[shard_name(tale)]
    hub.add_model("org/ferry", {**files, shard_name(tale): shard[:-1] + bytes([shard[-1] ^ 1])})
    assert "its digest is not the one that the manifest states" in message_of(DamagedBundleError)


def test_a_download_resumes_where_it_was_cut(
    hub: StandIn, tale: Path, fast: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 16)
    hub.add_model("org/ferry", files_of(tale))
    hub.cuts[shard_name(tale)] = 1
    assert portrait.open(ADDRESS).query(TALE).verdict == "found"
    assert hub.sent[shard_name(tale)] == (tale / shard_name(tale)).stat().st_size
    assert len(fast) == 1


@pytest.mark.usefixtures("fast")
def test_a_connection_that_always_breaks_is_an_error_and_the_next_try_succeeds(
    hub: StandIn, tale: Path, tmp_path: Path
) -> None:
    hub.add_model("org/ferry", files_of(tale))
    hub.broken.add(shard_name(tale))
    assert f"cannot reach {hub.url}" in message_of(HubError)
    assert not is_verified(tmp_path)
    hub.broken.clear()
    assert portrait.open(ADDRESS).query(TALE).verdict == "found"


def test_a_disk_with_too_little_room_is_noticed_before_the_download(
    hub: StandIn, fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add_model("org/ferry", files_of(fleet))
    usage = shutil.disk_usage(fleet)._replace(free=8000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    message = message_of(OutputError)
    assert re.search(r"needs [\d,]+ bytes, and its disk has 8,000 free: make room, or set HF_HOME", message)
    assert hub.sent.keys() == {"portrait.json"}


def test_a_disk_that_fills_up_is_an_error_and_the_next_try_succeeds(
    hub: StandIn, fleet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add_model("org/ferry", files_of(fleet))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    code = (
        "import portrait\n"
        f"try: portrait.pull({ADDRESS!r})\n"
        "except portrait.OutputError as error: print(error)"
    )
    outcome = run_limited([sys.executable, "-c", code], cwd=tmp_path, RLIMIT_FSIZE=9000)
    assert ": File too large for hf://org/ferry@" in outcome.stdout, outcome
    assert outcome.stdout.endswith(": make room, or set HF_HOME to a directory with more\n")
    assert not is_verified(tmp_path)
    assert portrait.open(ADDRESS).manifest == portrait.open(fleet).manifest


def test_a_cache_that_cannot_be_written_is_an_error(hub: StandIn, tale: Path, tmp_path: Path) -> None:
    hub.add_model("org/ferry", files_of(tale))
    cache = tmp_path / "home" / "hub"
    cache.mkdir(parents=True)
    cache.chmod(0o500)
    with without_privilege():
        message = message_of(OutputError)
    assert message.startswith(str(cache))
    assert "ermission denied" in message


def test_a_cache_that_cannot_be_read_is_an_error(hub: StandIn, tale: Path, tmp_path: Path) -> None:
    hub.add_model("org/ferry", files_of(tale))
    fetch()
    blobs = tmp_path / "home" / "hub" / "models--org--ferry" / "blobs"
    for blob in blobs.iterdir():
        blob.chmod(0)
    shutil.rmtree(tmp_path / "home" / "assets")
    with without_privilege(), pytest.raises(portrait.PortraitError) as raised:
        fetch()
    assert "ermission denied" in str(raised.value)


def test_offline_what_is_in_the_cache_opens_and_nothing_else(
    hub: StandIn, tale: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add_model("org/ferry", files_of(tale))
    hub.add_model("org/other", files_of(tale))
    path = fetch()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub.requests.clear()
    assert fetch() == path
    assert fetch(f"{ADDRESS}@{path.name}") == path
    for location in ("hf://org/other", f"hf://org/other@{'0' * 40}", f"{ADDRESS}@{'0' * 40}"):
        message = message_of(HubError, location)
        assert location in message
        assert "in the cache" in message
    assert hub.requests == []


def test_offline_a_download_without_a_receipt_is_verified(hub: StandIn, tale: Path, tmp_path: Path) -> None:
    hub.add_model("org/ferry", files_of(tale))
    path = fetch()
    shutil.rmtree(tmp_path / "home" / "assets")
    shard = path / shard_name(tale)
    whole = shard.read_bytes()
    shard.resolve().write_bytes(whole[:-1] + b"!")
    with pytest.raises(DamagedBundleError, match="its digest is not"):
        fetch(local_files_only=True)
    assert not shard.exists()


def test_a_hub_that_is_gone_leaves_what_is_in_the_cache(
    tale: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as stand_in:
        use_hub(stand_in.url, tmp_path / "home", monkeypatch)
        commit = stand_in.add_model("org/ferry", files_of(tale))
        path = fetch()
    close_session()  # the stand-in still answers on open connections
    assert path.name == commit
    assert fetch() == path
    message = message_of(HubError, "hf://org/other")
    assert message.startswith(f"hf://org/other: cannot reach {stand_in.url}, and it is not in the cache")


@pytest.mark.parametrize("change", ["size", "time"])
def test_a_file_that_changes_in_the_cache_is_verified_again(hub: StandIn, tale: Path, change: str) -> None:
    hub.add_model("org/ferry", files_of(tale))
    path = fetch()
    blob = (path / shard_name(tale)).resolve()
    whole, status = blob.read_bytes(), blob.stat()
    blob.write_bytes(whole + b"!" if change == "size" else whole[:-1] + b"!")
    moved = change == "time"
    os.utime(blob, ns=(status.st_atime_ns, status.st_mtime_ns + moved))
    assert "so it was removed from the cache" in message_of(DamagedBundleError)
    assert portrait.open(ADDRESS).query(TALE).verdict == "found"


def test_a_token_stays_with_the_hub(hub: StandIn, tale: Path) -> None:
    hub.add_model("org/ferry", files_of(tale), private=True)
    assert portrait.open(ADDRESS).query(TALE).verdict == "found"
    assert hub.sent[shard_name(tale)]
    assert hub.leaked == []


def words() -> dict[str, bytes]:
    """Return the files of a filter of the original library."""
    folder = GOLDEN / "redisbloom"
    return {name: (folder / name).read_bytes() for name in (WORDS, f"{WORDS}.part0.bin")}


@pytest.mark.parametrize("location", [f"hf://datasets/org/words/{WORDS}", "hf://datasets/org/words"])
def test_a_filter_of_the_original_library_is_a_portrait(hub: StandIn, location: str) -> None:
    hub.add("org/words", {**words(), "README.md": b"Words."})
    opened = portrait.open(location)
    assert opened.path.name == WORDS
    assert opened.facts == portrait.open(GOLDEN / "redisbloom" / WORDS).facts
    assert {file.name for file in opened.path.parent.iterdir()} == words().keys()


def test_the_older_form_of_these_filters_is_a_portrait(hub: StandIn) -> None:
    name = "words-legacy.50-50.bf"
    folder = GOLDEN / "redisbloom"
    hub.add("org/words", {file: (folder / file).read_bytes() for file in (name, f"{name}.idx")})
    assert portrait.open("hf://datasets/org/words").facts == portrait.open(folder / name).facts


@pytest.mark.parametrize("name", [WORDS, f"{WORDS}.part0.bin"])
def test_a_spoiled_part_of_a_filter_is_fetched_again(hub: StandIn, tmp_path: Path, name: str) -> None:
    hub.add("org/words", words())
    hub.spoiled.add(name)
    message = message_of(DamagedBundleError, "hf://datasets/org/words")
    assert f"{name}: its digest is not the one that the hub states" in message
    assert not is_verified(tmp_path)
    hub.spoiled.clear()
    assert portrait.open("hf://datasets/org/words").facts["entries"]


def test_a_filter_whose_part_is_missing_is_refused(hub: StandIn) -> None:
    hub.add("org/words", {WORDS: words()[WORDS]})
    message = message_of(DamagedBundleError, "hf://datasets/org/words")
    assert message.endswith(f"/{WORDS}.part0.bin: the part is missing in the repository")


@pytest.mark.parametrize("name", ["../part0.bin", "deep/part0.bin", "..", "", "a\\b", None, 7])
def test_a_part_outside_the_directory_is_refused(hub: StandIn, name: Any) -> None:
    index = json.loads(words()[WORDS])
    index["blocks"][0]["part_file"] = name
    hub.add("org/words", {**words(), WORDS: json.dumps(index).encode()})
    message = message_of(DamagedBundleError, "hf://datasets/org/words")
    assert message.endswith(f"part_file {name!r} is not a plain file name")


@pytest.mark.parametrize(
    "content", [b"bits, not an index", b"{}", b"[]", b'{"blocks": 3}', b'{"blocks": [3]}']
)
def test_a_file_that_is_no_index_is_refused(hub: StandIn, content: bytes) -> None:
    hub.add("org/words", {WORDS: content})
    assert f"there is no {WORDS}.idx beside it" in message_of(DamagedBundleError, "hf://datasets/org/words")


def test_an_index_that_is_too_large_is_not_even_fetched(hub: StandIn) -> None:
    hub.add("org/words", {**words(), WORDS: Huge(b"{}")})
    assert message_of(DamagedBundleError, "hf://datasets/org/words").endswith(
        f"{WORDS}: too large for an index"
    )
    assert not hub.sent


def test_a_download_returns_every_file_that_it_is_opened_from(hub: StandIn, saga: Path) -> None:
    commit = hub.add_model("org/ferry", files_of(saga))
    downloaded = download(parse(f"{ADDRESS}@{commit}"), HubConnection.of_environment())
    assert {path.name for path in downloaded.files} == files_of(saga).keys() - {"README.md"}
    assert all(path.parent == downloaded.path for path in downloaded.files)
