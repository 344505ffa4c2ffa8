"""Conformance vectors: small examples of every normaliser, unit, filter and sharding.

They are made without the library. docs/FORMAT.md describes the files in tests/golden/conformance. A program
that reproduces them reads portraits as this library does.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from support import oracle
from support.filter_vectors import (
    Case,
    bloom_cases,
    key_text,
    pybloom_cases,
    redisbloom_cases,
    ribbon_cases,
    shards,
)
from support.oracle import Spec
from support.places import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = GOLDEN / "conformance"

NORMALIZERS = ("none", "spaces", "loose", "data-portraits")

#: Characters that all versions of Unicode in use know, so that tables of any version give the same output.
TEXTS = (
    "",
    " \t\r\n ",
    "  plain text, twice  spaced ",
    "tabs\tand\r\nlines\n\n  indented\r\n\tonce more\n",
    "a" + "b".join(sorted(oracle.WHITE_SPACE)) + "z",
    "not space: \x1c \x1f \u200b \u180e \ufeff \u2060.",
    "a \n \x1c\n b\t\n\n\x1f c",
    "Cafe\u0301 and café, A\u030angstro\u0308m and Ångström, \u212b \u2126 \u1e9b\u0323",
    "q\u0307\u0323 q\u0323\u0307 \u0344 a\u0345\u0301 \u0301alone",
    "\u1112\u1161\u11ab\u1100\u1173\u11af 한글 \u304b\u3099 \u0958 \u0f43 \u09c7\u09be",
    "ﬁ ﬄ ½ ㎏ Ⅳ ＡＢ ｶﾞ ℡ … ǰ ŉ ΐ ᾴ ᾼ",
    "STRASSE straße ẞ İstanbul ıI ſ Σίσυφος ΣΊΣΥΦΟΣ",
    "It\u2019s \u201cQUOTED\u201d\u2014co\u00adop, it\u00b4s `code`; x=y+1",
    "زر مَرْحَبًا שָׁלוֹם\u200f \u202babc\u202c",
    "❤\ufe0f 👩🏽\u200d💻 🇪🇺 1\ufe0f\u20e3",
    "京都、東京。 \u3000 Ω\u0000\u0000 \U0001d160",
)

STRIDE_TEXTS = (
    "",
    "short",
    "The ferry left\tat noon, and nobody minded.",
    "Cafe\u0301 京都 🚢\u00a0\u00a0Köln",
    "--------------------",
)
#: Widths, and strides or spans.
Shapes = tuple[tuple[int, int], ...]
#: Widths and strides of windows of characters and bytes, and of words.
STRIDES: Shapes = ((1, 1), (5, 1), (5, 3), (7, 20), (4, 4))
WORD_STRIDES: Shapes = ((1, 1), (2, 1), (3, 2), (8, 3))
#: Widths and spans: groups of r units (8, or 2 words), of a few more, and of a whole window; spans of one
#: unit, and of a window and more.
SPANS: Shapes = ((8, 1), (8, 5), (12, 4), (20, 4), (20, 7), (30, 20), (28, 25), (9, 20), (50, 42))
WORD_SPANS: Shapes = ((2, 1), (2, 3), (4, 2), (5, 2), (7, 3), (3, 6))
#: Texts to sample windows of: prose, mixed scripts, a script without spaces, runs and periods.
PROSE = (
    "The ferry left\tat noon, and nobody minded. The island keeps its own time: bread at six, the post at "
    "ten, and whatever the weather says after that; Café chairs stand out until the first of November, "
    "then they do not."
)
SAMPLED_TEXTS = (
    "Cafe\u0301 京都 🚢\u00a0\u00a0Köln; Привет, Straße! مرحبا — naïve Ω≈ç√ x = y + 1 и ещё раз: Cafe\u0301.",
    "港の朝は早い。パン屋が店を開けるころには、もう船が三隻も出ていった。天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往秋收冬藏",
    "-" * 110,
    "abcde " * 20,
    "é" * 40 + "e" * 40,
    "=-" * 30 + " na na na na na na na na na na na na na na na na " + "=-" * 30,
)

DOCUMENTS = (
    "The bakery on the corner opens at five. By six the street smells of rye and caraway.",
    "Am Hafen wird geha\u0308mmert: drei Männer flicken ein Boot, das älter ist als sie alle zusammen.",
    "港の朝は早い。パン屋が店を開けるころには、もう船が三隻も出ていった。",
    "--------------------------------------------------------------------------------",
    "too short",
    "",
)
QUESTIONS = (
    "He wrote: by  six the\nstreet smells of rye and caraway. So it did.",
    "Am Hafen wird gehämmert: drei Frauen flicken ein Boot, das älter ist als sie.",
    "Nothing of this stands in any of the documents, not even one of its windows.",
    "早い。パン屋が店を開ける",
    "=====-------------------------=====",
    DOCUMENTS[1],
    "too short",
    "",
)
#: Specs of whole portraits: the windows, and how many blocks the filter has.
PORTRAITS = (
    (Spec(12, 5, "char", "spaces"), 3),
    (Spec(16, 9, "byte", "none"), 2),
    (Spec(3, 2, "word", "loose"), 1),
    (Spec(10, 10, "char", "data-portraits"), 2),
    (Spec(12, span=4, unit="char", normalizer="spaces"), 4),
    (Spec(20, span=5, unit="byte", normalizer="none"), 3),
    (Spec(3, span=2, unit="word", normalizer="loose"), 1),
    (Spec(9, span=14, unit="char", normalizer="data-portraits"), 1),
)
THRESHOLD = 0.01


def spec_case(spec: Spec) -> Case:
    """Return a spec as in a manifest."""
    name, gap = ("minimizer", "span") if spec.span is not None else ("stride", "stride")
    windows = {"width": spec.width, "sampling": name, gap: spec.gap, "unit": spec.unit}
    return {"windows": windows, "normalizer": spec.normalizer}


def normalizer_cases() -> Iterator[Case]:
    """Yield each text's normalised form and the origins of its characters."""
    for normalizer in NORMALIZERS:
        for text in TEXTS:
            normalized, origins = oracle.normalise(text, normalizer)
            yield {"normalizer": normalizer, "text": text, "normalized": normalized, "origins": origins}


