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

WINDOW_TEXTS = (
    "",
    "short",
    "The ferry left\tat noon, and nobody minded.",
    "Cafe\u0301 京都 🚢\u00a0\u00a0Köln",
    "--------------------",
)
WINDOWS = ((1, 1), (5, 1), (5, 3), (7, 20), (4, 4))
WORD_WINDOWS = ((1, 1), (2, 1), (3, 2), (8, 3))

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
)
THRESHOLD = 0.01


def spec_case(spec: Spec) -> Case:
    """Return a spec as in a manifest."""
    windows = {"width": spec.width, "stride": spec.stride, "unit": spec.unit}
    return {"windows": windows, "normalizer": spec.normalizer}


def normalizer_cases() -> Iterator[Case]:
    """Yield each text's normalised form and the origins of its characters."""
    for normalizer in NORMALIZERS:
        for text in TEXTS:
            normalized, origins = oracle.normalise(text, normalizer)
            yield {"normalizer": normalizer, "text": text, "normalized": normalized, "origins": origins}


def window_cases() -> Iterator[Case]:
    """Yield each text's windows, their keys, and what a document of this text stores."""
    for unit, shapes in (("char", WINDOWS), ("byte", WINDOWS), ("word", WORD_WINDOWS)):
        for width, stride in shapes:
            for i, text in enumerate(WINDOW_TEXTS):
                spec = Spec(width, stride, unit, NORMALIZERS[(i + width) % 4])
                normalized, _ = oracle.normalise(text, spec.normalizer)
                windows = oracle.all_windows(normalized, spec)
                yield spec_case(spec) | {
                    "text": text,
                    "normalized": normalized,
                    "n_units": len(oracle.units(normalized, unit)),
                    "all_windows": [
                        [window.hex(), key_text(oracle.window_key(window))] for window in windows
                    ],
                    "document_key": key_text(oracle.document_key(normalized)),
                    "stored_offsets": oracle.stored_offsets(len(oracle.units(normalized, unit)), spec),
                    "stored_keys": sorted(map(key_text, oracle.document_keys(text, spec))),
                    "stored_keys_with_short_documents": sorted(
                        map(key_text, oracle.document_keys(text, replace(spec, short_documents=True)))
                    ),
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
                    "hits": "".join("01"[hit] for hit in oracle.hits(text, spec, bloom.contains)),
                    "chains": [list(chain) for chain in oracle.chains(text, spec, bloom.contains)],
                    "exact_document": answer["exact_document"],
                    "evalue": answer["evalue"],
                    "detectable_length": answer["detectable_length"],
                    "verdict": answer["verdict"],
                    "matches": layer["matches"],
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
