"""The slow, obvious truth that the kernel and the library are measured against.

Plain lists, sets and ``unicodedata``, written from the definitions, sharing no code with
``portrait``. Filters answer yes by chance, so whatever asks one takes ``contains``: a set's
membership test, or that of the very filter under test, which makes the comparison exact.
"""

from __future__ import annotations

import collections
import functools
import itertools
import math
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import xxhash

#: Unicode's White_Space property, which is not what str.isspace tests.
WHITE_SPACE = frozenset(
    map(chr, [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)])
) | frozenset("\u2028\u2029\u202f\u205f\u3000")

#: Unicode's Default_Ignorable_Code_Point property: what is not seen unless a program knows it.
IGNORABLE = frozenset(
    chr(code)
    for first, last in [
        (0xAD, 0xAD),
        (0x34F, 0x34F),
        (0x61C, 0x61C),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFF8),
        (0x1BCA0, 0x1BCA3),
        (0x1D173, 0x1D17A),
        (0xE0000, 0xE0FFF),
    ]
    for code in range(first, last + 1)
)

Origin = tuple[int, int]
Contains = Callable[[int], bool]


@dataclass(frozen=True)
class Spec:
    """How texts become windows."""

    width: int
    stride: int
    unit: str = "char"
    normalizer: str = "spaces"


# --- Normalising ------------------------------------------------------------------------------------


class Piece(NamedTuple):
    """A character on its way through normalising, and where it comes from."""

    char: str
    start: int
    end: int


def normalise(text: str, normalizer: str = "spaces") -> tuple[str, list[Origin]]:
    """The normalised text, and the origin [start, end) of each of its characters."""
    if normalizer == "none":
        pieces = [Piece(char, i, i + 1) for i, char in enumerate(text)]
    elif normalizer == "data-portraits":
        pieces = _data_portraits([Piece(char, i, i + 1) for i, char in enumerate(text)])
    elif normalizer == "spaces":
        pieces = _fold_spaces(_monotone(_composed(_ordered(_decomposed(text, "NFD")))))
    elif normalizer == "loose":
        folded = _case_folded(_ordered(_decomposed(text, "NFKD", IGNORABLE)))
        pieces = _fold_spaces(_separated(_monotone(_composed(folded))))
    else:
        raise ValueError(normalizer)
    return "".join(piece.char for piece in pieces), [(piece.start, piece.end) for piece in pieces]


def _decomposed(
    text: str, form: Literal["NFD", "NFKD"], ignorable: frozenset[str] = frozenset()
) -> list[Piece]:
    """Every character's parts; one that is ignored belongs to the part before it."""
    pieces: list[Piece] = []
    for i, char in enumerate(text):
        if char not in ignorable:
            pieces += [Piece(part, i, i + 1) for part in unicodedata.normalize(form, char)]
        elif pieces:
            pieces[-1] = pieces[-1]._replace(end=i + 1)
    return pieces


def _ordered(pieces: list[Piece]) -> list[Piece]:
    """Canonical order: neighbours change places until no mark stands behind one of a higher class."""
    pieces = list(pieces)
    swapped = True
    while swapped:
        swapped = False
        for i in range(1, len(pieces)):
            before, after = (unicodedata.combining(piece.char) for piece in pieces[i - 1 : i + 1])
            if 0 < after < before:
                pieces[i - 1], pieces[i] = pieces[i], pieces[i - 1]
                swapped = True
    return pieces


@functools.cache
def compositions() -> dict[tuple[str, str], str]:
    """The character that each pair of characters composes to, where one does."""
    composites = {}
    for char in map(chr, range(sys.maxunicode + 1)):
        parts = unicodedata.decomposition(char).split()
        # Two code points without a "<tag>" are canonical; NFC keeps those that are not excluded.
        if len(parts) == 2 and parts[0][0] != "<" and unicodedata.normalize("NFC", char) == char:
            first, second = (chr(int(part, 16)) for part in parts)
            composites[first, second] = char
    for syllable in map(chr, range(0xAC00, 0xD7A4)):
        parts = list(unicodedata.normalize("NFD", syllable))
        composites[unicodedata.normalize("NFC", "".join(parts[:-1])), parts[-1]] = syllable
    return composites


