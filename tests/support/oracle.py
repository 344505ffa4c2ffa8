"""A slow, simple reference implementation to compare the kernel and the library with.

It is written from the definitions with plain lists, sets and ``unicodedata``, and shares no code with
``portrait``. Because filters have false positives, every function that queries one takes ``contains``: the
membership test of a set, or that of the filter under test itself, which makes the comparison exact.
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
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import xxhash

#: Characters with Unicode's White_Space property, which differs from str.isspace.
WHITE_SPACE = frozenset(
    map(chr, [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)])
) | frozenset("\u2028\u2029\u202f\u205f\u3000")

#: Characters with Unicode's Default_Ignorable_Code_Point property: invisible unless a program supports them.
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
    """How texts become windows: width, stride or span in units, the unit, and the normaliser.

    Windows are sampled at a stride, ``Spec(50, 25)``, or by a minimizer with a span, ``Spec(50, span=42)``.
    ``short_documents`` says whether a document shorter than a window stores the key of its text.
    """

    width: int
    stride: int | None = None
    unit: str = "char"
    normalizer: str = "spaces"
    short_documents: bool = False
    span: int | None = None

    def __post_init__(self) -> None:
        if (self.stride is None) == (self.span is None):
            raise ValueError("windows have either a stride or a span")

    @property
    def gap(self) -> int:
        """The stride or the span: of so many windows in a row, at least one is stored."""
        return self.span or self.stride or 0


# --- Normalising ------------------------------------------------------------------------------------


class Piece(NamedTuple):
    """A character during normalisation, with its origin [start, end) in the original text."""

    char: str
    start: int
    end: int


def normalise(text: str, normalizer: str = "spaces") -> tuple[str, list[Origin]]:
    """Return the normalised text, and the origin [start, end) of each of its characters."""
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
    """Decompose every character; the origin of an ignorable one is added to the part before it."""
    pieces: list[Piece] = []
    for i, char in enumerate(text):
        if char not in ignorable:
            pieces += [Piece(part, i, i + 1) for part in unicodedata.normalize(form, char)]
        elif pieces:
            pieces[-1] = pieces[-1]._replace(end=i + 1)
    return pieces


def _ordered(pieces: list[Piece]) -> list[Piece]:
    """Put marks in canonical order, by swapping neighbours until no mark follows one of a higher class."""
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
    """Return the composite of each pair of characters that has one."""
    composites = {}
    for char in map(chr, range(sys.maxunicode + 1)):
        parts = unicodedata.decomposition(char).split()
        # A mapping to two code points without a "<tag>" is canonical; NFC keeps composites not excluded.
        if len(parts) == 2 and parts[0][0] != "<" and unicodedata.normalize("NFC", char) == char:
            first, second = (chr(int(part, 16)) for part in parts)
            composites[first, second] = char
    for syllable in map(chr, range(0xAC00, 0xD7A4)):
        parts = list(unicodedata.normalize("NFD", syllable))
        composites[unicodedata.normalize("NFC", "".join(parts[:-1])), parts[-1]] = syllable
    return composites


def _composed(pieces: list[Piece]) -> list[Piece]:
    """Compose each starter with the marks and starters behind it that are not blocked."""
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
    """Widen origins that reordering made overlap, so that starts and ends never decrease."""
    ends = list(itertools.accumulate((piece.end for piece in pieces), max))
    starts = list(itertools.accumulate((piece.start for piece in reversed(pieces)), min))[::-1]
    chars = [piece.char for piece in pieces]
    return [Piece(*piece) for piece in zip(chars, starts, ends, strict=True)]


def _case_folded(pieces: list[Piece]) -> list[Piece]:
    """Fold the case of every character; its last part keeps the origin of ignored characters behind it."""
    folded: list[Piece] = []
    for piece in pieces:
        *others, last = list(piece.char.casefold())
        folded += [Piece(char, piece.start, piece.start + 1) for char in others]
        folded.append(piece._replace(char=last))
    return folded


def _separated(pieces: list[Piece]) -> list[Piece]:
    """Replace everything by a space except letters, numbers, and marks on them."""
    done: list[Piece] = []
    for piece in pieces:
        kind = unicodedata.category(piece.char)[0]
        stays = kind in "LN" or (kind == "M" and done and done[-1].char != " ")
        done.append(piece if stays else piece._replace(char=" "))
    return done


def _fold_spaces(pieces: list[Piece]) -> list[Piece]:
    """Replace each run of white space by one space, and remove it at both ends."""
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
    """Apply the three substitutions of the original library and its strip, tracking origins."""
    for pattern, replacement in ((r"[\r\n]+", "\n"), (r"[^\S\n]+", " "), (r"\n\s", "\n")):
        pieces = _substituted(pattern, replacement, pieces)
    text = "".join(piece.char for piece in pieces)
    start = len(text) - len(text.lstrip())
    return pieces[start : max(start, len(text.rstrip()))]


def _substituted(pattern: str, replacement: str, pieces: list[Piece]) -> list[Piece]:
    """Replace each match of a pattern by one character, whose origin is that of the whole match."""
    done: list[Piece] = []
    at = 0
    for match in re.finditer(pattern, "".join(piece.char for piece in pieces)):
        done += pieces[at : match.start()]
        done.append(Piece(replacement, pieces[match.start()].start, pieces[match.end() - 1].end))
        at = match.end()
    return done + pieces[at:]


# --- Windows ----------------------------------------------------------------------------------------


def units(text: str, unit: str) -> list[bytes]:
    """Return the units of a normalised text, each encoded as UTF-8."""
    if unit == "char":
        return [char.encode() for char in text]
    if unit == "word":
        return [word.encode() for word in re.split(f"[{''.join(WHITE_SPACE)}]+", text) if word]
    return [bytes([byte]) for byte in text.encode()]


def chars_of_units(text: str, unit: str) -> list[tuple[int, int]]:
    """Return the indices of the first and last character of each unit of a normalised text."""
    if unit == "word":
        return [
            (match.start(), match.end() - 1) for match in re.finditer(f"[^{''.join(WHITE_SPACE)}]+", text)
        ]
    return [(i, i) for i, char in enumerate(text) for _ in units(char, unit)]


def all_windows(text: str, spec: Spec) -> list[bytes]:
    """Return every window of a normalised text, at stride 1."""
    parts = units(text, spec.unit)
    separator = b" " if spec.unit == "word" else b""
    return [separator.join(parts[i : i + spec.width]) for i in range(len(parts) - spec.width + 1)]


def asked_offsets(parts: Sequence[bytes], spec: Spec) -> list[int]:
    """Return the units at which the windows begin that a question of these units asks."""
    n_windows = max(0, len(parts) - spec.width + 1)
    if spec.span is None or n_windows < spec.span:
        return [*range(n_windows)]
    return sampled_offsets(parts, spec.unit, spec.width, spec.span)


def stored_offsets(parts: Sequence[bytes], spec: Spec) -> list[int]:
    """Return the units at which the windows begin that a document of these units stores."""
    last = len(parts) - spec.width
    if last < 0:
        return []
    if spec.stride is not None:
        return sorted({*range(0, last + 1, spec.stride), last})
    return asked_offsets(parts, spec) if last + 1 >= spec.gap else sorted({0, last})


# --- The mod-minimizer ------------------------------------------------------------------------------


def group_size(unit: str, width: int, span: int) -> tuple[int, int]:
    """Return r and t: the least number of units in a group, and the number in these windows' groups."""
    least = 2 if unit == "word" else 8
    return least, least + (width - least) % span


