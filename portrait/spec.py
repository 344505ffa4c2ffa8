"""Specs of windows and filters: frozen, validated, stored in the manifest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal, get_args

from portrait.errors import SpecError
from portrait.markup.numbers import count, counted

Unit = Literal["char", "byte", "word"]
NormalizerName = Literal["none", "spaces", "loose", "data-portraits"]
FilterKind = Literal["bloom", "ribbon", "pybloom"]
#: Which documents have a key of their whole text: all, those of a window or more, or none.
DocumentKeys = Literal["all", "long", "none"]

UNITS: tuple[str, ...] = get_args(Unit)
NORMALIZERS: tuple[str, ...] = get_args(NormalizerName)
FILTER_KINDS: tuple[str, ...] = get_args(FilterKind)
DOCUMENT_KEYS: tuple[str, ...] = get_args(DocumentKeys)

#: The version of each normaliser; it rises when the normaliser maps some text differently.
NORMALIZER_VERSIONS: dict[str, int] = {"none": 1, "spaces": 1, "loose": 1, "data-portraits": 1}

_UNIT_NAMES: dict[Unit, str] = {"char": "characters", "byte": "bytes", "word": "words"}
#: What lengths count beyond the bare unit, by unit and normaliser; docs/answers.md explains each phrase.
_WHITE_SPACE = "runs of white space counted as one"
_LOOSE = "folded, runs of punctuation and white space counted as one"
_ORIGINAL = "white space counted as the original Data Portraits does"
_MANNERS = {
    ("char", "none"): "",
    ("char", "spaces"): _WHITE_SPACE,
    ("char", "loose"): _LOOSE,
    ("char", "data-portraits"): _ORIGINAL,
    ("byte", "none"): "of UTF-8",
    ("byte", "spaces"): f"of UTF-8, {_WHITE_SPACE}",
    ("byte", "loose"): f"of UTF-8, {_LOOSE}",
    ("byte", "data-portraits"): f"of UTF-8, {_ORIGINAL}",
    ("word", "none"): "",
    ("word", "spaces"): "",
    ("word", "loose"): "separated by punctuation or white space",
    ("word", "data-portraits"): "",
}

#: The greatest width of a window: a wider one would be a document, which has a key of its own.
MAX_UNITS = 1_000_000


def _require_count(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_UNITS:
        raise SpecError(f"{name} must be a whole number from 1 to {count(MAX_UNITS)}, not {value!r}")


def _require_one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SpecError(f"unknown {name} {value!r}: choose one of {', '.join(known)}")


# Every answer has both of these, mostly the same ones.
@lru_cache
def _counting(unit: Unit, normalizer: NormalizerName) -> str:
    manner = _MANNERS[unit, normalizer]
    separator = ", " if unit == "char" else " "
    return f"{_UNIT_NAMES[unit]}{separator if manner else ''}{manner}"


@lru_cache(maxsize=1024)
def _length(unit: Unit, normalizer: NormalizerName, units: int, more: str) -> str:
    manner = _MANNERS[unit, normalizer]
    number = counted(units, _UNIT_NAMES[unit].removesuffix("s"))
    return f"{number}{' ' * bool(more)}{more}{f' ({manner})' * bool(manner)}"


@dataclass(frozen=True, slots=True)
class Minimizer:
    """Windows that the text itself chooses: documents store them, and questions ask the same ones.

    The mod-minimizer of Groot Koerkamp and Pibiri (WABI 2024); docs/FORMAT.md defines it.

    Args:
        span: So many windows in a row contain at least one that is chosen.

    Raises:
        SpecError: The span is outside its range.
    """

    name: ClassVar[str] = "minimizer"
    #: What the gap is called.
    gap_name: ClassVar[str] = "span"
    span: int = 42

    def __post_init__(self) -> None:
        _require_count("span", self.span)

    @property
    def gap(self) -> int:
        """Units from one stored window to the next, at most."""
        return self.span


@dataclass(frozen=True, slots=True)
class Stride:
    """Windows at equal distances: documents store them, and questions ask all windows.

    Args:
        stride: Units from one stored window to the next.

    Raises:
        SpecError: The stride is outside its range.
    """

    name: ClassVar[str] = "stride"
    #: What the gap is called.
    gap_name: ClassVar[str] = "stride"
    stride: int = 25

    def __post_init__(self) -> None:
        _require_count("stride", self.stride)

    @property
    def gap(self) -> int:
        """Units from one stored window to the next."""
        return self.stride


#: Which windows are stored, and which are asked.
Sampling = Minimizer | Stride
#: The number of units at each end of a t-gram that its order depends on: the least width for a minimizer.
_ORDER_UNITS: dict[Unit, int] = {"char": 8, "byte": 8, "word": 2}


def default_sampling(width: int, unit: Unit) -> Minimizer:
    """Return the minimizer whose density is lowest for windows of a width, without joining documents.

    With a span of the width less the units that order t-grams, t-grams are as short as they can be, and the
    density is within a few per cent of the lower bound for schemes whose windows never go back.
    """
    return Minimizer(max(1, width - _ORDER_UNITS[unit]))


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """How texts become windows.

    Args:
        width: Units in a window.
        sampling: Which windows are stored, and which are asked; by default :func:`default_sampling`.
        unit: What lengths count, in the normalised text.
        normalizer: The map applied to every text first.

    Raises:
        SpecError: A value is outside its range, or windows are too narrow for a minimizer.
    """

    width: int = 50
    sampling: Sampling = None  # type: ignore[assignment]  # replaced at once: it depends on width and unit
    unit: Unit = "char"
    normalizer: NormalizerName = "spaces"

    def __post_init__(self) -> None:
        _require_count("width", self.width)
        _require_one_of("unit", self.unit, UNITS)
        _require_one_of("normalizer", self.normalizer, NORMALIZERS)
        sampling: Any = self.sampling
        if sampling is None:
            object.__setattr__(self, "sampling", default_sampling(self.width, self.unit))
        elif not isinstance(sampling, Sampling):
            raise SpecError(f"the sampling must be a Minimizer or a Stride, not {sampling!r}")
        least = _ORDER_UNITS[self.unit]
        if isinstance(self.sampling, Minimizer) and self.width < least:
            raise SpecError(
                f"the width of windows chosen by content is at least {count(least)} {self.unit_name}, not "
                f"{count(self.width)}: choose wider windows or a stride",
                parameter="width",
            )

    @property
    def stride(self) -> int | None:
        """The stride, if windows are stored at equal distances."""
        return self.sampling.stride if isinstance(self.sampling, Stride) else None

    @property
    def span(self) -> int | None:
        """The span, if the text chooses the windows."""
        return self.sampling.span if isinstance(self.sampling, Minimizer) else None

    @property
    def guaranteed_length(self) -> int:
        """Length in units of the shortest passage that is certain to hold a stored window."""
        return self.length_holding(1)

    def length_holding(self, n_windows: int) -> int:
        """Return how many units a passage takes to be certain to hold consecutive stored windows.

        Args:
            n_windows: The number of windows, at least 1.
        """
        return self.width + n_windows * self.sampling.gap - 1

    @property
    def joins_documents(self) -> bool:
        """Whether a chain may join the passages of two documents: some of its windows may only touch."""
        return self.sampling.gap >= self.width

    @property
    def density(self) -> float:
        """The share of windows that are stored: exact for a stride, the mean over random texts otherwise."""
        if isinstance(self.sampling, Stride):
            return 1 / self.sampling.stride
        span = self.sampling.span
        least = _ORDER_UNITS[self.unit]
        gram = least + (self.width - least) % span
        return (2 + (self.width - gram) // span) / (span + self.width - gram + 1)

    def typical_windows(self, n_units: int) -> int:
        """Return about how many windows a text of so many units is asked about; exactly, with a stride.

        Args:
            n_units: The text's length in units of the normalised text.
        """
        n_windows = max(0, n_units - self.width + 1)
        if isinstance(self.sampling, Stride) or n_windows < self.sampling.span:
            return n_windows
        return math.ceil(n_windows * self.density)

    @property
    def cut(self) -> str:
        """The windows and their sampling, for people."""
        if isinstance(self.sampling, Stride):
            return f"{self.window}, every {count(self.sampling.stride)}"
        return f"{self.window}, at least one of {count(self.sampling.span)} in a row by content"

    def to_dict(self) -> dict[str, Any]:
        """Return width, sampling and unit as a JSON object: the manifest's ``windows``."""
        sampling = self.sampling
        return {
            "sampling": sampling.name,
            sampling.gap_name: sampling.gap,
            "unit": self.unit,
            "width": self.width,
        }

    @property
    def unit_name(self) -> str:
        """Name of the unit in the plural, for people."""
        return _UNIT_NAMES[self.unit]

    @property
    def window(self) -> str:
        """The width of a window, for people."""
        return counted(self.width, self.unit_name.removesuffix("s"))

    @property
    def counting(self) -> str:
        """What lengths count, for people: not the characters of the text as given."""
        return _counting(self.unit, self.normalizer)

    def length(self, units: int, more: str = "") -> str:
        """Return a length in words that say what it counts.

        Args:
            units: The length, in units of the normalised text.
            more: Words after the number and its unit, such as ``or more``.

        Returns:
            For example ``124 characters or more (runs of white space counted as one)``.
        """
        return _length(self.unit, self.normalizer, units, more)