def window_cases() -> Iterator[Case]:
    """Yield what a document of each text stores, and what a question asks, by both samplings."""
    for unit, shapes in (("char", STRIDES), ("byte", STRIDES), ("word", WORD_STRIDES)):
        for width, stride in shapes:
            for i, text in enumerate(STRIDE_TEXTS):
                yield window_case(text, Spec(width, stride, unit, NORMALIZERS[(i + width) % 4]))
    for unit, shapes in (("char", SPANS), ("byte", SPANS[1::2]), ("word", WORD_SPANS)):
        for n, (width, span) in enumerate(shapes):
            for i, text in enumerate(sampled_texts(n, unit, width + span - 1)):
                yield window_case(text, Spec(width, None, unit, NORMALIZERS[(i + n) % 4], span=span))


def sampled_texts(n: int, unit: str, context: int) -> Iterator[str]:
    """Yield texts shorter than a window, than a context, as long as one, and two of other kinds."""
    yield "short"
    for n_units in (context - 1, context):
        yield " ".join(PROSE.split()[:n_units]) if unit == "word" else " ".join(PROSE.split())[:n_units]
    yield PROSE
    yield SAMPLED_TEXTS[n % len(SAMPLED_TEXTS)]
    yield SAMPLED_TEXTS[(n + 3) % len(SAMPLED_TEXTS)]