def symbol(part: bytes, unit: str) -> int:
    """Return the number that stands for a unit in the order of groups."""
    if unit == "word":
        return xxhash.xxh3_64_intdigest(part, seed=0) % 2**32
    code = ord(part.decode()) if unit == "char" else part[0]
    if unit == "byte" or code < 128:
        return code
    return 128 + ((code * 0x9E3779B1 % 2**32) >> 25)


def group_numbers(group: Sequence[bytes], unit: str) -> tuple[int, int, int, int]:
    """Return a, b, c and d: the symbols at both ends of a group, in numbers of 32 bits."""
    symbols = [symbol(part, unit) for part in group]
    if unit == "word":
        return symbols[0], symbols[1], symbols[-2], symbols[-1]
    four = [symbols[:4], symbols[4:8], symbols[-8:-4], symbols[-4:]]
    a, b, c, d = (sum(one * 256**i for i, one in enumerate(part)) for part in four)
    return a, b, c, d


def group_order(group: Sequence[bytes], unit: str) -> int:
    """Return the place of a group of units in the pseudo-random order of all groups."""
    least = 2 if unit == "word" else 8
    a, b, c, d = group_numbers(group, unit)
    h = a * 0x9E3779B1 % 2**32
    h ^= h >> 15
    h = (h + b) * 0x85EBCA77 % 2**32
    h ^= h >> 13
    if len(group) > least:
        h = (h + c) * 0xC2B2AE3D % 2**32
        h ^= h >> 15
        h = (h + d) * 0x27D4EB2F % 2**32
        h ^= h >> 13
    return h * 0x165667B1 % 2**32