#: The false-positive rate of each kind of filter if none is chosen. A ribbon filter's is a power of two.
DEFAULT_RATES: dict[FilterKind, float] = {"bloom": 0.01, "ribbon": 1 / 128, "pybloom": 0.01}
_DEFAULT_RATE: Any = None


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """Which filter records a layer's keys, and how reliably.

    Args:
        kind: The kind of filter: ``bloom`` is built fastest, ``ribbon`` is the smallest, for publishing.
        fpr: Target false-positive rate of a key, a share; by default 1/128 for ribbon, otherwise 0.01.

    Raises:
        SpecError: A value is outside its range.
    """

    kind: FilterKind = "bloom"
    fpr: float = _DEFAULT_RATE

    def __post_init__(self) -> None:
        _require_one_of("filter", self.kind, FILTER_KINDS)
        if self.fpr is _DEFAULT_RATE:
            object.__setattr__(self, "fpr", DEFAULT_RATES[self.kind])
        rate: Any = self.fpr
        if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0 < rate < 1:
            raise SpecError(f"the false-positive rate must lie between 0 and 1, not be {rate!r}")
        # Below this a 64-bit key's own collisions outweigh the filter's.
        if rate < 1e-12:
            raise SpecError(f"the false-positive rate must be at least 1e-12, not {rate!r}")
        if self.kind == "ribbon" and rate < 2.0**-32:
            raise SpecError(f"a ribbon filter's false-positive rate is at least 2^-32, not {rate!r}")

    def of_kind(self, kind: FilterKind) -> FilterSpec:
        """Return the spec of another kind with the same rate, or its own default if this rate is the default.

        Args:
            kind: The other kind.

        Raises:
            SpecError: The kind is unknown, or cannot have the rate.
        """
        is_default = self.fpr == DEFAULT_RATES[self.kind]
        return FilterSpec(kind) if is_default else FilterSpec(kind, self.fpr)


def require_source_name(name: str) -> str:
    """Return a source's name unchanged.

    Args:
        name: A name: printable, not blank, of at most 100 characters.

    Raises:
        SpecError: It is not such a name.
    """
    if not isinstance(name, str) or not name.strip() or len(name) > 100 or not name.isprintable():
        raise SpecError(f"a source's name is 1 to 100 printable characters, not {name!r}")
    return name
