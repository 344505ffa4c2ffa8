"""What requests and answers look like: checked on the way in, and the source of the OpenAPI document.

Answers are not built from these but by :meth:`portrait.Answer.to_dict`; tests hold the two together.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, RootModel, Tag

from portrait import Verdict  # noqa: TC001  # pydantic reads it


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise ValueError("a name stands twice")
    return names


Names = Annotated[
    list[str],
    Field(min_length=1, description="The portraits to ask; all that there are, if left out."),
    AfterValidator(_distinct),
    Field(json_schema_extra={"uniqueItems": True}),
]
Threshold = Annotated[
    float,
    Field(gt=0, le=1e6, description="The E-value up to which a chain of hits counts as a copy; else 0.01."),
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OneText(_Request):
    """A text to ask about."""

    text: str
    portraits: Names | None = None
    evalue: Threshold | None = None


class ManyTexts(_Request):
    """Texts to ask about, each by itself."""

    texts: Annotated[list[str], Field(min_length=1)]
    portraits: Names | None = None
    evalue: Threshold | None = None


def _kind(sent: Any) -> str:
    return "texts" if isinstance(sent, dict) and "texts" in sent else "text"


#: Told apart by which name is there, so that a refusal speaks of one kind only.
OneOrMany = Annotated[
    Annotated[OneText, Tag("text")] | Annotated[ManyTexts, Tag("texts")], Discriminator(_kind)
]


class Query(RootModel[OneOrMany]):
    """One text, or several."""

    model_config = ConfigDict(strict=True, frozen=True)


class MatchModel(_Answer):
    """A passage that a layer holds; ``start`` and ``end`` count characters of the text as given."""

    start: int
    end: int
    windows: int
    evalue: float


class ApproximateModel(MatchModel):
    """A passage that looks like an edited copy."""

    hits: int


class LayerModel(_Answer):
    """What one source of one portrait says."""

    portrait: str
    source: str
    verdict: Verdict
    windows: int
    hits: int
    hit_rate: float
    fpr: float
    evalue: float | None
    matches: list[MatchModel]
    approximate: ApproximateModel | None


class AnswerModel(_Answer):
    """What is known about a text: docs/answers.md defines every number."""

    verdict: Verdict
    reason: str
    evalue: float | None
    detectable_length: int | None
    coverage: float
    longest_match: int
    exact_document: bool
    layers: list[LayerModel]


class Answers(_Answer):
    """An answer for each text, in the order of the texts."""

    answers: list[AnswerModel]


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: Annotated[str, Field(description="The kind of error, for programs.")]


class ErrorLine(_Answer):
    """Stands in for the answer to a line that could not be answered."""

    error: Problem


class AnswerLine(RootModel[AnswerModel | ErrorLine]):
    """A line of the answer to NDJSON: one for each line sent that is not blank, in their order."""


class WindowsModel(_Answer):
    """How a portrait cuts texts into windows."""

    width: int
    stride: int
    unit: str
    normalizer: str


class PortraitSummary(_Answer):
    """A portrait that this server holds."""

    name: str
    sources: list[str]
    windows: WindowsModel


class Portraits(_Answer):
    """The portraits that may be asked."""

    portraits: list[PortraitSummary]


class PortraitDetails(PortraitSummary):
    """A portrait, with what its files say of it: its manifest and its card."""

    manifest: dict[str, Any]
    card: Annotated[str | None, Field(description="The bundle's README.md.")]


class RateLimits(_Answer):
    """How rates are counted."""

    counted: Annotated[
        Literal["off", "in this process", "in a store shared by all workers"],
        Field(description="Where the requests of a key or an address are counted."),
    ]
    keys: Annotated[bool, Field(description="Whether asking takes a key.")]


class CallerRates(RateLimits):
    """How rates are counted, and the caller's own."""

    rate: str | None


class Version(_Answer):
    """What answers."""

    portrait: str
    api: Literal[1]
    limits: Annotated[dict[str, int | float], Field(description="The most that one request may bring.")]
    rates: CallerRates


class Health(_Answer):
    """The process answers."""

    status: Literal["ok"]
    version: str


class Ready(_Answer):
    """Every portrait can be asked."""

    status: Literal["ready"]
    portraits: Annotated[dict[str, Literal["ready"]], Field(description="Empty where asking takes a key.")]
    problems: Annotated[dict[str, str], Field(description="Portraits whose new files could not be opened.")]
    rates: RateLimits


class DocumentRequest(BaseModel):
    """A text for `/q` or `/overlap`; ``seq_id`` comes back as it is."""

    model_config = ConfigDict(strict=True)

    document: str | None = None
    seq_id: Any = None


class QuipRequest(BaseModel):
    """Texts for `/quip`."""

    model_config = ConfigDict(strict=True)

    documents: list[str]
    format_quotes: bool = False


class Report(_Answer):
    """A text's report, as the original server gave it."""

    idx: int
    doc: Annotated[str, Field(description="The normalised text.")]
    segments: Annotated[list[str] | None, Field(description="The text's windows.")]
    is_member: list[bool]
    chains: list[list[str]]
    chain_idxs: list[list[int]]
    longest_chain: int
    expected_longest: float
    badness: float
    sketch_signature: str


class QReport(Report):
    """The answer of `/q`."""

    width: int
    seq_id: Any


class NoDocument(_Answer):
    """The answer to a request without a document."""


class QAnswer(RootModel[QReport | NoDocument]):
    """A report, or nothing where no document was sent."""


class Overlap(_Answer):
    """The answer of `/overlap`: where the chains stand in the text as given."""

    spans: list[tuple[int, int]]
    segments: list[str]
    raw_segments: list[str]


class OverlapAnswer(RootModel[Overlap | Literal[""]]):
    """The chains, or an empty string where no document was sent."""


class QuipScore(_Answer):
    """The QUIP score: hits of windows."""

    too_short: bool
    numerator: int
    denominator: int
    quip_25_beta: float | None


class QuipReport(Report):
    """The answer of `/quip` for one text."""

    quip_report: QuipScore
    quote_latex: str | None = None
    quote_text: str | None = None


class QuipAnswer(RootModel[list[QuipReport]]):
    """A report for each text."""
