"""The guarantee: every passage of the promised length has hits, and one of the detectable length is found."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support import oracle, samples

if TYPE_CHECKING:
    import portrait

#: Text around a passage: white space prevents its neighbours from composing with it. There is no line feed
#: before it, because `data-portraits` would drop a space at the passage's beginning as indentation.
BEFORE, AFTER = "x\t", "\tx"

documents = st.builds("{} {} {}".format, samples.texts(4), st.text("abc de", min_size=60), samples.texts(4))
specs = samples.specs(max_width=8, max_stride=10)


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
    plain = samples.plain(spec)
    start = data.draw(st.integers(0, 50), label="start")
    extra = data.draw(st.integers(0, 3 * spec.stride), label="extra units")
    passage = passage_of(document, start, spec.guaranteed_length + extra, plain)
    assume(passage)
    n = n_units(passage, plain)
    promised = (n - spec.width - spec.stride + 1) // spec.stride + 1
    assert promised >= 1

    opened = samples.build({"main": [*others, document]}, spec).portrait
    text = "unrelated" + BEFORE + passage + AFTER
    first = first_unit("unrelated" + BEFORE, passage, plain)
    text_units = oracle.units(oracle.normalise(text, spec.normalizer)[0], spec.unit)
    assert text_units[first : first + n] == oracle.units(passage, spec.unit)
    hits = opened.hits(text)["main"]
    starts = range(first, first + n - spec.width + 1)
    runs = [range(i, i + promised * spec.stride, spec.stride) for i in starts]
    whole = [run for run in runs if run[-1] in starts and all(hits[i] for i in run)]
    assert whole
    # The run is part of a chain, which is longer if there are more hits.
    (evidence,) = opened.evidence(text, evalue=1e6)
    for run in whole:
        assert any(
            set(run) <= set(range(chain.window, chain.window + chain.windows * spec.stride, spec.stride))
            for chain in evidence.scan.chains
        )


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
    # Fewer windows never increase the detectable length, so that of the longest possible text is a bound.
    longest = before + BEFORE + oracle.normalise(document, spec.normalizer)[0] + AFTER + after
    bound = opened.query(longest, evalue=threshold).detectable_length
    assert bound is not None
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
    assert any(
        match.windows >= least
        and sum(match.start <= start and end <= match.end for start, end in passage_origins)
        >= spec.width + (least - 1) * spec.stride
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