def sampled_offsets(parts: Sequence[bytes], unit: str, width: int, span: int) -> list[int]:
    """Return the units at which the windows begin that the contexts of a text sample."""
    least, size = group_size(unit, width, span)
    if width < least:
        raise ValueError(f"a minimizer's windows have at least {least} units")
    orders = [group_order(parts[i : i + size], unit) for i in range(len(parts) - size + 1)]
    n_groups = width + span - size
    sampled = set()
    for context in range(len(parts) - (width + span - 1) + 1):
        # The first of the smallest, since min() returns the first of several.
        x = min(range(n_groups), key=orders[context : context + n_groups].__getitem__)
        sampled.add(context + x % span)
    return sorted(sampled)


# --- Keys -------------------------------------------------------------------------------------------


def window_key(window: bytes) -> int:
    """Return the key of a window."""
    return xxhash.xxh3_64_intdigest(window, seed=0)


def document_key(text: str) -> int:
    """Return the key of a whole normalised text."""
    return xxhash.xxh3_64_intdigest(text.encode(), seed=1)


def document_keys(document: str, spec: Spec) -> list[int]:
    """Return the keys that a document stores: those of its windows in order, then its own, if it has one."""
    text, _ = normalise(document, spec.normalizer)
    windows = all_windows(text, spec)
    stored = [windows[i] for i in stored_offsets(units(text, spec.unit), spec)]
    own = [document_key(text)] if stored or spec.short_documents else []
    return [*map(window_key, stored), *own]


def portrait(documents: Iterable[str], spec: Spec) -> set[int]:
    """Return all keys of a source, as a filter without false positives."""
    return {key for document in documents for key in document_keys(document, spec)}


# --- Scanning ---------------------------------------------------------------------------------------


class Chain(NamedTuple):
    """A run of ``windows`` hits from ``window`` to ``last``, of which ``distinct`` differ.

    Windows are named by their first units; ``start`` and ``end`` are the chain's span in the original text.
    """

    window: int
    last: int
    windows: int
    distinct: int
    start: int
    end: int


class Stretch(NamedTuple):
    """A run of ``windows`` asked windows with so many hits that it may be an edited copy."""

    window: int
    last: int
    windows: int
    hits: int
    score: float
    start: int
    end: int


class Question(NamedTuple):
    """A text's asked windows: their units and keys, the sequences they form, and where they stand.

    ``spans`` has the origin [start, end) of each unit of the normalised text.
    """

    offsets: list[int]
    keys: dict[int, int]
    sequences: list[list[int]]
    spans: list[Origin]


def ask(text: str, spec: Spec) -> Question:
    """Return the windows that a question asks, one sequence of them, or with a stride one for each phase."""
    normalised, origins = normalise(text, spec.normalizer)
    windows = all_windows(normalised, spec)
    offsets = asked_offsets(units(normalised, spec.unit), spec)
    sequences = [offsets]
    if spec.stride is not None:
        sequences = [offsets[phase :: spec.stride] for phase in range(min(spec.stride, len(offsets)))]
    spans = [(origins[first][0], origins[last][1]) for first, last in chars_of_units(normalised, spec.unit)]
    return Question(offsets, {i: window_key(windows[i]) for i in offsets}, sequences, spans)


def hits(text: str, spec: Spec, contains: Contains) -> list[bool]:
    """Return whether each asked window of ``text`` is a hit."""
    question = ask(text, spec)
    return [contains(question.keys[i]) for i in question.offsets]


#: Maximum number of windows that are compared for repeats; every later window counts as distinct.
MAX_COMPARED = 64


def n_distinct(keys: Iterable[int]) -> int:
    """Return the number of a run's windows that count as distinct."""
    seen: set[int] = set()
    n = 0
    for key in keys:
        n += key not in seen or len(seen) == MAX_COMPARED
        if len(seen) < MAX_COMPARED:
            seen.add(key)
    return n


