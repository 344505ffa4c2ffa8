"""What a portrait gives away: attacks by someone who holds it, and nothing else of the corpus.

Four of them: rebuilding the text after a window that is known, guessing the whole text of short documents,
guessing the one field of a form letter that is unknown, and looking guesses up in the sketch. It prints every
number of docs/privacy.md.
"""

from __future__ import annotations

import heapq
import math
import random
import string
import sys
import tempfile
import warnings
from array import array
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from pydoc_data.topics import topics
from typing import TYPE_CHECKING, NamedTuple

import datasets
import xxhash
from common import cutter, table

import portrait
from portrait import Minimizer, Stride, _native
from portrait.bundle.reader import Bundle
from portrait.bundle.sketches import read_sketch
from portrait.disclosure import least_gap
from portrait.spec import WindowSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.filters.protocols import Filter
    from portrait.spec import Sampling

#: The samplings to attack, at windows of 50 characters: text is cut into all windows, and into ever fewer.
SAMPLINGS: tuple[Sampling, ...] = (
    *(Stride(stride) for stride in (1, 2, 4, 8, least_gap(WindowSpec(50, Stride())), 25)),
    *(Minimizer(span) for span in (1, 4, 8, 16, least_gap(WindowSpec(50)), 24, 42)),
)
#: The samplings whose form letters are attacked.
LETTER_SAMPLINGS: tuple[Sampling, ...] = (Stride(25), Stride(50), Stride(200), Minimizer(42))
#: The number of characters that are known before those to rebuild: enough for any window to be chosen.
KNOWN_CHARS = 100
#: The number of characters to rebuild.
TARGET_CHARS = 200
#: The number of texts that the attacker asks the filter about after each character, and follows.
BEAM = 400
#: The number of likely next characters that the attacker considers at least.
BRANCHES = 8
#: The number of characters from which the attacker's model predicts the next one.
ORDER = 6
#: The rows of the portraits whose sketches are looked at.
SKETCHED_ROWS = (1_000, 16_384, 50_000, 100_000)
#: The characters of English text.
PRINTABLE = [char for char in string.printable if char == " " or not char.isspace()]


