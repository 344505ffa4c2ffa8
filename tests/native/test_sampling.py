"""Which windows the kernel stores and asks, against the oracle, and the properties of sampling by content."""

from __future__ import annotations

import itertools
import random
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracle, samples, second_reader
from support.packed_keys import unpack as as_integers

import portrait
from portrait import _native
from portrait.spec import UNITS

if TYPE_CHECKING:
    from collections.abc import Callable


def kernel(spec: portrait.WindowSpec) -> _native.Windows:
    """Return the kernel's form of a window spec."""
    return _native.Windows(spec.normalizer, spec.unit, spec.width, spec.sampling.name, spec.sampling.gap)


def without_repeats(keys: list[int]) -> list[int]:
    """Return keys without those that are equal to the one just before: the kernel may leave them out."""
    return [key for key, _ in itertools.groupby(keys)]


#: Texts in which windows repeat, or characters take several bytes.
REPETITIVE = st.one_of(
    st.builds(str.__mul__, st.sampled_from("a-ж京🚢 "), st.integers(0, 90)),
    st.builds(str.__mul__, st.text("ab ", min_size=1, max_size=9), st.integers(0, 30)),
    st.text("ab", max_size=90),
    st.text("天地玄黃宇宙洪荒", max_size=60),
    st.text("abc déж京🚢", max_size=60),
)
SAMPLED_TEXTS = st.one_of(
    samples.texts(), st.lists(REPETITIVE, max_size=3).map("".join), st.text("ab cd ef gh", max_size=200)
)


def minimizers(max_extra: int = 12, max_span: int = 20) -> st.SearchStrategy[portrait.WindowSpec]:
    """Return a strategy for specs of sampled windows that normalising leaves as they are."""
    return st.builds(
        lambda unit, extra, span: portrait.WindowSpec(
            samples.least_width(span, unit) + extra, span, unit, "none"
        ),
        st.sampled_from(UNITS),
        st.integers(0, max_extra),
        st.builds(portrait.Minimizer, st.integers(1, max_span)),
    )


def units(text: str, spec: portrait.WindowSpec) -> list[bytes]:
    """Return the units of a text as the windows of a spec count them."""
    return oracle.units(oracle.normalise(text, spec.normalizer)[0], spec.unit)


@settings(max_examples=400, deadline=None)
@given(SAMPLED_TEXTS, samples.specs(max_width=24, max_gap=30))
def test_stored_and_asked_windows_are_those_of_the_definition(text: str, spec: portrait.WindowSpec) -> None:
    plain, parts = samples.plain(spec), units(text, spec)
    assert kernel(spec).stored(text) == oracle.stored_offsets(parts, plain)
    assert kernel(spec).asked(text) == oracle.asked_offsets(parts, plain)


@settings(max_examples=200, deadline=None)
@given(SAMPLED_TEXTS, minimizers())
def test_of_any_windows_in_a_row_as_many_as_the_span_one_is_sampled(
    text: str, spec: portrait.WindowSpec
) -> None:
    span, n_units = spec.sampling.gap, len(units(text, spec))
    sampled = kernel(spec).asked(text)
    # Strictly increasing, and never more than the span apart.
    ends = [-1, *sampled, n_units - spec.width + 1] if n_units >= spec.width else []
    assert all(0 < after - before <= span for before, after in itertools.pairwise(ends[1:-1]))
    if n_units >= spec.width + span - 1:
        assert all(after - before <= span for before, after in itertools.pairwise(ends))
        assert kernel(spec).stored(text) == sampled


@settings(max_examples=200, deadline=None)
@given(SAMPLED_TEXTS, SAMPLED_TEXTS, SAMPLED_TEXTS, minimizers())
def test_a_passage_has_the_same_sampled_windows_in_any_surroundings(
    passage: str, before: str, after: str, spec: portrait.WindowSpec
) -> None:
    # Spaces keep the words of the passage apart from those around it.
    whole = f"{before} {passage} {after}"
    first = len(units(f"{before} ", spec))
    n_units, span = len(units(passage, spec)), spec.sampling.gap
    if n_units < spec.guaranteed_length:
        return
    inside = {first + at for at in kernel(spec).asked(passage)}
    sampled = set(kernel(spec).asked(whole))
    assert inside <= sampled
    # Of the windows at the passage's ends, contexts that reach beyond it may sample more.
    within = range(first + span - 1, first + n_units - spec.guaranteed_length + 1)
    assert sampled & {*within} <= inside


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("n_units", [49, 50, 51, 90, 91, 92, 300])
def test_of_a_run_of_one_unit_the_first_window_of_each_context_is_sampled(unit: Any, n_units: int) -> None:
    for one in ("-", "é", "京"):
        spec = portrait.WindowSpec(50, portrait.Minimizer(42), unit)
        text = one * n_units
        if unit == "word":
            text = " ".join(text)
        elif unit == "byte":
            text = "-" * n_units
        n_windows, n_contexts = max(0, n_units - 49), max(0, n_units - 90)
        assert kernel(spec).asked(text) == [*range(n_contexts or n_windows)]
        stored = [*range(n_contexts)] or sorted({0, n_windows - 1} if n_windows else {})
        assert kernel(spec).stored(text) == stored
        keys = _native.Keys(documents="none")
        assert keys.add_text(kernel(spec), text)[2] == len(stored)
        windows = oracle.all_windows(text, samples.plain(spec))
        assert set(as_integers(keys)) == {*map(oracle.window_key, windows)}