def stretch(text: str, spec: Spec, contains: Contains, fpr: float) -> Stretch | None:
    """Return the stretch with the highest score, of equal scores the one that ends first.

    A stretch of a sequence begins with a hit, and ends before the first window at which its score is not
    above zero. Its score is counted from all of its windows, for each of its ends.
    """
    question = ask(text, spec)
    rate = max(fpr, 2.0**-64)
    ends: list[tuple[int, int, int, int, int, float]] = []
    for order, share in enumerate(share for share in (0.5, 0.1) if share > rate):
        hit, miss = math.log(share / rate), math.log((1 - share) / (1 - rate))
        for sequence in question.sequences:
            keys = [question.keys[i] for i in sequence]
            first: int | None = None
            for last in range(len(sequence)):
                if first is None and not contains(keys[last]):
                    continue
                first = last if first is None else first
                own = keys[first : last + 1]
                n_hits = n_distinct(key for key in own if contains(key))
                score = n_hits * hit + sum(not contains(key) for key in own) * miss
                if score <= 0:
                    first = None
                elif contains(keys[last]):
                    ends.append((sequence[last], order, sequence[first], len(own), n_hits, score))
    if not ends:
        return None
    last, _, begin, n_windows, n_hits, score = min(ends, key=lambda end: (-end[5], end[:2]))
    return Stretch(begin, last, n_windows, n_hits, score, *span(question, begin, last, spec))


def span(question: Question, first: int, last: int, spec: Spec) -> Origin:
    """Return where the windows from one to another begin and end in the original text."""
    return question.spans[first][0], question.spans[last + spec.width - 1][1]


def chains(text: str, spec: Spec, contains: Contains) -> list[Chain]:
    """Return the maximal runs of hits in the sequences of asked windows, ordered by their first window."""
    question = ask(text, spec)
    result = []
    for sequence in question.sequences:
        for is_hit, run in itertools.groupby(sequence, lambda i: contains(question.keys[i])):
            if is_hit:
                own = list(run)
                distinct = n_distinct(question.keys[i] for i in own)
                place = span(question, own[0], own[-1], spec)
                result.append(Chain(own[0], own[-1], len(own), distinct, *place))
    return sorted(result)


def exact_document(text: str, spec: Spec, contains: Contains) -> bool | None:
    """Return whether all keys are known that a document of this text would store; ``None`` of no keys."""
    keys = document_keys(text, spec)
    return all(map(contains, keys)) if keys else None


# --- Answers ----------------------------------------------------------------------------------------


def evalue(n_windows: int, n_layers: int, fpr: float, chain: int) -> float:
    """Return the expected number of chains of ``chain`` windows that occur by chance."""
    return n_layers * n_windows * fpr**chain


def significant_chain(n_windows: int, n_layers: int, fpr: float, threshold: float) -> int | None:
    """Return the length of the shortest chain whose E-value is within the threshold, or None if none is."""
    if fpr >= 1:
        return None
    chain = 1
    while evalue(n_windows, n_layers, fpr, chain) > threshold:
        chain += 1
    return chain


def detectable_length(spec: Spec, chain: int) -> int:
    """Return the length, in units, of the shortest passage certain to hold a chain of ``chain`` windows."""
    return spec.width + chain * spec.gap - 1


def typical_windows(spec: Spec, n_units: int) -> int:
    """Return how many windows a text of so many units asks: exactly, or where they are sampled, typically."""
    n_windows = max(0, n_units - spec.width + 1)
    if spec.span is None or n_windows < spec.span:
        return n_windows
    _, size = group_size(spec.unit, spec.width, spec.span)
    density = (2 + Fraction(spec.width - size, spec.span)) / (spec.span + spec.width - size + 1)
    return math.ceil(n_windows * density)


def sure_length(
    spec: Spec, n_units: int, n_windows: int, n_layers: int, fpr: float, threshold: float
) -> int | None:
    """Return the least length of a passage that is sure to be found, in a text with room for it.

    The text has ``n_units`` units and asks ``n_windows`` windows; if it has no room for such a passage, the
    shortest longer text that has is meant.
    """
    known = n_windows if spec.span is None or n_units >= detectable_length(spec, 1) else 0
    for length in itertools.count(detectable_length(spec, 1)):
        asked = n_windows if length <= n_units else max(known, typical_windows(spec, length))
        chain = significant_chain(asked, n_layers, fpr, threshold)
        if chain is None or length >= detectable_length(spec, chain):
            return None if chain is None else length
    raise AssertionError("unreachable")


