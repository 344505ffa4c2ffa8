"""The guarantee: every passage of the promised length has hits, and one of the detectable length is found."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support import corpora, oracle, samples

import portrait

#: Text around a passage: white space prevents its neighbours from composing with it. There is no line feed
#: before it, because `data-portraits` would drop a space at the passage's beginning as indentation.
BEFORE, AFTER = "x\t", "\tx"

documents = st.builds("{} {} {}".format, samples.texts(4), st.text("abc de", min_size=60), samples.texts(4))
specs = samples.specs(max_width=8, max_gap=10)


def n_units(text: str, spec: oracle.Spec) -> int:
    """Return the number of units of a normalised text."""
    return len(oracle.units(text, spec.unit))


def passage_of(document: str, start: int, min_units: int, spec: oracle.Spec) -> str:
    """Return the shortest passage of at least ``min_units`` units from character ``start`` on.

    Both are counted in the normalised document. The passage is empty if the document is too short, or if
    normalising the passage again would change it.
    """
    normalised, _ = oracle.normalise(document, spec.normalizer)
    chars = [unit for unit in oracle.chars_of_units(normalised, spec.unit) if unit[0] >= start]
    if len(chars) < min_units:
        return ""
    passage = normalised[chars[0][0] : chars[min_units - 1][1] + 1]
    # `data-portraits` can leave adjacent line feeds, which it would join if it were applied again.
    changes_again = spec.normalizer == "data-portraits" and "\n\n" in passage
    # `loose` drops a mark without a base character.
    lone_mark = spec.normalizer == "loose" and unicodedata.category(passage[0])[0] == "M"
    return "" if changes_again or lone_mark else passage


def is_in(passage: str, text: str, unit: str) -> bool:
    """Return whether a passage's units are consecutive units of a text."""
    part, whole = oracle.units(passage, unit), oracle.units(text, unit)
    return any(whole[i : i + len(part)] == part for i in range(len(whole) - len(part) + 1))


def first_unit(before: str, passage: str, spec: oracle.Spec) -> int:
    """Return the number of the unit at which a passage begins when it follows ``before`` in a text."""
    leading, _ = oracle.normalise(before + "x", spec.normalizer)
    # A space at the beginning of the passage is joined with the white space before it.
    shares = spec.normalizer != "none" and passage[0] == " "
    return n_units(leading, spec) - 1 - shares


@settings(max_examples=100, deadline=None)
@given(documents, st.lists(samples.texts(3), max_size=3), specs, st.data())
def test_a_passage_has_the_promised_number_of_consecutive_hits(
    document: str, others: list[str], spec: portrait.WindowSpec, data: st.DataObject
) -> None:
    plain, gap = samples.plain(spec), spec.sampling.gap
    start = data.draw(st.integers(0, 50), label="start")
    extra = data.draw(st.integers(0, 3 * gap), label="extra units")
    passage = passage_of(document, start, spec.guaranteed_length + extra, plain)
    assume(passage)
    n = n_units(passage, plain)
    promised = (n - spec.width + 1) // gap
    assert spec.length_holding(promised) <= n < spec.length_holding(promised + 1)
    assert promised >= 1

    opened = samples.build({"main": [*others, document]}, spec).portrait
    text = "unrelated" + BEFORE + passage + AFTER
    first = first_unit("unrelated" + BEFORE, passage, plain)
    text_units = oracle.units(oracle.normalise(text, spec.normalizer)[0], spec.unit)
    assert text_units[first : first + n] == oracle.units(passage, spec.unit)
    question = oracle.ask(text, plain)
    hits = dict(zip(question.offsets, opened.hits(text)["main"], strict=True))
    starts = range(first, first + n - spec.width + 1)
    runs = [
        sequence[i : i + promised]
        for sequence in question.sequences
        for i in range(len(sequence) - promised + 1)
    ]
    whole = [run for run in runs if run[0] in starts and run[-1] in starts and all(hits[i] for i in run)]
    assert whole
    # The run is part of a chain, which is longer if there are more hits.
    (evidence,) = opened.evidence(text, evalue=1e6)
    chains = [
        {i for i in sequence if chain.window <= i <= chain.last}
        for chain in evidence.scan.chains
        for sequence in question.sequences
        if chain.window in sequence
    ]
    assert all(any(chain.issuperset(run) for chain in chains) for run in whole)


