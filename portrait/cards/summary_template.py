"""The structure of a public summary of training content, with what a build knows filled in.

Source: the European Commission's template for the summary that Article 53(1)(d) of Regulation (EU) 2024/1689
requires, of 24 July 2025. Sections have its numbers; labels say in other words what it asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.cards.summary_facts import Item, facts, unassigned

if TYPE_CHECKING:
    from portrait.bundle.manifest import Manifest

TITLE = "Public summary of training content"
#: What stands before the first section.
INTRODUCTION = (
    "Draft in the structure of the European Commission's template for Article 53(1)(d) of Regulation (EU) "
    "2024/1689. What the build of the data portrait recorded is filled in; a person must fill in the blanks, "
    "confirm the rest, and add training data that the portrait does not cover."
)


@dataclass(frozen=True, slots=True)
class SummaryField:
    """A field: a stable id, what it asks for, and what a build knows; nothing where a person must write."""

    id: str
    label: str
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class SummarySection:
    """A section with its number in the template, such as ``2.2.1``, which is empty before the first."""

    number: str
    title: str
    fields: tuple[SummaryField, ...] = ()


_COMMENTS = "Additional comments (optional)"
_MODALITIES = "If so, their modalities: text, image, audio, video, other"

#: Each section's number, title and fields: ids with labels.
_TEMPLATE: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "",
        "About this summary",
        {
            "summary-version": "Version of the summary, with links to earlier ones",
            "summary-date": "Last update",
            "portrait": "Data portrait of the training data",
        },
    ),
    ("1", "General information", {}),
    (
        "1.1",
        "Provider identification",
        {
            "provider-name": "Provider's name and contact details",
            "authorised-representative": "Authorised representative's name and contact details",
        },
    ),
    (
        "1.2",
        "Model identification",
        {
            "model-names": "Versioned names of the models",
            "model-dependencies": "Models that these are modifications of, with links to their summaries",
            "market-date": "Date of placement on the Union market",
        },
    ),
    (
        "1.3",
        "Modalities, overall size and other characteristics of the training data",
        {
            "modality-text": "Text in the training data",
            "text-size": (
                "Size of the text in tokens: less than 1 billion, 1 billion to 10 trillion, or more"
            ),
            "text-measured": "Text that the portrait covers",
            "text-content": "Types of content of the text, such as fiction, science, law or code",
            "modality-image": (
                "Images, and types of content: less than 1 million, 1 million to 1 billion, or more"
            ),
            "modality-audio": (
                "Hours of audio, and types of content: less than 10,000, 10,000 to 1 million, or more"
            ),
            "modality-video": (
                "Hours of video, and types of content: less than 10,000, 10,000 to 1 million, or more"
            ),
            "modality-other": "Other modalities, with their approximate size and its unit",
            "latest-date": (
                "Latest month in which data was acquired or collected, and whether training goes on"
            ),
            "revision-dates": "Dates of the revisions that were read",
            "languages": "Linguistic characteristics of the training data",
            "characteristics": "Other relevant characteristics of the training data",
            "general-comments": _COMMENTS,
        },
    ),
    (
        "2",
        "List of data sources",
        {"unassigned": "Sources of the portrait of which a person must say in which section they belong"},
    ),
    (
        "2.1",
        "Publicly available datasets",
        {
            "public-used": "Were publicly available datasets used?",
            "public-modalities": _MODALITIES,
            "public-large": "Large datasets: more than 3 % of the public data of their modality, with links",
            "public-other": "Other datasets that the portrait covers",
            "public-description": "General description of the datasets that are not large",
            "public-comments": _COMMENTS,
        },
    ),
    ("2.2", "Private datasets obtained from third parties", {}),
    (
        "2.2.1",
        "Datasets commercially licensed by rightsholders or their representatives",
        {
            "licensed-used": "Were commercial licences agreed with rightsholders or their representatives?",
            "licensed-modalities": _MODALITIES,
            "licensed-comments": _COMMENTS,
        },
    ),
    (
        "2.2.2",
        "Private datasets obtained from other third parties",
        {
            "private-used": "Were private datasets obtained from others, such as data intermediaries?",
            "private-modalities": _MODALITIES,
            "private-known": "Datasets that are publicly known",
            "private-description": "General description of the datasets that are not publicly known",
            "private-comments": _COMMENTS,
        },
    ),
    (
        "2.3",
        "Data crawled and scraped from online sources",
        {
            "crawled-used": "Were crawlers used by the provider or on its behalf?",
            "crawler-names": "Names or identifiers of the crawlers",
            "crawler-purposes": "Purposes of the crawlers",
            "crawler-behaviour": "Behaviour of the crawlers towards robots.txt, captchas and paywalls",
            "crawl-period": "Period of collection",
            "crawl-content": "Kinds of content and of online sources crawled, and how much",
            "crawl-modalities": _MODALITIES,
            "crawl-domains": (
                "Most relevant domain names: the top 10 % by the size of what was crawled, or for small and "
                "medium-sized enterprises the top 5 % or 1,000 names"
            ),
            "crawl-comments": _COMMENTS,
        },
    ),
    (
        "2.4",
        "User data",
        {
            "interactions-used": "Was data from users' interactions with the model used?",
            "services-used": "Was data from users' interactions with other services of the provider used?",
            "services-description": "If so, a general description of these services",
            "user-modalities": _MODALITIES,
            "user-comments": _COMMENTS,
        },
    ),
    (
        "2.5",
        "Synthetic data",
        {
            "synthetic-used": "Was synthetic data generated by the provider or on its behalf?",
            "synthetic-modalities": _MODALITIES,
            "synthetic-models": "General-purpose models on the market that generated it",
            "synthetic-other-models": "Other models that generated it, including the provider's own",
            "synthetic-comments": _COMMENTS,
        },
    ),
    (
        "2.6",
        "Other sources of data",
        {
            "other-used": "Were other sources of data used?",
            "other-description": "If so, a description of these sources and their data",
            "other-comments": _COMMENTS,
        },
    ),
    ("3", "Data processing aspects", {}),
    (
        "3.1",
        "Respect of reservations of rights from the exception for text and data mining",
        {
            "code-of-practice": "Has the provider signed the code of practice for general-purpose AI models?",
            "reservations": (
                "Measures taken before and during collection, with the opt-out protocols that the "
                "provider, or those from whom datasets were obtained, honoured"
            ),
            "reservations-comments": _COMMENTS,
        },
    ),
    (
        "3.2",
        "Removal of illegal content",
        {"illegal-content": "General description of the measures taken"},
    ),
    (
        "3.3",
        "Other information",
        {"processing": "Other relevant information about data processing (optional)"},
    ),
)

#: The fields of each source that a person must assign: the end of their ids, and their labels.
SOURCE_LABELS = {
    "": "Source",
    "-section": "Which of the sections 2.1 to 2.6 describes it",
    "-description": "General description of its content",
}


def summary(manifest: Manifest) -> tuple[SummarySection, ...]:
    """Return the sections of a portrait's summary.

    Args:
        manifest: The portrait's manifest.
    """
    known = facts(manifest)
    return tuple(
        SummarySection(
            number,
            title,
            (
                *(SummaryField(id_, label, known.get(id_, ())) for id_, label in fields.items()),
                *(_source_fields(manifest) if "unassigned" in fields else ()),
            ),
        )
        for number, title, fields in _TEMPLATE
    )


def _source_fields(manifest: Manifest) -> tuple[SummaryField, ...]:
    return tuple(
        SummaryField(f"{id_}{suffix}", label, items if suffix == "" else ())
        for id_, items in unassigned(manifest).items()
        for suffix, label in SOURCE_LABELS.items()
    )