def matches(significant: Sequence[Chain], spec: Spec) -> list[list[Chain]]:
    """Group the chains that overlap, directly or through others; groups are in the order of the text."""
    groups: list[list[Chain]] = []
    for chain in sorted(significant):
        begin, end = chain.window, chain.last + spec.width
        overlapping = [
            group
            for group in groups
            if any(other.window < end and begin < other.last + spec.width for other in group)
        ]
        apart = [group for group in groups if group not in overlapping]
        groups = [*apart, [*(other for group in overlapping for other in group), chain]]
    return sorted(groups)


def judge(
    text: str, spec: Spec, layers: Sequence[tuple[Contains, float]], threshold: float
) -> dict[str, Any]:
    """Return the answer about a text as its JSON object, without the reason and names.

    ``layers`` has the membership test and the false-positive rate of each layer.
    """
    question = ask(text, spec)
    n_windows, n_units = len(question.offsets), len(question.spans)
    lengths: list[int | None] = []
    results: list[dict[str, Any]] = []
    for contains, fpr in layers:
        layer_hits = hits(text, spec, contains)
        layer_chains = chains(text, spec, contains)
        least = significant_chain(n_windows, len(layers), fpr, threshold)
        lengths.append(sure_length(spec, n_units, n_windows, len(layers), fpr, threshold))
        significant = [chain for chain in layer_chains if least is not None and chain.distinct >= least]
        conclusive = least is not None and n_units >= detectable_length(spec, least)
        conclusive = conclusive and all(chain.windows < (least or 0) for chain in layer_chains)
        values = [evalue(n_windows, len(layers), fpr, chain.distinct) for chain in layer_chains]
        best = stretch(text, spec, contains, fpr)
        value = None if best is None else 2 * len(layers) * n_windows * math.exp(-best.score)
        results.append(
            {
                "verdict": "found" if significant else "not_found" if conclusive else "inconclusive",
                "windows": n_windows,
                "hits": sum(layer_hits),
                "hit_rate": sum(layer_hits) / n_windows if n_windows else 0.0,
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
    documents = [exact_document(text, spec, contains) for contains, _ in layers]
    return {
        "verdict": next(v for v in ("found", "inconclusive", "not_found") if v in verdicts),
        "evalue": min((layer["evalue"] for layer in results if layer["evalue"] is not None), default=None),
        "detectable_length": None if None in lengths else max(length or 0 for length in lengths),
        "coverage": len({char for span in spans for char in span}) / len(text) if text else 0.0,
        "longest_match": max(map(len, spans), default=0),
        "exact_document": any(documents) or (None if None in documents else False),
        "layers": results,
    }


# --- The split-block Bloom filter -------------------------------------------------------------------

SALTS = (0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31)


class Bloom:
    """A split-block Bloom filter: blocks of eight 32-bit lanes; a key sets one bit in each lane of one."""

    def __init__(self, n_blocks: int) -> None:
        self.n_blocks = n_blocks
        self.blocks = collections.defaultdict[int, list[int]](lambda: [0] * len(SALTS))

    def _bits(self, key: int) -> tuple[int, list[int]]:
        """Return a key's block, and its bit in each lane."""
        return (key * self.n_blocks) >> 64, [1 << ((key * salt & 0xFFFFFFFF) >> 27) for salt in SALTS]

    def insert(self, key: int) -> None:
        """Add a key."""
        block, bits = self._bits(key)
        self.blocks[block] = [lane | bit for lane, bit in zip(self.blocks[block], bits, strict=True)]

    def contains(self, key: int) -> bool:
        """Return whether all of a key's bits are set."""
        block, bits = self._bits(key)
        return all(lane & bit for lane, bit in zip(self.blocks[block], bits, strict=True))

    def rate(self) -> float:
        """Return the false-positive rate: the mean over blocks of the product of the lanes' fill rates."""
        fills = ([lane.bit_count() / 32 for lane in block] for block in self.blocks.values())
        return sum(map(math.prod, fills)) / self.n_blocks

    def block_bytes(self, block: int) -> bytes:
        """Return a block's lanes, little-endian."""
        return b"".join(lane.to_bytes(4, "little") for lane in self.blocks[block])

    def to_bytes(self) -> bytes:
        """Return all blocks end to end."""
        return b"".join(map(self.block_bytes, range(self.n_blocks)))