def _composed(pieces: list[Piece]) -> list[Piece]:
    composites = compositions()
    done: list[Piece] = []
    starter: int | None = None
    for piece in pieces:
        rank = unicodedata.combining(piece.char)
        if starter is not None:
            base = done[starter]
            blocked = any(unicodedata.combining(between.char) >= rank for between in done[starter + 1 :])
            composite = composites.get((base.char, piece.char))
            if composite is not None and not blocked:
                done[starter] = Piece(composite, min(base.start, piece.start), max(base.end, piece.end))
                continue
        if rank == 0:
            starter = len(done)
        done.append(piece)
    return done


def _monotone(pieces: list[Piece]) -> list[Piece]:
    """Widen the origins that reordering has crossed, so that starts and ends never decrease."""
    ends = list(itertools.accumulate((piece.end for piece in pieces), max))
    starts = list(itertools.accumulate((piece.start for piece in reversed(pieces)), min))[::-1]
    chars = [piece.char for piece in pieces]
    return [Piece(*piece) for piece in zip(chars, starts, ends, strict=True)]


def _case_folded(pieces: list[Piece]) -> list[Piece]:
    """Every character's folded form; what was ignored behind one belongs to its last part."""
    folded: list[Piece] = []
    for piece in pieces:
        *others, last = list(piece.char.casefold())
        folded += [Piece(char, piece.start, piece.start + 1) for char in others]
        folded.append(piece._replace(char=last))
    return folded


def _separated(pieces: list[Piece]) -> list[Piece]:
    """A space for everything that is no letter, number, or mark on either."""
    done: list[Piece] = []
    for piece in pieces:
        kind = unicodedata.category(piece.char)[0]
        stays = kind in "LN" or (kind == "M" and done and done[-1].char != " ")
        done.append(piece if stays else piece._replace(char=" "))
    return done


def _fold_spaces(pieces: list[Piece]) -> list[Piece]:
    folded: list[Piece] = []
    for piece in pieces:
        if piece.char not in WHITE_SPACE:
            folded.append(piece)
        elif folded and folded[-1].char == " ":
            folded[-1] = Piece(" ", folded[-1].start, piece.end)
        else:
            folded.append(Piece(" ", piece.start, piece.end))
    while folded and folded[0].char == " ":
        folded.pop(0)
    while folded and folded[-1].char == " ":
        folded.pop()
    return folded


def _data_portraits(pieces: list[Piece]) -> list[Piece]:
    """The original's three substitutions and its strip, each followed by its origins."""
    for pattern, replacement in ((r"[\r\n]+", "\n"), (r"[^\S\n]+", " "), (r"\n\s", "\n")):
        pieces = _substituted(pattern, replacement, pieces)
    text = "".join(piece.char for piece in pieces)
    start = len(text) - len(text.lstrip())
    return pieces[start : max(start, len(text.rstrip()))]


def _substituted(pattern: str, replacement: str, pieces: list[Piece]) -> list[Piece]:
    """``re.sub`` by one character, which stands for all that it replaces."""
    done: list[Piece] = []
    at = 0
    for match in re.finditer(pattern, "".join(piece.char for piece in pieces)):
        done += pieces[at : match.start()]
        done.append(Piece(replacement, pieces[match.start()].start, pieces[match.end() - 1].end))
        at = match.end()
    return done + pieces[at:]


# --- Windows and keys -------------------------------------------------------------------------------