WORDS = ["the", "ferry", "left", "at", "noon", "and", "nobody", "minded"]

#: Texts of tens of thousands of units, which the kernel takes in several chunks.
LONG_TEXTS: dict[str, Callable[[random.Random], str]] = {
    "prose": lambda dice: " ".join(dice.choices(WORDS, k=6000)),
    "noise": lambda dice: "".join(dice.choices("abcdefghij klmnop", k=40_000)),
    "few symbols": lambda dice: "".join(dice.choices("ab ", k=40_000)),
    "CJK": lambda dice: "".join(dice.choices([*map(chr, range(0x4E00, 0x5200)), " "], k=30_000)),
    "mixed": lambda dice: "".join(dice.choices("ab cé京🚢ж\u0301\n\t", k=40_000)),
    "runs": lambda dice: " ".join(dice.choice("-=x京") * dice.randint(1, 400) for _ in range(150)),
    "a period": lambda _: "the ferry " * 3000,
    "one run": lambda _: "-" * 30_000,
}
#: Widths and spans: among them t = r and t > r, a span wider than the window, and spans beyond 2,000.
SHAPES = [(50, 42), (50, 25), (8, 1), (13, 5), (300, 100), (9, 500), (50, 2_500), (3_000, 2_100)]


@pytest.mark.parametrize("name", LONG_TEXTS)
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("width", "span"), SHAPES)
def test_long_texts_have_the_sampled_windows_of_the_definition(
    name: str, unit: Any, width: int, span: int
) -> None:
    text = LONG_TEXTS[name](random.Random(f"{name} {width}"))
    for normalizer in ("none", "spaces"):
        spec = portrait.WindowSpec(width, portrait.Minimizer(span), unit, normalizer)
        record = {"width": width, "sampling": "minimizer", "span": span, "unit": unit}
        slow = second_reader.Windows(record)
        parts = slow.parts(oracle.normalise(text, normalizer)[0])
        stored = slow.stored(parts)
        assert kernel(spec).asked(text) == slow.asked(parts)
        assert kernel(spec).stored(text) == stored
        keys = _native.Keys(documents="none")
        assert keys.add_text(kernel(spec), text)[2] == len(stored)
        expected = [slow.key(parts, at) for at in stored]
        assert without_repeats(as_integers(keys)) == without_repeats(expected)


@pytest.mark.parametrize("n_units", [0, 1, 49, 50, 51, 89, 90, 91, 92])
@pytest.mark.parametrize("unit", UNITS)
def test_a_text_without_room_for_a_context_asks_all_of_its_windows(unit: Any, n_units: int) -> None:
    spec = portrait.WindowSpec(50, portrait.Minimizer(42), unit, "none")
    dice = random.Random(n_units)
    parts = dice.choices(["ferry", "noon", "quay"] if unit == "word" else "abcdef", k=n_units)
    text = (" " if unit == "word" else "").join(parts)
    n_windows = max(0, n_units - 49)
    if n_units < 91:
        assert kernel(spec).asked(text) == [*range(n_windows)]
        assert kernel(spec).stored(text) == sorted({0, n_windows - 1} if n_windows else {})
    else:
        assert kernel(spec).asked(text) == kernel(spec).stored(text)
        assert 1 <= len(kernel(spec).asked(text)) <= n_units - 90


def source_code(n_chars: int) -> str:
    """Return source code of the standard library, in characters of ASCII."""
    text = ""
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        data = path.read_bytes()
        if data.isascii():
            text += data.decode()
        if len(text) >= n_chars:
            break
    return text[:n_chars]


@pytest.mark.parametrize("text_name", ["random", "few symbols", "source code"])
@pytest.mark.parametrize(
    ("unit", "width", "span"),
    [
        *(("char", 50, 42), ("char", 50, 25), ("char", 13, 5), ("byte", 50, 42), ("byte", 100, 42)),
        *(("char", 30, 60), ("word", 13, 11), ("word", 13, 5)),
    ],
)
def test_the_density_is_that_of_the_formula(text_name: str, unit: Any, width: int, span: int) -> None:
    dice = random.Random(17)
    letters = "abcd " if text_name == "few symbols" else "abcdefghijklmnopqrstuvwxyz ABCDEF.,;:"
    if text_name == "source code":
        text = source_code(2_000_000)
    elif unit == "word":
        text = " ".join("".join(dice.choices(letters[:-1], k=5)) for _ in range(400_000))
    else:
        text = "".join(dice.choices(letters, k=2_000_000))
    spec = portrait.WindowSpec(width, portrait.Minimizer(span), unit)
    least = 2 if unit == "word" else 8
    size = least + (width - least) % span
    density = (2 + (width - size) / span) / (span + width - size + 1)
    assert spec.density == pytest.approx(density, rel=1e-12)
    n_windows = (
        len(
            second_reader.Windows({"width": width, "sampling": "stride", "stride": 1, "unit": unit}).parts(
                kernel(spec).normalize(text)[0]
            )
        )
        - width
        + 1
    )
    assert len(kernel(spec).asked(text)) / n_windows == pytest.approx(density, rel=0.03)