def repeats(passage: str, spec: oracle.Spec) -> bool:
    """Return whether a window occurs twice in a passage, so that a chain counts fewer windows than it has."""
    windows = oracle.all_windows(passage, spec)
    return len(set(windows)) < len(windows)


@settings(max_examples=100, deadline=None)
@given(documents, samples.texts(4), samples.texts(4), specs, st.sampled_from([1e-6, 0.01, 1.0]), st.data())
def test_a_passage_of_the_detectable_length_is_found_inside_unrelated_text(
    document: str, before: str, after: str, spec: portrait.WindowSpec, threshold: float, data: st.DataObject
) -> None:
    plain = samples.plain(spec)
    opened, _, ((_, fpr),) = samples.build({"main": [document]}, spec, 0.05)
    # Fewer windows never increase the detectable length, so that of all windows of the longest possible text
    # is a bound.
    longest = before + BEFORE + oracle.normalise(document, spec.normalizer)[0] + AFTER + after
    n_windows = len(oracle.all_windows(oracle.normalise(longest, spec.normalizer)[0], plain))
    chain = oracle.significant_chain(n_windows, 1, fpr, threshold)
    assert chain is not None
    bound = oracle.detectable_length(plain, chain)
    passage = passage_of(document, data.draw(st.integers(0, 20), label="start"), bound, plain)
    assume(passage)

    text = before + BEFORE + passage + AFTER + after
    answer = opened.query(text, evalue=threshold)
    assert answer.detectable_length is not None
    assert answer.detectable_length <= n_units(passage, plain)
    if repeats(passage, plain):
        assert answer.verdict in ("found", "inconclusive")
        return
    assert answer.verdict == "found"
    assert answer.evalue is not None
    assert answer.evalue <= threshold

    # Some match covers at least the units of a significant chain of the passage itself.
    least = oracle.significant_chain(answer.layers[0].windows, 1, fpr, threshold)
    assert least is not None
    normalised, origins = oracle.normalise(text, spec.normalizer)
    unit_origins = [
        (origins[begin][0], origins[end][1]) for begin, end in oracle.chars_of_units(normalised, spec.unit)
    ]
    first = first_unit(before + BEFORE, passage, plain)
    passage_origins = unit_origins[first : first + n_units(passage, plain)]
    apart = 1 if spec.sampling.name == "minimizer" else spec.sampling.gap
    assert any(
        match.windows >= least
        and sum(match.start <= start and end <= match.end for start, end in passage_origins)
        >= spec.width + (least - 1) * apart
        for _, match in answer.matches
    )


@settings(max_examples=80, deadline=None)
@given(documents, st.lists(samples.texts(2), min_size=1, max_size=3), specs, st.data())
def test_if_nothing_is_found_there_is_no_passage_of_the_detectable_length(
    document: str, pieces: list[str], spec: portrait.WindowSpec, data: st.DataObject
) -> None:
    plain = samples.plain(spec)
    slices = st.tuples(st.integers(0, 80), st.integers(1, 40))
    text = ""
    for piece in pieces:
        start, size = data.draw(slices)
        text += piece + document[start : start + size]
    answer = samples.build({"main": [document]}, spec).portrait.query(text)
    length = answer.detectable_length
    assert length is not None
    stored, _ = oracle.normalise(document, spec.normalizer)
    normalised, _ = oracle.normalise(text, spec.normalizer)
    as_it_is = oracle.Spec(1, 1, spec.unit, "none")
    passages = (passage_of(normalised, start, length, as_it_is) for start in range(len(normalised)))
    common = [passage for passage in passages if passage and is_in(passage, stored, spec.unit)]
    if not common:
        long_enough = n_units(normalised, plain) >= length and "repeats itself" not in answer.reason
        assert answer.verdict in ("found", "not_found" if long_enough else "inconclusive")
    elif all(repeats(passage, plain) for passage in common):
        assert answer.verdict in ("found", "inconclusive")
    else:
        assert answer.verdict == "found"


@settings(max_examples=60, deadline=None)
@given(st.lists(samples.texts(4), min_size=1, max_size=4), specs)
def test_every_document_of_a_window_or_more_is_recognised_as_a_whole(
    documents: list[str], spec: portrait.WindowSpec
) -> None:
    opened = samples.build({"main": [*documents, "text"]}, spec).portrait
    for document in documents:
        answer = opened.query(document)
        assert answer.exact_document is (True if answer.layers[0].windows else None)


