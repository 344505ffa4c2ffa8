"""The models of requests: they check what clients send, and they are a source of the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, RootModel, Tag


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise ValueError("must not have the same name twice")
    return names


Names = Annotated[
    list[str],
    Field(min_length=1, description="The portraits to ask; all if omitted."),
    AfterValidator(_distinct),
    Field(json_schema_extra={"uniqueItems": True}),
]
Threshold = Annotated[
    float,
    Field(
        gt=0,
        le=1e6,
        description="The E-value up to which a chain of hits counts as a copy; 0.01 if omitted.",
    ),
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class OneText(_Request):
    """A text to ask about."""

    text: str
    portraits: Names | None = None
    evalue: Threshold | None = None

    @property
    def texts(self) -> list[str]:
        """The text, as a list of one."""
        return [self.text]


class ManyTexts(_Request):
    """Texts to ask about, each on its own."""

    texts: Annotated[list[str], Field(min_length=1)]
    portraits: Names | None = None
    evalue: Threshold | None = None


#: What pydantic calls the alternatives in the places of its errors; parentheses keep them apart from fields.
_ONE, _MANY = "(one text)", "(many texts)"


def _kind(sent: Any) -> str:
    return _MANY if isinstance(sent, dict) and "texts" in sent else _ONE


#: The names that are present tell the two kinds apart, so that an error is about one kind only.
OneOrMany = Annotated[Annotated[OneText, Tag(_ONE)] | Annotated[ManyTexts, Tag(_MANY)], Discriminator(_kind)]


class Query(RootModel[OneOrMany]):
    """One text, or several."""

    model_config = ConfigDict(strict=True, frozen=True)


class DocumentRequest(BaseModel):
    """A text for `/q` or `/overlap`; the answer returns ``seq_id`` unchanged."""

    model_config = ConfigDict(strict=True)

    document: str | None = None
    seq_id: Any = None


class QuipRequest(BaseModel):
    """Texts for `/quip`."""

    model_config = ConfigDict(strict=True)

    documents: list[str]
    format_quotes: bool = False