class Model:
    """The attacker's knowledge of the language: which character follows the last few, from other texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._next: list[defaultdict[str, Counter[str]]] = [defaultdict(Counter) for _ in range(ORDER + 1)]
        for text in texts:
            for at, char in enumerate(text):
                for order in range(min(at, ORDER) + 1):
                    self._next[order][text[at - order : at]][char] += 1
        self._likely: dict[str, list[tuple[float, str]]] = {}

    def likely(self, text: str) -> list[tuple[float, str]]:
        """Return the few likeliest characters to follow a text, as :meth:`following` does."""
        context = self._context(text)
        likely = self._likely.get(context)
        if likely is None:
            likely = self._likely[context] = self.following(context)[:BRANCHES]
        return likely

    def following(self, text: str) -> list[tuple[float, str]]:
        """Return each character that may follow a text, with minus the logarithm of its probability."""
        context = self._context(text)
        weights: dict[str, float] = defaultdict(float)
        left = 1.0
        for order in range(len(context), -1, -1):
            # Each longer context outweighs the shorter ones where it has been seen often.
            counts = self._next[order][context[len(context) - order :]]
            total = counts.total()
            kept = left / (1 + len(counts) / total * 4)
            for char, n in counts.items():
                weights[char] += kept * n / total
            left -= kept
        # Any character may follow, even where the other texts never have it.
        for char in PRINTABLE:
            weights[char] += left * 1e-6
        whole = sum(weights.values())
        return sorted((-math.log(weight / whole), char) for char, weight in weights.items())

    def _context(self, text: str) -> str:
        """Return the longest end of a text, of up to :data:`ORDER` characters, that the other texts have."""
        context = text[-ORDER:]
        while context not in self._next[len(context)]:
            context = context[1:]
        return context


def key(text: str, seed: int = 0) -> int:
    """Return the key of a window, or with seed 1 of a document."""
    return xxhash.xxh3_64_intdigest(text.encode(), seed=seed)


def asked(filter_: Filter, keys: Sequence[int]) -> bytes:
    """Ask a filter about keys."""
    packed = array("Q", keys)
    if sys.byteorder == "big":
        packed.byteswap()
    return filter_.contains(packed)


class Guess(NamedTuple):
    """A text that may be the one behind the windows.

    Attributes:
        cost: Minus the logarithm of how likely it is, from the language and from the filter's answers.
        text: The known text, and what is guessed of the rest.
        sampled: The last window that is known to be sampled, if the text is right.
        hits: Later windows that hit. Whether they are sampled depends on what follows.
    """

    cost: float
    text: str
    sampled: int
    hits: tuple[int, ...] = ()


class Attack:
    """Rebuilds the text that follows a known one, character by character.

    The attacker follows the most likely texts, and asks about the newest window of each. A window that the
    sampling is certain to have stored must hit, or the text is wrong. A window that it may have stored, which
    depends on text that is still unknown, makes the text a little likelier where it hits.

    Args:
        filter_: The portrait's filter.
        fpr: Its false-positive rate.
        model: The language.
        spec: How the portrait cuts text into windows.
        first: The character of the document, modulo the stride, at which the known text begins.
    """

    def __init__(self, filter_: Filter, fpr: float, model: Model, spec: WindowSpec, first: int) -> None:
        self._filter, self._model, self._spec, self._first = filter_, model, spec, first
        # The text is normalised already, but guesses may begin with a space.
        self._cutter = cutter(replace(spec, normalizer="none"))
        #: What a hit is worth if the window is certain to be sampled, and if that is not known.
        self._certain = -math.log(fpr)
        self._possible = math.log(spec.density / fpr + 1 - spec.density)
        self.look_ups = 0

    def rebuild(self, known: str) -> str:
        """Return what the attacker believes to follow ``known``, of which the last window is stored."""
        beam = [Guess(0.0, known, len(known) - self._spec.width)]
        best = known
        while beam and len(best) < len(known) + TARGET_CHARS:
            beam = self._step(beam)
            if beam:
                best = min(beam).text
        return best[len(known) :]

    def _step(self, beam: list[Guess]) -> list[Guess]:
        """Make every text longer by a character, and return those that the filter does not rule out."""
        # The fewer texts are left, the more unlikely characters can be tried.
        n_chars = BEAM // len(beam)
        following = self._model.following if n_chars > BRANCHES else self._model.likely
        longer = (
            (guess.cost + cost, i, char)
            for i, guess in enumerate(beam)
            for cost, char in following(guess.text)[: max(n_chars, BRANCHES)]
        )
        tried = [
            beam[i]._replace(cost=cost, text=beam[i].text + char)
            for cost, i, char in heapq.nsmallest(BEAM, longer)
        ]
        width = self._spec.width
        held = asked(self._filter, [key(guess.text[-width:]) for guess in tried])
        self.look_ups += len(tried)
        judged = (self._judge(guess, bool(hit)) for guess, hit in zip(tried, held, strict=True))
        return [guess for guess in judged if guess is not None]

    def _judge(self, guess: Guess, hit: bool) -> Guess | None:
        """Weigh the answer about the newest window of a text; ``None`` if the text is wrong."""
        cost, text, sampled, hits = guess
        newest = len(text) - self._spec.width
        if self._spec.stride:
            is_stored = (self._first + newest) % self._spec.stride == 0
            return None if is_stored and not hit else guess
        if hit:
            hits = (*hits, newest)
            cost -= self._possible
        # The newest context decides which window of it is sampled.
        context = len(text) - self._spec.guaranteed_length
        (offset,) = self._cutter.asked(text[context:])
        if context + offset > sampled:
            sampled = context + offset
            if sampled not in hits:
                return None
            cost -= self._certain
        # Windows are sampled in order: earlier ones no longer are, and what they added was chance.
        undecided = tuple(start for start in hits if start > max(sampled, context))
        cost += self._possible * (len(hits) - len(undecided))
        return Guess(cost, text, sampled, undecided)


def right_chars(guess: str, truth: str) -> int:
    """Return how many characters of a guess are right before the first wrong one."""
    n = 0
    while n < min(len(guess), len(truth)) and guess[n] == truth[n]:
        n += 1
    return n


def built(texts: Sequence[str], where: Path, **options: object) -> portrait.Portrait:
    """Build the portrait of some texts."""
    rows = datasets.Dataset.from_dict({"text": list(texts)})
    return portrait.build(rows, where, overwrite=True, **options)  # type: ignore[arg-type]


def starts(text: str, spec: WindowSpec) -> list[int]:
    """Return where stored windows begin from which text is rebuilt: not too near to either end."""
    return [
        start
        for start in cutter(spec).stored(text)
        if KNOWN_CHARS <= start <= len(text) - spec.width - TARGET_CHARS - KNOWN_CHARS
    ]


def measure_rebuilding(n_runs: int, where: Path) -> None:
    """Rebuild the text after a stored window that is known, with several samplings."""
    print(f"## Rebuilding the next {TARGET_CHARS} characters of a text: {n_runs} runs in each row")
    texts = [" ".join(text.split()) for _, text in sorted(topics.items())]
    # Half of the reference is the corpus; the attacker knows the other half, and so the language.
    corpus, other = texts[::2], texts[1::2]
    model = Model([text[:4000] for text in other])
    rows = []
    for sampling in SAMPLINGS:
        spec = WindowSpec(50, sampling)
        opened = built(corpus, where / "rebuilding", windows=spec)
        (layer,) = opened.layers
        dice = random.Random(1)
        whole = right = look_ups = 0
        for _ in range(n_runs):
            text = dice.choice([one for one in corpus if len(one) > 1000])
            end = dice.choice(starts(text, spec)) + spec.width
            attack = Attack(layer.filter, layer.fpr, model, spec, end - KNOWN_CHARS)
            guess = attack.rebuild(text[end - KNOWN_CHARS : end])[:TARGET_CHARS]
            n = right_chars(guess, text[end : end + TARGET_CHARS])
            whole += n == TARGET_CHARS
            right += n
            look_ups += attack.look_ups
        rows.append(
            (
                f"{sampling.gap_name} {sampling.gap}",
                f"{1 / spec.density:.1f}",
                f"{whole} of {n_runs}",
                f"{right / n_runs:.0f}",
                f"{look_ups / n_runs:,.0f}",
            )
        )
    table(("windows", "mean distance", "rebuilt to the end", "right characters", "look-ups"), rows)


def measure_short_documents(n_rows: int, where: Path) -> None:
    """Guess telephone numbers that are the whole text of a row."""
    print(f"## Guessing rows: {n_rows:,} telephone numbers, among {100 * n_rows:,} that are asked")
    numbers = [f"0221 {number:07}" for number in range(100 * n_rows)]
    inside = set(random.Random(2).sample(numbers, n_rows))
    rows = []
    for name, short in (("as a rule", False), ("with short documents recorded", True)):
        opened = built(sorted(inside), where / "rows", short_documents=short)
        held = asked(opened.filter("main"), [key(number, 1) for number in numbers])
        true = sum(hit for number, hit in zip(numbers, held, strict=True) if number in inside)
        false = sum(held) - true
        rows.append((name, f"{true / n_rows:.1%}", f"{false / (len(numbers) - n_rows):.1%}"))
    table(("portrait", "right guesses confirmed", "wrong guesses confirmed"), rows)


def sketched_keys(opened: portrait.Portrait) -> set[int]:
    """Return the keys in the sketch of a portrait of one layer."""
    (layer,) = opened.manifest.layers
    assert layer.sketch is not None
    return set(read_sketch(Bundle(opened.path, opened.manifest), layer.sketch))


def stored_keys(text: str, spec: WindowSpec) -> list[int]:
    """Return the keys of the windows that a document stores."""
    keys = _native.Keys(documents="none")
    keys.add_text(cutter(spec), text)
    return list(memoryview(keys).cast("B").cast("Q"))


def measure_form_letters(n_letters: int, where: Path) -> None:
    """Guess the one field of a form letter that is not known."""
    print(f"## Guessing a field: {n_letters} form letters, of which all but five digits is known")

    def letter(customer: int, amount: int) -> str:
        return (
            f"Dear customer number {customer:05}, we confirm that your application has been accepted. The "
            f"loan that you have taken out with our branch amounts to {amount:05} crowns, to be paid back in "
            "twelve instalments, the first of which is due on the last day of the coming month."
        )

    dice = random.Random(3)
    amounts = {dice.randrange(10**5): dice.randrange(10**5) for _ in range(n_letters)}
    rows = []
    for sampling in LETTER_SAMPLINGS:
        spec = WindowSpec(50, sampling)
        opened = built([letter(*pair) for pair in amounts.items()], where / "letters", windows=spec)
        filter_ = opened.filter("main")
        sketch = sketched_keys(opened)
        named = left = sketched = 0
        for customer, amount in amounts.items():
            texts = {guess: letter(customer, guess) for guess in range(10**5)}
            documents = [key(text, 1) for text in texts.values()]
            sketched += [guess for guess, one in zip(texts, documents, strict=True) if one in sketch] == [
                amount
            ]
            held = asked(filter_, documents)
            likely = [guess for guess, hit in zip(texts, held, strict=True) if hit]
            candidates = [guess for guess in likely if all(asked(filter_, stored_keys(texts[guess], spec)))]
            assert amount in candidates
            named += candidates == [amount]
            left += len(candidates)
        name = f"{sampling.gap_name} {sampling.gap}"
        of = f"of {len(amounts)}"
        rows.append((name, f"{named} {of}", f"{left / len(amounts):,.1f}", f"{sketched} {of}"))
    table(
        (
            "windows",
            "amounts named for certain",
            "amounts left, on average",
            "named for certain by the sketch",
        ),
        rows,
    )


def measure_sketches(where: Path) -> None:
    """Look telephone numbers up in the sketch, which holds some of the keys as they are."""
    n_numbers = 2 * max(SKETCHED_ROWS)
    print(f"## Guessing rows with the sketch: telephone numbers, among {n_numbers:,} that are asked")
    numbers = [f"0221 {number:07}" for number in range(n_numbers)]
    rows = []
    for n_rows in SKETCHED_ROWS:
        inside = set(random.Random(4).sample(numbers, n_rows))
        opened = built(sorted(inside), where / "sketched", short_documents=True)
        sketch = sketched_keys(opened)
        confirmed = {number for number in numbers if key(number, 1) in sketch}
        true, false = len(confirmed & inside), len(confirmed - inside)
        rows.append((f"{n_rows:,}", f"{true / n_rows:.1%}", f"{false / (n_numbers - n_rows):.1%}"))
    table(("rows", "right guesses certain", "wrong guesses confirmed"), rows)


if __name__ == "__main__":
    small = "--small" in sys.argv[1:]
    warnings.simplefilter("ignore", portrait.DisclosureWarning)  # the subject of this script
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as scratch:
        measure_rebuilding(1 if small else 8, Path(scratch))
        measure_short_documents(100 if small else 1000, Path(scratch))
        measure_form_letters(1 if small else 20, Path(scratch))
        measure_sketches(Path(scratch))