def window_case(text: str, spec: Spec) -> Case:
    """Return what a document of this text stores, and what a question asks."""
    normalized, _ = oracle.normalise(text, spec.normalizer)
    parts = oracle.units(normalized, spec.unit)
    windows = oracle.all_windows(normalized, spec)
    asked = oracle.asked_offsets(parts, spec)
    every = replace(spec, short_documents=True)
    return spec_case(spec) | {
        "text": text,
        "normalized": normalized,
        "n_units": len(parts),
        "document_key": key_text(oracle.document_key(normalized)),
        "stored_offsets": oracle.stored_offsets(parts, spec),
        "stored_keys": sorted({*map(key_text, oracle.document_keys(text, spec))}),
        "stored_keys_with_short_documents": sorted({*map(key_text, oracle.document_keys(text, every))}),
        "asked_offsets": asked,
        "asked_windows": [[windows[i].hex(), key_text(oracle.window_key(windows[i]))] for i in asked],
    }


def order_cases() -> Iterator[Case]:
    """Yield groups of units with their symbols, the numbers made of these, and the group's order."""
    text = "The ferry: at noon, 京都 and Köln 🚢\u00a0\x00\x7f\x80\U0010ffff é."
    words = ["The", "ferry", "left", "at", "noon,", "京都", "and", "Köln", "🚢", "é"]
    for unit, parts, sizes in (
        ("char", oracle.units(text, "char"), (8, 9, 12, 15, 16, 30)),
        ("byte", oracle.units(text, "byte"), (8, 11, 16, 40)),
        ("word", [word.encode() for word in words], (2, 3, 5)),
    ):
        for size in sizes:
            for at in (0, len(parts) // 2, len(parts) - size):
                group = parts[at : at + size]
                yield {
                    "unit": unit,
                    "group": [part.hex() if unit == "byte" else part.decode() for part in group],
                    "symbols": [oracle.symbol(part, unit) for part in group],
                } | {
                    name: f"{number:08x}"
                    for name, number in zip(
                        ("a", "b", "c", "d", "order"),
                        (*oracle.group_numbers(group, unit), oracle.group_order(group, unit)),
                        strict=True,
                    )
                }


def portrait_cases() -> Iterator[Case]:
    """Yield whole portraits of one layer: documents, keys, shards, and what is known about each question."""
    for spec, n_blocks in PORTRAITS:
        keys = sorted(oracle.portrait(DOCUMENTS, spec))
        bloom = oracle.Bloom(n_blocks)
        for key in keys:
            bloom.insert(key)
        questions = []
        for text in QUESTIONS:
            answer = oracle.judge(text, spec, [(bloom.contains, bloom.rate())], THRESHOLD)
            (layer,) = answer["layers"]
            questions.append(
                {
                    "text": text,
                    "asked_offsets": oracle.ask(text, spec).offsets,
                    "hits": "".join("01"[hit] for hit in oracle.hits(text, spec, bloom.contains)),
                    "chains": [list(chain) for chain in oracle.chains(text, spec, bloom.contains)],
                    "exact_document": answer["exact_document"],
                    "evalue": answer["evalue"],
                    "detectable_length": answer["detectable_length"],
                    "verdict": answer["verdict"],
                    "matches": layer["matches"],
                    "approximate": layer["approximate"],
                }
            )
        yield spec_case(spec) | {
            "filter": {"kind": "bloom", "n_blocks": n_blocks},
            "documents": DOCUMENTS,
            "keys": [*map(key_text, keys)],
            "shards": shards(bloom, 2),
            "fpr": bloom.rate(),
            "threshold": THRESHOLD,
            "questions": questions,
        }


FILES = {
    "normalizers": normalizer_cases,
    "orders": order_cases,
    "windows": window_cases,
    "bloom": bloom_cases,
    "ribbon": ribbon_cases,
    "pybloom": pybloom_cases,
    "redisbloom": redisbloom_cases,
    "portraits": portrait_cases,
}


def text_of(name: str) -> str:
    """Return what a file of vectors should hold: a JSON array, one case a line."""
    return "[\n" + ",\n".join(json.dumps(case) for case in FILES[name]()) + "\n]\n"


def cases(name: str) -> list[Case]:
    """Return the cases in a file of vectors."""
    result: list[Case] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return result