def units(text: str, unit: str) -> list[bytes]:
    """What windows of a normalised text are counted in, each as its bytes."""
    if unit == "char":
        return [char.encode() for char in text]
    if unit == "word":
        return [word.encode() for word in re.split(f"[{''.join(WHITE_SPACE)}]+", text) if word]
    return [bytes([byte]) for byte in text.encode()]


def chars_of_units(text: str, unit: str) -> list[tuple[int, int]]:
    """The first and the last character of each unit of a normalised text."""
    if unit == "word":
        return [
            (match.start(), match.end() - 1) for match in re.finditer(f"[^{''.join(WHITE_SPACE)}]+", text)
        ]
    return [(i, i) for i, char in enumerate(text) for _ in units(char, unit)]


def all_windows(text: str, spec: Spec) -> list[bytes]:
    """Every window of a normalised text, at stride 1."""
    cut = units(text, spec.unit)
    between = b" " if spec.unit == "word" else b""
    return [between.join(cut[i : i + spec.width]) for i in range(len(cut) - spec.width + 1)]


def stored_offsets(n_units: int, spec: Spec) -> list[int]:
    """Where the windows begin that a document of ``n_units`` stores."""
    last = n_units - spec.width
    return sorted({*range(0, last + 1, spec.stride), last}) if last >= 0 else []


def window_key(window: bytes) -> int:
    """The key of a window."""
    return xxhash.xxh3_64_intdigest(window, seed=0)


def document_key(text: str) -> int:
    """The key of a whole normalised text."""
    return xxhash.xxh3_64_intdigest(text.encode(), seed=1)


def document_keys(document: str, spec: Spec) -> list[int]:
    """What one document stores: its windows' keys in their order, then its own."""
    text, _ = normalise(document, spec.normalizer)
    windows = all_windows(text, spec)
    stored = [windows[i] for i in stored_offsets(len(units(text, spec.unit)), spec)]
    return [*map(window_key, stored), document_key(text)]


def portrait(documents: Iterable[str], spec: Spec) -> set[int]:
    """All keys of a source: a filter that never errs."""
    return {key for document in documents for key in document_keys(document, spec)}


# --- Scanning ---------------------------------------------------------------------------------------


class Chain(NamedTuple):
    """Hits at ``window``, ``window`` + stride …, how many of these windows are different, and the span of
    their text in the text as given.
    """

    window: int
    windows: int
    distinct: int
    start: int
    end: int


def hits(text: str, spec: Spec, contains: Contains) -> list[bool]:
    """Whether each window of ``text`` is known."""
    return [contains(window_key(window)) for window in all_windows(normalise(text, spec.normalizer)[0], spec)]


class Stretch(NamedTuple):
    """Windows ``window``, ``window`` + stride … of which so many hit that they look like an edited copy."""

    window: int
    windows: int
    hits: int
    score: float
    start: int
    end: int


#: Different windows that are told apart; from then on each counts as another.
TOLD_APART = 64


def n_distinct(keys: Iterable[int]) -> int:
    """How many of a run's windows count."""
    seen: set[int] = set()
    n = 0
    for key in keys:
        n += key not in seen or len(seen) == TOLD_APART
        if len(seen) < TOLD_APART:
            seen.add(key)
    return n


