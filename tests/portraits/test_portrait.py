"""Querying portraits: alone or together, in this process or another."""

from __future__ import annotations

import math
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from support import forge, oracle, samples
from support.evidence import without_words
from support.hub_fixtures import TALE, files_of, hub, hub_server, tale  # noqa: F401  # fixtures
from support.places import GOLDEN

import portrait
from portrait.errors import DamagedBundleError, HubError, SpecError, UnsupportedBundleError

if TYPE_CHECKING:
    from pathlib import Path

    from support.hub_stand_in import StandIn

STORY = "The tide clerk of Sandholm wrote two numbers into his book every morning, and on Sundays a third."


@pytest.fixture
def book(tmp_path: Path) -> portrait.Portrait:
    """A portrait of one source, ``books``, with the story."""
    (tmp_path / "book.txt").write_text(STORY)
    return portrait.build({"books": tmp_path / "book.txt"}, tmp_path / "book.portrait")


def test_several_portraits_give_one_answer_that_counts_all_their_layers() -> None:
    one = samples.build({"a": ["it was the best of times"]}, portrait.WindowSpec(8, portrait.Stride(4)))
    other = samples.build({"b": ["天地玄黃"], "c": ["宇宙洪荒"]}, portrait.WindowSpec(8, portrait.Stride(4)))
    text = "it was the best of times"
    answer = portrait.query([one.portrait, other.portrait], text)
    assert [layer.source for layer in answer.layers] == ["a", "b", "c"]
    assert without_words(answer) == oracle.judge(text, one.spec, one.layers + other.layers, 0.01)


def test_querying_no_portraits_is_an_error() -> None:
    with pytest.raises(portrait.PortraitError):
        portrait.query([], "a text")


@pytest.mark.parametrize("value", [0, 0.0, -1.0, math.nan, math.inf, -math.inf, True, "0.01", None])
def test_the_threshold_is_a_positive_number(value: Any) -> None:
    opened = samples.build({"main": ["text"]}, portrait.WindowSpec()).portrait
    with pytest.raises(portrait.SpecError, match="E-value threshold must be a positive number"):
        opened.query("text", evalue=value)


@pytest.mark.parametrize("value", [5e-324, 1, 1e6])
def test_thresholds_of_all_sizes_up_to_a_million_are_accepted(value: float) -> None:
    opened = samples.build({"main": ["some text"]}, portrait.WindowSpec(4, portrait.Stride(2))).portrait
    assert opened.query("some text", evalue=value).detectable_length


@pytest.mark.parametrize("text", [None, 1, b"bytes"])
def test_a_text_is_a_string(text: Any) -> None:
    opened = samples.build({"main": ["text"]}, portrait.WindowSpec()).portrait
    with pytest.raises(TypeError, match="a text is a str"):
        opened.query([text])