@settings(max_examples=60, deadline=None)
@given(st.lists(samples.texts(4), min_size=1, max_size=4), specs)
def test_short_documents_that_are_recorded_are_recognised_at_any_length(
    documents: list[str], spec: portrait.WindowSpec
) -> None:
    opened = samples.build({"main": [*documents, "text"]}, spec, short_documents=True).portrait
    for document in documents:
        assert opened.query(document).exact_document


@settings(max_examples=60, deadline=None)
@given(st.lists(samples.texts(2), min_size=1, max_size=4), specs)
def test_a_text_shorter_than_a_window_gives_nothing_away(
    documents: list[str], spec: portrait.WindowSpec
) -> None:
    answers = []
    for corpus in (documents, ["something else"]):
        opened = samples.build({"main": [*corpus, "text"]}, spec).portrait
        answers.append([opened.query(document) for document in documents])
    for inside, outside in zip(*answers, strict=True):
        if not inside.layers[0].windows:
            assert inside.exact_document is None
            assert inside.to_dict() | {"layers": []} == outside.to_dict() | {"layers": []}
            assert (inside.verdict, inside.layers[0].hits) == ("inconclusive", 0)


@settings(max_examples=60, deadline=None)
@given(specs, st.data())
def test_a_document_in_which_there_is_no_room_for_a_context_is_recognised_as_a_whole(
    spec: portrait.WindowSpec, data: st.DataObject
) -> None:
    spec = replace(spec, normalizer="none")
    sizes = st.integers(spec.width, spec.guaranteed_length)
    parts = data.draw(st.lists(st.text("abc", min_size=1, max_size=1), min_size=1, max_size=40))
    texts = []
    for size in data.draw(st.lists(sizes, min_size=1, max_size=4)):
        some = (parts * (size // len(parts) + 1))[:size]
        texts.append((" " if spec.unit == "word" else "").join(some))
    opened = samples.build({"main": texts}, spec).portrait
    for text in texts:
        answer = opened.query(text)
        assert answer.exact_document is True
        stored = oracle.stored_offsets(oracle.units(text, spec.unit), samples.plain(spec))
        asked = oracle.ask(text, samples.plain(spec)).offsets
        hits = dict(zip(asked, opened.hits(text)["main"], strict=True))
        assert all(hits[i] for i in stored)


#: The default, and the strides that overlap by half.
DEFAULTS = [portrait.WindowSpec(), portrait.WindowSpec(sampling=portrait.Stride(25))]


@pytest.fixture(scope="module", params=DEFAULTS, ids=str)
def noisy(request: pytest.FixtureRequest) -> tuple[portrait.Portrait, list[str]]:
    """A portrait of documents in which no window repeats, and these documents."""
    documents = [corpora.noise(i, 2000) for i in range(60)]
    return samples.build({"main": documents}, request.param).portrait, documents


def test_a_text_stitched_from_two_documents_is_one_match_only_by_chance(
    noisy: tuple[portrait.Portrait, list[str]],
) -> None:
    opened, documents = noisy
    dice = random.Random(5)
    length = 220
    joined = n_texts = 0
    for _ in range(400):
        one, other = dice.sample(documents, 2)
        text = one[(at := dice.randrange(len(one) - length)) : at + length]
        text += other[(at := dice.randrange(len(other) - length)) : at + length]
        answer = opened.query(text)
        spans = [(match.start, match.end) for _, match in answer.matches]
        # Each half is found, whatever becomes of the other.
        assert any(start < length - 60 for start, _ in spans)
        assert any(end > length + 60 for _, end in spans)
        n_texts += 1
        joined += any(start < length - 60 and end > length + 60 for start, end in spans)
    # Two asked windows at the seam may each hit by chance, and so join what is left and right of it.
    assert joined <= 4 * opened.layers[0].fpr * n_texts


@pytest.mark.parametrize("change", ["an insertion", "a deletion", "a replacement"])
def test_an_edit_ends_a_stretch_only_if_it_moves_the_rest_to_another_phase(
    change: str, noisy: tuple[portrait.Portrait, list[str]]
) -> None:
    opened, documents = noisy
    for document in documents[:20]:
        left, right = document[300:700], document[700:1100]
        text = (
            left
            + {"an insertion": "~" + right, "a deletion": right[1:], "a replacement": "~" + right[1:]}[change]
        )
        approximate = opened.query(text).layers[0].approximate
        assert approximate is not None
        across = approximate.start < 100 and approximate.end > len(text) - 100
        assert across == (opened.spec.sampling.name == "minimizer" or change == "a replacement")
