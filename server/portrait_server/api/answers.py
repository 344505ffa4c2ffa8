"""The models of answers: a source of the OpenAPI document.

Answers are not built from these models but by :meth:`portrait.Answer.to_dict`; tests check that they agree.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from portrait import Verdict  # noqa: TC001  # pydantic reads it


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MatchModel(_Answer):
    """A passage found in a layer; ``start`` and ``end`` count characters of the text as given."""

    start: int
    end: int
    windows: int
    evalue: float


class ApproximateModel(MatchModel):
    """A passage that looks like an edited copy: `hits` of its `windows` hit."""

    hits: int


class PortraitModel(_Answer):
    """What all sources of one portrait say about a text, in the portrait's own units."""

    portrait: str
    verdict: Verdict
    evalue: float | None
    units: Annotated[int, Field(description="The length of the normalised text; `counting` says of what.")]
    detectable_length: Annotated[
        int | None,
        Field(description="The shortest passage that is certain to be found; `counting` says of what."),
    ]
    detectable: Annotated[str, Field(description="The same in words, for people.")]
    counting: Annotated[
        str, Field(description="What lengths count: `characters, runs of white space counted as one`.")
    ]


class LayerModel(_Answer):
    """What one source of one portrait says about a text."""

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
    """What is known about a text: docs/answers.md defines every number.

    E-values hold for texts fixed before anyone saw the filter: whoever holds it can search for texts that it
    falsely confirms.
    """

    verdict: Verdict
    reason: str
    evalue: float | None
    detectable_length: Annotated[
        int | None,
        Field(
            description="In units of the normalised text; null if nothing is detectable, or if the portraits "
            "count differently: `portraits` has each one's own."
        ),
    ]
    coverage: Annotated[float, Field(description="The share of the characters of the text as given.")]
    longest_match: Annotated[int, Field(description="Characters of the text as given.")]
    exact_document: bool | None
    portraits: list[PortraitModel]
    layers: list[LayerModel]


class Answers(_Answer):
    """One answer for each text, in the order of the texts."""

    answers: list[AnswerModel]


class Problem(BaseModel):
    """A problem document (RFC 9457): what went wrong."""

    type: str
    title: str
    status: int
    detail: str
    code: Annotated[str, Field(description="The kind of error, for programs.")]


class ErrorLine(_Answer):
    """The line in place of an answer to a line that cannot be answered."""

    error: Problem


class AnswerLine(RootModel[AnswerModel | ErrorLine]):
    """A line of the answer to NDJSON: one for each line sent that is not blank, in the same order."""


class WindowsModel(_Answer):
    """How a portrait cuts texts into windows."""

    width: int
    sampling: Literal["minimizer", "stride"]
    span: Annotated[int | None, Field(description="Of a minimizer.")] = None
    stride: Annotated[int | None, Field(description="Of a stride.")] = None
    unit: str
    normalizer: str


class PortraitSummary(_Answer):
    """A portrait that this server serves."""

    name: str
    sources: list[str]
    windows: WindowsModel


class Portraits(_Answer):
    """The portraits that the caller may ask."""

    portraits: list[PortraitSummary]


class PortraitDetails(PortraitSummary):
    """A portrait, and what its files say about it."""

    manifest: dict[str, Any]
    card: Annotated[str | None, Field(description="The bundle's README.md.")]


class RateLimits(_Answer):
    """How rates are counted."""

    counted: Annotated[
        Literal["off", "in this process", "in a store shared by all workers"],
        Field(description="Where the texts of a key or an address are counted."),
    ]
    keys: Annotated[bool, Field(description="Whether asking requires a key.")]


class CallerRates(RateLimits):
    """How rates are counted, and the caller's own rate."""

    rate: str | None


class Version(_Answer):
    """The versions and limits of this server."""

    portrait: str
    api: Literal[1]
    limits: Annotated[dict[str, int | float], Field(description="The limits of one request.")]
    rates: CallerRates


class Health(_Answer):
    """The answer of a running process."""

    status: Literal["ok"]
    version: str


class Ready(_Answer):
    """The answer of a server on which every portrait can be asked."""

    status: Literal["ready"]
    portraits: Annotated[dict[str, Literal["ready"]], Field(description="Empty if asking requires a key.")]
    problems: Annotated[dict[str, str], Field(description="Portraits whose new files cannot be opened.")]
    rates: RateLimits


class OriginalReport(_Answer):
    """A text's report, in the form of the original server."""

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


class QReport(OriginalReport):
    """The answer of `/q`."""

    width: int
    seq_id: Any


class NoDocument(_Answer):
    """The answer to a request without a document."""


class QAnswer(RootModel[QReport | NoDocument]):
    """A report, or an empty object if no document was sent."""


class Overlap(_Answer):
    """The answer of `/overlap`: where the chains are in the text as given."""

    spans: list[tuple[int, int]]
    segments: list[str]
    raw_segments: list[str]


class OverlapAnswer(RootModel[Overlap | Literal[""]]):
    """The chains, or an empty string if no document was sent."""


class QuipScore(_Answer):
    """The QUIP score: the share of a text's windows that hit."""

    too_short: bool
    numerator: int
    denominator: int
    quip_25_beta: float | None


class QuipReport(OriginalReport):
    """The answer of `/quip` for one text."""

    quip_report: QuipScore
    quote_latex: str | None = None
    quote_text: str | None = None


class QuipAnswer(RootModel[list[QuipReport]]):
    """One report for each text."""