def stretch(text: str, spec: Spec, contains: Contains, fpr: float) -> Stretch | None:
    """The stretch with the highest score, window by window, phase by phase."""
    normalised, origins = normalise(text, spec.normalizer)
    keys = [window_key(window) for window in all_windows(normalised, spec)]
    chars = chars_of_units(normalised, spec.unit)
    best: Stretch | None = None
    rate = max(fpr, 2.0**-64)
    shares = [share for share in (0.5, 0.1) if share > rate]
    for phase in range(min(spec.stride, len(keys))):
        scores = dict.fromkeys(shares, 0.0)
        firsts = dict.fromkeys(shares, 0)
        counts = dict.fromkeys(shares, 0)
        seen: set[int] = set()
        for i in range(phase, len(keys), spec.stride):
            if not contains(keys[i]):
                for share in shares:
                    scores[share] = max(0.0, scores[share] + math.log((1 - share) / (1 - rate)))
                continue
            for share in shares:
                if scores[share] == 0:
                    firsts[share], counts[share] = i, 0
            if not any(counts.values()):
                seen = set()
            new = keys[i] not in seen or len(seen) == TOLD_APART
            if len(seen) < TOLD_APART:
                seen.add(keys[i])
            for share in shares:
                if new:
                    scores[share] += math.log(share / rate)
                    counts[share] += 1
                    if best is None or scores[share] > best.score:
                        first = firsts[share]
                        start = origins[chars[first][0]][0]
                        end = origins[chars[i + spec.width - 1][1]][1]
                        windows = (i - first) // spec.stride + 1
                        best = Stretch(first, windows, counts[share], scores[share], start, end)
    return best


def chains(text: str, spec: Spec, contains: Contains) -> list[Chain]:
    """The maximal runs of hits at the stride, ordered by their first window."""
    keys = [window_key(window) for window in all_windows(normalise(text, spec.normalizer)[0], spec)]
    found = {i for i, hit in enumerate(hits(text, spec, contains)) if hit}
    normalised, origins = normalise(text, spec.normalizer)
    chars = chars_of_units(normalised, spec.unit)
    result = []
    for first in sorted(i for i in found if i - spec.stride not in found):
        n_windows = 1
        while first + n_windows * spec.stride in found:
            n_windows += 1
        last_unit = first + (n_windows - 1) * spec.stride + spec.width - 1
        start, end = origins[chars[first][0]][0], origins[chars[last_unit][1]][1]
        own = (keys[first + i * spec.stride] for i in range(n_windows))
        result.append(Chain(first, n_windows, n_distinct(own), start, end))
    return result


def exact_document(text: str, spec: Spec, contains: Contains) -> bool:
    """Whether everything is known that a document of this text would have stored."""
    return all(contains(key) for key in document_keys(text, spec))


# --- Answers ----------------------------------------------------------------------------------------


def evalue(n_windows: int, n_layers: int, fpr: float, chain: int) -> float:
    """How many chains of ``chain`` windows chance alone would show."""
    return n_layers * n_windows * fpr**chain


def significant_chain(n_windows: int, n_layers: int, fpr: float, threshold: float) -> int | None:
    """The shortest chain that chance does not explain, found by trying; ``None`` if there is none."""
    if fpr >= 1:
        return None
    chain = 1
    while evalue(n_windows, n_layers, fpr, chain) > threshold:
        chain += 1
    return chain


def detectable_length(spec: Spec, chain: int) -> int:
    """Units of the shortest passage certain to show a chain of so many windows."""
    return spec.width + spec.stride - 1 + (chain - 1) * spec.stride


def matches(found: Sequence[Chain], spec: Spec) -> list[list[Chain]]:
    """Chains that overlap, directly or by way of others, in one group; groups in the text's order."""
    groups: list[list[Chain]] = []
    for chain in sorted(found):
        begin = chain.window
        end = begin + (chain.windows - 1) * spec.stride + spec.width
        overlapping = [
            group
            for group in groups
            if any(
                other.window < end and begin < other.window + (other.windows - 1) * spec.stride + spec.width
                for other in group
            )
        ]
        apart = [group for group in groups if group not in overlapping]
        groups = [*apart, [*(other for group in overlapping for other in group), chain]]
    return sorted(groups)


