"""A portrait is published in one commit beside whatever else a repository holds, or nothing is."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from support import forge
from support.hub_fixtures import MODEL_FILES, NOTE, SEQUEL, TALE, TOKEN, files_of, shard_name
from support.signers import write_keys

import portrait
from portrait import (
    DamagedBundleError,
    HubError,
    OutputError,
    OutputExistsError,
    SignatureError,
    SpecError,
)
from portrait.hub.push import push

if TYPE_CHECKING:
    from pathlib import Path

    from support.hub_stand_in import StandIn

CARD = "README.md"


@pytest.fixture
def copy(tale: Path, tmp_path: Path) -> Path:
    """A copy of the portrait for one test to change."""
    return shutil.copytree(tale, tmp_path / "ferry.portrait")


def add_sequel(bundle: Path) -> None:
    """Add a second source to a portrait."""
    text = bundle.parent / "sequel.txt"
    text.write_text(SEQUEL)
    portrait.add(bundle, {"sequel": text})


def refusal(
    error: type[portrait.PortraitError], bundle: Path, repository: str = "org/ferry", **options: Any
) -> portrait.PortraitError:
    """Return the error of a push, of exactly that class and in one line."""
    with pytest.raises(error) as raised:
        push(bundle, repository, **options)
    assert type(raised.value) is error
    assert str(raised.value).isprintable()
    return raised.value


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("repo_type", ["model", "dataset"])
def test_a_repository_is_created(hub: StandIn, tale: Path, private: bool, repo_type: Any) -> None:
    pushed = push(tale, "org/ferry", private=private, repo_type=repo_type)
    repository = hub.of_type(f"{repo_type}s")["org/ferry"]
    assert repository.private is private
    assert repository.files().keys() == {".gitattributes", "croissant.json", *files_of(tale)}
    assert {*pushed.uploaded} == {"croissant.json", *files_of(tale)}
    assert pushed.card
    assert (pushed.unchanged, pushed.removed, pushed.pull_request_url) == ((), (), None)
    kind = "datasets/" if repo_type == "dataset" else ""
    assert pushed.address == f"hf://{kind}org/ferry@{repository.branches['main']}"
    assert pushed.commit_url == f"{hub.url}/{kind}org/ferry/commit/{repository.branches['main']}"
    assert pushed.uploaded_bytes == sum(len(repository.files()[name]) for name in pushed.uploaded)
    assert portrait.open(pushed.address).query(TALE).verdict == "found"
    assert hub.leaked == []


def test_a_model_stays_as_it_is(hub: StandIn, tale: Path) -> None:
    hub.add_model("org/model", MODEL_FILES)
    pushed = push(tale, "org/model")
    files = hub.models["org/model"].files()
    assert {name: files[name] for name in MODEL_FILES} == MODEL_FILES
    assert not pushed.card
    assert CARD not in pushed.uploaded + pushed.unchanged
    assert portrait.open("hf://org/model").query(TALE).verdict == "found"


@pytest.mark.parametrize(
    ("repository", "options"),
    [("org/model", {"path_in_repo": "deep/portrait/"}), ("hf://org/model/deep/portrait", {})],
)
def test_a_portrait_has_its_directory(
    hub: StandIn, tale: Path, repository: str, options: dict[str, Any]
) -> None:
    hub.add_model("org/model", MODEL_FILES)
    pushed = push(tale, repository, **options)
    files = hub.models["org/model"].files()
    assert {name: files[name] for name in MODEL_FILES} == MODEL_FILES
    assert {f"deep/portrait/{name}" for name in files_of(tale)} <= files.keys()
    assert pushed.card
    assert pushed.address == f"hf://org/model@{hub.models['org/model'].branches['main']}/deep/portrait"
    assert portrait.open(pushed.address).query(TALE).verdict == "found"


def test_a_second_push_changes_nothing(hub: StandIn, tale: Path) -> None:
    first = push(tale, "org/ferry")
    second = push(tale, "org/ferry")
    assert second.address == first.address
    assert second.commit_url == first.commit_url
    assert (second.uploaded, second.uploaded_bytes, second.removed) == ((), 0, ())
    assert {*second.unchanged} == {*first.uploaded}
    assert len(hub.models["org/ferry"].commits) == 2  # the one that created it, and the first push


def test_a_new_version_uploads_what_is_new_and_removes_what_is_gone(hub: StandIn, copy: Path) -> None:
    add_sequel(copy)
    push(copy, "org/ferry")
    hub.models["org/ferry"].commit({**hub.models["org/ferry"].files(), "notes.txt": b"not the portrait's"})
    shard = next(name for name in files_of(copy) if name.startswith("tale-0"))
    portrait.drop(copy, ["tale"])
    pushed = push(copy, "org/ferry")
    assert {*pushed.removed} == {shard, "tale-sketch.safetensors"}
    assert {*pushed.uploaded} == {"portrait.json", CARD, "croissant.json"}
    assert {name for name in pushed.unchanged if name.startswith("sequel")} == {*pushed.unchanged}
    files = hub.models["org/ferry"].files()
    assert files["notes.txt"] == b"not the portrait's"
    assert files.keys() == {*files_of(copy), "croissant.json", ".gitattributes", "notes.txt"}
    assert portrait.open("hf://org/ferry").sources == ("sequel",)


def test_a_branch_is_created(hub: StandIn, tale: Path) -> None:
    hub.add_model("org/model", MODEL_FILES)
    pushed = push(tale, "org/model", revision="with-portrait")
    repository = hub.models["org/model"]
    assert repository.files() == MODEL_FILES
    assert pushed.address.endswith(repository.branches["with-portrait"])
    assert portrait.open("hf://org/model@with-portrait").query(TALE).verdict == "found"
    assert push(tale, "org/model", revision="with-portrait").uploaded == ()


@pytest.mark.parametrize("owner", ["org", "else"])
def test_a_pull_request_changes_no_branch(hub: StandIn, tale: Path, owner: str) -> None:
    hub.add_model(f"{owner}/model", MODEL_FILES)
    pushed = push(tale, f"{owner}/model", create_pr=True)
    repository = hub.models[f"{owner}/model"]
    assert repository.files() == MODEL_FILES
    (proposal,) = repository.proposals
    assert files_of(tale).keys() <= proposal.keys()
    assert pushed.pull_request_url == f"{hub.url}/{owner}/model/discussions/1"
    assert portrait.open(f"hf://{owner}/model@refs/pr/1").query(TALE).verdict == "found"


def test_the_message_names_the_portrait_unless_one_is_given(hub: StandIn, copy: Path) -> None:
    push(copy, "org/ferry")
    add_sequel(copy)
    push(copy, "org/ferry", commit_message="A sequel")
    first, second = hub.messages
    assert first.startswith("Data portrait ferry (")
    assert second == "A sequel"


def test_somebody_else_commits_meanwhile(hub: StandIn, tale: Path) -> None:
    hub.add_model("org/model", MODEL_FILES)
    repository = hub.models["org/model"]
    hub.overtaking.append((repository, {"config.json": b'{"new": true}\n'}))
    push(tale, "org/model")
    files = repository.files()
    assert files["config.json"] == b'{"new": true}\n'
    assert files_of(tale).keys() <= files.keys()
    assert hub.overtaking == []


def test_somebody_else_always_commits_meanwhile(hub: StandIn, tale: Path) -> None:
    hub.add_model("org/model", MODEL_FILES)
    repository = hub.models["org/model"]
    hub.overtaking += [(repository, {"config.json": b"%d" % n}) for n in range(9)]
    with pytest.raises(HubError) as raised:
        push(tale, "org/model")
    assert str(raised.value) == "hf://org/model: somebody else has committed meanwhile: try again"
    assert "portrait.json" not in repository.files()


def test_a_file_of_somebody_else_is_not_replaced(hub: StandIn, tale: Path) -> None:
    shard = shard_name(tale)
    files = {**MODEL_FILES, shard: b"weights of somebody else"}
    hub.add_model("org/model", files)
    error = refusal(OutputExistsError, tale, "org/model")
    assert f"org/model/{shard}: is somebody else's file" in str(error)
    assert error.parameter == "path_in_repo"
    assert hub.models["org/model"].files() == files


@pytest.mark.parametrize("manifest", [b"{}", b"not JSON"])
def test_what_belongs_to_an_unreadable_manifest_is_not_replaced(
    hub: StandIn, tale: Path, manifest: bytes
) -> None:
    files = {**MODEL_FILES, "portrait.json": manifest}
    hub.add_model("org/model", files)
    error = refusal(OutputExistsError, tale, "org/model")
    assert "nothing says which files there are the portrait's" in str(error)
    assert error.parameter == "path_in_repo"
    assert hub.models["org/model"].files() == files


def test_a_damaged_file_is_not_published(hub: StandIn, copy: Path) -> None:
    shard = copy / shard_name(copy)
    forge.replace(shard, shard.read_bytes()[:-1] + b"!")
    hub.add_model("org/ferry", MODEL_FILES)
    error = refusal(DamagedBundleError, copy)
    assert str(error).startswith(f"{shard}: its digest is not the recorded one, so nothing was published")
    assert hub.models["org/ferry"].files() == MODEL_FILES


def test_a_missing_file_is_an_error(hub: StandIn, copy: Path) -> None:
    (copy / shard_name(copy)).unlink()
    assert "tale-00001-of-00001.safetensors: the shard is missing" in str(refusal(DamagedBundleError, copy))
    assert hub.models == {}


def test_a_damaged_manifest_is_not_published(hub: StandIn, copy: Path) -> None:
    manifest = (copy / "portrait.json").read_bytes()
    forge.replace(copy / "portrait.json", manifest.replace(b'"license": null', b'"license": "X"'))
    assert "portrait.json" in str(refusal(DamagedBundleError, copy))
    assert hub.requests == []


def test_a_signature_travels_with_its_portrait_and_a_stale_one_does_not(hub: StandIn, copy: Path) -> None:
    private, public = write_keys(copy.parent)
    portrait.sign(copy, private)
    assert "portrait.sigstore.json" in push(copy, "org/ferry").uploaded
    portrait.verify(portrait.pull("hf://org/ferry"), public_key=public)
    signature = (copy / "portrait.sigstore.json").read_bytes()
    add_sequel(copy)
    (copy / "portrait.sigstore.json").write_bytes(signature)
    before = hub.models["org/ferry"].files()
    refusal(SignatureError, copy)
    assert hub.models["org/ferry"].files() == before


def test_a_signature_that_nobody_could_verify_any_more_is_removed(hub: StandIn, copy: Path) -> None:
    private, _ = write_keys(copy.parent)
    portrait.sign(copy, private)
    push(copy, "org/ferry")
    signature = copy / "portrait.sigstore.json"
    signature.unlink()
    assert push(copy, "org/ferry").removed == ()  # it is of this very portrait
    assert "portrait.sigstore.json" in hub.models["org/ferry"].files()
    add_sequel(copy)
    assert push(copy, "org/ferry").removed == ("portrait.sigstore.json",)
    assert "portrait.sigstore.json" not in hub.models["org/ferry"].files()


def test_a_file_of_somebody_else_with_the_name_of_a_signature_stays(hub: StandIn, copy: Path) -> None:
    theirs = {"portrait.sigstore.json": b"{}"}
    hub.add_model("org/ferry", theirs)
    assert push(copy, "org/ferry").removed == ()
    private, _ = write_keys(copy.parent)
    portrait.sign(copy, private)
    assert "is somebody else's file" in str(refusal(OutputExistsError, copy))
    assert hub.models["org/ferry"].files()["portrait.sigstore.json"] == b"{}"


def test_a_file_that_is_too_large_for_hubs_is_refused(
    hub: StandIn, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portrait.hub.push.MAX_FILE_BYTES", 100)
    error = refusal(OutputError, copy)
    assert "bytes, more than hubs take in one file" in str(error)
    assert error.parameter == "max_shard_bytes"
    assert hub.requests == []


@pytest.mark.parametrize("choice", ["local", "remote"])
def test_the_text_of_one_of_two_cards_is_kept(hub: StandIn, copy: Path, choice: Any) -> None:
    push(copy, "org/ferry")
    repository = hub.models["org/ferry"]
    files = repository.files()
    repository.commit({**files, CARD: files[CARD] + b"\nThere.\n"})
    (copy / CARD).write_bytes((copy / CARD).read_bytes() + b"\nHere.\n")
    error = refusal(OutputExistsError, copy)
    assert "org/ferry/README.md: has text that " in str(error)
    assert error.parameter == "card"
    push(copy, "org/ferry", card=choice)
    assert (b"Here." in repository.files()[CARD]) is (choice == "local")
    assert (b"There." in repository.files()[CARD]) is (choice == "remote")


def test_text_that_is_only_in_one_card_is_kept(hub: StandIn, copy: Path) -> None:
    (copy / CARD).write_bytes((copy / CARD).read_bytes() + NOTE)
    push(copy, "org/ferry")
    repository = hub.models["org/ferry"]
    assert repository.files()[CARD].endswith(NOTE)
    (copy / CARD).unlink()
    add_sequel(copy)
    push(copy, "org/ferry")
    assert repository.files()[CARD].endswith(NOTE)
    assert b"sequel" in repository.files()[CARD]


def test_offline_nothing_is_published(hub: StandIn, tale: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "offline mode: unset HF_HUB_OFFLINE" in str(refusal(HubError, tale))
    assert hub.requests == []


def test_without_a_token_nothing_is_published(
    hub: StandIn, tale: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    for token in (None, False):
        error = refusal(HubError, tale, token=token)
        assert "needs a token that may write: log in (`hf auth login`), or set HF_TOKEN" in str(error)
    assert hub.requests == []
    assert push(tale, "org/ferry", token=TOKEN).uploaded


def test_an_unknown_token_is_refused(hub: StandIn, tale: Path) -> None:
    assert "the hub does not know this token" in str(refusal(HubError, tale, token="unknown"))
    assert hub.models == {}


def test_a_repository_of_somebody_else_is_not_written(hub: StandIn, tale: Path) -> None:
    hub.add_model("else/model", MODEL_FILES)
    error = refusal(HubError, tale, "else/model")
    assert "hf://else/model: your token does not allow this" in str(error)
    assert error.parameter == "create_pr"
    assert "your token does not allow this" in str(refusal(HubError, tale, "else/new"))
    hub.add_model("else/secret", MODEL_FILES, private=True)
    refusal(HubError, tale, "else/secret")
    assert hub.models["else/model"].files() == hub.models["else/secret"].files() == MODEL_FILES


def test_a_gated_repository_is_not_written(hub: StandIn, tale: Path) -> None:
    hub.add_model("org/model", MODEL_FILES)
    hub.models["org/model"].gated = True
    message = str(refusal(HubError, tale, "org/model"))
    assert f"access is restricted: ask for it on {hub.url}/org/model" in message
    assert hub.models["org/model"].files() == MODEL_FILES


def test_a_hub_that_asks_for_patience_gets_it(hub: StandIn, tale: Path) -> None:
    hub.refusals["/api/models/org/ferry"] = (2, 0)
    hub.refusals["/api/repos/create"] = (1, 0)
    assert push(tale, "org/ferry").uploaded
    assert {times for times, _ in hub.refusals.values()} == {0}


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("repository", "options", "parameter"),
    [
        ("ferry", {}, None),
        ("org/ferry/deep", {}, None),
        ("hf://org/ferry@main", {"revision": "main"}, "revision"),
        ("org/ferry", {"path_in_repo": "../up"}, None),
        ("org/ferry", {"repo_type": "space"}, "repo_type"),
        ("org/ferry", {"card": "mine"}, "card"),
    ],
)
def test_impossible_values_are_refused(
    tale: Path, repository: str, options: dict[str, Any], parameter: str | None
) -> None:
    assert refusal(SpecError, tale, repository, **options).parameter == parameter


def test_what_is_pushed_is_on_this_machine(hub: StandIn, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is on a hub already"):
        push("hf://org/ferry", "org/other")
    refusal(portrait.NotAPortraitError, tmp_path)
    assert hub.requests == []


@pytest.mark.usefixtures("hub")
def test_a_result_is_a_json_object(tale: Path) -> None:
    pushed = push(tale, "org/ferry")
    content = json.loads(json.dumps(pushed.to_dict()))
    assert content["uploaded"] == list(pushed.uploaded)
    assert {name: getattr(pushed, name) for name in ("address", "commit_url", "uploaded_bytes", "card")} == {
        name: content[name] for name in ("address", "commit_url", "uploaded_bytes", "card")
    }
    assert content.keys() == {*pushed.__dataclass_fields__}