def test_a_portrait_is_pickled_by_its_path(
    book: portrait.Portrait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pickled = pickle.dumps(portrait.open("book.portrait"))
    assert len(pickled) < 1000
    monkeypatch.chdir("/")
    assert pickle.loads(pickled).query(STORY) == book.query(STORY)


def test_unpickling_is_refused_where_the_path_holds_another_portrait(
    book: portrait.Portrait, tmp_path: Path
) -> None:
    pickled = pickle.dumps(book)
    (tmp_path / "other.txt").write_text(STORY * 2)
    portrait.build(tmp_path / "other.txt", book.path, overwrite=True)
    with pytest.raises(DamagedBundleError, match="is another portrait than it was"):
        pickle.loads(pickled)


def test_a_portrait_has_its_manifest_s_name_sources_and_specs(book: portrait.Portrait) -> None:
    assert (book.name, book.sources, book.is_bundle) == ("book", ("books",), True)
    assert book.facts == book.manifest.to_dict()
    assert book.spec == book.manifest.windows
    (layer,) = book.layers
    assert (layer.source, layer.fpr) == ("books", book.manifest.layers[0].fpr)
    assert book.filter("books") is layer.filter
    assert repr(book) == f"Portrait({str(book.path)!r}, id={book.manifest.id[:12]}, sources=['books'])"


def test_an_unknown_source_is_named(book: portrait.Portrait) -> None:
    with pytest.raises(portrait.SpecError, match="no source 'web': choose one of books") as caught:
        book.filter("web")
    assert caught.value.parameter == "source"


def test_a_text_is_normalised_as_its_windows_are(book: portrait.Portrait) -> None:
    assert book.normalize(" a \n\tb") == ("a b", [(1, 2), (2, 5), (5, 6)])


def test_evidence_holds_the_chains_that_are_significant_among_all_layers() -> None:
    opened = samples.build({"main": [STORY]}, portrait.WindowSpec(8, portrait.Stride(4)), 0.3).portrait
    text = f"{STORY[:12]}##{STORY[20:36]}##{STORY[40:90]}"
    (every,), (strict,) = opened.evidence(text, evalue=1e6), opened.evidence(text, evalue=1e-6)
    assert len(every.scan.chains) > len(strict.scan.chains) > 0
    assert every.scan[:5] == strict.scan[:5]
    (alone,), (among_many,) = opened.evidence(text), opened.evidence(text, n_layers=10**6)
    shortest = significant(alone.windows, 1, alone.fpr), significant(alone.windows, 10**6, alone.fpr)
    assert alone.scan.chains == tuple(chain for chain in every.scan.chains if chain.distinct >= shortest[0])
    assert among_many.scan.chains == tuple(
        chain for chain in every.scan.chains if chain.distinct >= shortest[1]
    )


def significant(n_windows: int, n_layers: int, fpr: float) -> int:
    """Return the number of windows in the shortest chain that is significant at 0.01."""
    shortest = oracle.significant_chain(n_windows, n_layers, fpr, 0.01)
    assert shortest is not None
    return shortest


def test_the_identity_of_a_foreign_filter_depends_on_its_files() -> None:
    one, other = (
        portrait.open(GOLDEN / "redisbloom" / name) for name in ("words.50-50.bf", "words-quip.25-1.bf")
    )
    assert one.identity != other.identity
    assert pickle.loads(pickle.dumps(one)).identity == one.identity


@pytest.mark.parametrize("kind", ["bloom", "ribbon", "pybloom"])
@pytest.mark.parametrize("factor", [0.5, 0.89, 1.12, 1e-6])
def test_a_recorded_rate_that_the_filter_contradicts_is_found(
    kind: str, factor: float, tmp_path: Path
) -> None:
    (tmp_path / "book.txt").write_text(STORY * 20)
    options: Any = {"filter": portrait.FilterSpec(kind=kind)}  # type: ignore[arg-type]
    built = portrait.build(tmp_path / "book.txt", tmp_path / "b.portrait", **options)
    built.check_rates()
    forge.change_manifest(
        built.path, lambda content: content["layers"][0].update(fpr=built.layers[0].fpr * factor)
    )
    changed = portrait.open(built.path)
    with pytest.raises(DamagedBundleError, match=r"layer 'main' is recorded as .*, but its bits have"):
        changed.check_rates()


def test_foreign_filters_have_the_rate_of_their_bits() -> None:
    for path in sorted((GOLDEN / "redisbloom").glob("*.bf")):
        portrait.open(path).check_rates()


@pytest.mark.parametrize(
    ("location", "options"),
    [
        ("org/ferry", {}),
        ("org/ferry", {"revision": "main"}),
        ("hf://org/ferry", {}),
        ("org/ferry", {"repo_type": "dataset", "subfolder": "deep", "revision": "next"}),
        ("hf://datasets/org/ferry@next", {"subfolder": "deep"}),
        ("hf://datasets/org/ferry@next/deep", {}),
    ],
)
def test_a_published_portrait_is_opened_by_the_hubs_usual_arguments(
    hub: StandIn,  # noqa: F811  # a fixture
    tale: Path,  # noqa: F811  # a fixture
    location: str,
    options: dict[str, Any],
) -> None:
    hub.add_model("org/ferry", files_of(tale))
    hub.add("org/ferry", {})
    hub.repositories["org/ferry"].commit(files_of(tale, "deep"), "next")
    opened = portrait.Portrait.from_pretrained(location, **options)
    assert opened.query(TALE).verdict == "found"
    assert opened.manifest == portrait.open(tale).manifest


def test_a_directory_is_opened_by_the_hubs_usual_arguments(
    book: portrait.Portrait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = portrait.Portrait.from_pretrained(book.path)
    assert opened.manifest == book.manifest
    assert portrait.Portrait.from_pretrained(tmp_path, subfolder="book.portrait").manifest == book.manifest
    monkeypatch.chdir(tmp_path)
    assert portrait.Portrait.from_pretrained("book.portrait").manifest == book.manifest


def test_the_cache_alone_is_asked_where_nothing_else_may_be(
    hub: StandIn,  # noqa: F811  # a fixture
    tale: Path,  # noqa: F811  # a fixture
    tmp_path: Path,
) -> None:
    hub.add_model("org/ferry", files_of(tale))
    cache = tmp_path / "cache"
    with pytest.raises(HubError, match="is not in the cache"):
        portrait.Portrait.from_pretrained("org/ferry", cache_dir=cache, local_files_only=True)
    path = portrait.Portrait.from_pretrained("org/ferry", cache_dir=cache).path
    assert path.is_relative_to(cache)
    hub.requests.clear()
    opened = portrait.Portrait.from_pretrained("org/ferry", cache_dir=cache, local_files_only=True, map=False)
    assert opened.path == path
    assert hub.requests == []


@pytest.mark.parametrize("location", ["missing.portrait", "org/deep/missing", "/missing"])
def test_neither_a_path_nor_a_repository_is_an_error(location: str) -> None:
    with pytest.raises(SpecError):
        portrait.Portrait.from_pretrained(location)


def test_an_open_portrait_is_published(
    hub: StandIn,  # noqa: F811  # a fixture
    book: portrait.Portrait,
) -> None:
    pushed = book.push_to_hub("org/books", path_in_repo="deep", repo_type="dataset", private=True)
    assert hub.repositories["org/books"].private
    assert portrait.Portrait.from_pretrained(pushed.address).manifest == book.manifest
    assert book.push_to_hub("hf://datasets/org/books/deep").uploaded == ()


def test_a_foreign_filter_is_not_published_as_it_is(hub: StandIn) -> None:  # noqa: F811  # a fixture
    with pytest.raises(UnsupportedBundleError, match="has no manifest: wrap it first, and push that"):
        portrait.open(GOLDEN / "redisbloom" / "words.50-50.bf").push_to_hub("org/words")
    assert hub.requests == []