def judge(
    text: str, spec: Spec, layers: Sequence[tuple[Contains, float]], threshold: float
) -> dict[str, Any]:
    """The answer about a text, as its JSON object without the words (reason, names)."""
    n_windows = len(all_windows(normalise(text, spec.normalizer)[0], spec))
    n_units = len(units(normalise(text, spec.normalizer)[0], spec.unit))
    lengths: list[int | None] = []
    results: list[dict[str, Any]] = []
    for contains, fpr in layers:
        known = hits(text, spec, contains)
        found = chains(text, spec, contains)
        least = significant_chain(n_windows, len(layers), fpr, threshold)
        lengths.append(None if least is None else detectable_length(spec, least))
        significant = [chain for chain in found if least is not None and chain.distinct >= least]
        conclusive = least is not None and n_units >= detectable_length(spec, least)
        conclusive = conclusive and all(chain.windows < (least or 0) for chain in found)
        values = [evalue(n_windows, len(layers), fpr, chain.distinct) for chain in found]
        best = stretch(text, spec, contains, fpr)
        value = None if best is None else 2 * len(layers) * n_windows * math.exp(-best.score)
        results.append(
            {
                "verdict": "found" if significant else "not_found" if conclusive else "inconclusive",
                "windows": n_windows,
                "hits": sum(known),
                "hit_rate": sum(known) / n_windows if n_windows else 0.0,
                "fpr": fpr,
                "evalue": min(values, default=None),
                "matches": [
                    {
                        "start": min(chain.start for chain in group),
                        "end": max(chain.end for chain in group),
                        "windows": max(chain.distinct for chain in group),
                        "evalue": min(evalue(n_windows, len(layers), fpr, chain.distinct) for chain in group),
                    }
                    for group in matches(significant, spec)
                ],
                "approximate": None
                if best is None or value is None or value > threshold
                else {
                    "start": best.start,
                    "end": best.end,
                    "windows": best.windows,
                    "hits": best.hits,
                    "evalue": value,
                },
            }
        )
    spans = [range(match["start"], match["end"]) for layer in results for match in layer["matches"]]
    verdicts = {layer["verdict"] for layer in results}
    return {
        "verdict": next(v for v in ("found", "inconclusive", "not_found") if v in verdicts),
        "evalue": min((layer["evalue"] for layer in results if layer["evalue"] is not None), default=None),
        "detectable_length": None if None in lengths else max(length or 0 for length in lengths),
        "coverage": len({char for span in spans for char in span}) / len(text) if text else 0.0,
        "longest_match": max(map(len, spans), default=0),
        "exact_document": any(exact_document(text, spec, contains) for contains, _ in layers),
        "layers": results,
    }


# --- The split-block Bloom filter -------------------------------------------------------------------

SALTS = (0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31)


class Bloom:
    """Blocks of eight 32-bit lanes; a key sets one bit in each lane of one block."""

    def __init__(self, n_blocks: int) -> None:
        self.n_blocks = n_blocks
        self.blocks = collections.defaultdict[int, list[int]](lambda: [0] * len(SALTS))

    def _bits(self, key: int) -> tuple[int, list[int]]:
        return (key * self.n_blocks) >> 64, [1 << ((key * salt & 0xFFFFFFFF) >> 27) for salt in SALTS]

    def insert(self, key: int) -> None:
        """Add a key."""
        block, bits = self._bits(key)
        self.blocks[block] = [lane | bit for lane, bit in zip(self.blocks[block], bits, strict=True)]

    def contains(self, key: int) -> bool:
        """Whether all of a key's bits are set."""
        block, bits = self._bits(key)
        return all(lane & bit for lane, bit in zip(self.blocks[block], bits, strict=True))

    def rate(self) -> float:
        """The chance that a random key finds its bits set: per block, the product of the lanes' fills."""
        fills = ([lane.bit_count() / 32 for lane in block] for block in self.blocks.values())
        return sum(map(math.prod, fills)) / self.n_blocks

    def block_bytes(self, block: int) -> bytes:
        """A block's lanes, little-endian."""
        return b"".join(lane.to_bytes(4, "little") for lane in self.blocks[block])

    def to_bytes(self) -> bytes:
        """The blocks end to end."""
        return b"".join(map(self.block_bytes, range(self.n_blocks)))
