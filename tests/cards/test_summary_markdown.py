"""The summary in Markdown: what people write stays, where they wrote it, byte for byte."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support.manifests import CORPUS, with_sources

from portrait.cards.summary_facts import Item
from portrait.cards.summary_markdown import is_rendered, render, updated
from portrait.cards.summary_template import SummaryField, SummarySection, summary

ALL = summary(with_sources(CORPUS))
GROWN = summary(with_sources(CORPUS, web=77_000_000))
FEWER = summary(with_sources({name: CORPUS[name] for name in ("books", "web")}))
NEW = render(ALL)
BLANK = "_To be filled in._"
DESCRIPTION = next(f.id for s in ALL for f in s.fields if f.id.startswith("source-notes") and "-desc" in f.id)


def fill(text: str, id_: str, value: str) -> str:
    """Return a summary with a value written over what is between the marks of a field."""
    filled, n = re.subn(
        rf"(<!-- portrait:\w+ {id_}[^>]*-->\n).*?(\n<!-- /)",
        lambda match: match[1] + value + match[2],
        text,
        count=1,
        flags=re.DOTALL,
    )
    assert n == 1
    return filled


def value(text: str, id_: str) -> str:
    """Return what is between the marks of a field."""
    (match,) = re.findall(rf"<!-- portrait:\w+ {id_}[^>]*-->\n(.*?)\n<!-- /", text, re.DOTALL)
    return str(match)


def test_blanks_are_marked_and_known_values_are_there() -> None:
    assert value(NEW, "provider-name") == BLANK
    assert value(NEW, "text-size") == "Less than 1 billion tokens"
    assert NEW.count(BLANK) == sum(not field.items for section in ALL for field in section.fields)


def test_a_page_has_the_sections_as_headings_and_links_to_datasets() -> None:
    html = MarkdownIt().render(NEW)
    assert "<h4>2.2.1. Datasets commercially licensed" in html
    assert '<a href="https://huggingface.co/datasets/org/web/tree/' in html
    assert html.count("<h") - html.count("<hr") == 1 + len(ALL)


def test_text_from_a_manifest_is_not_markup() -> None:
    item = Item("<!-- /portrait:generated --> **x** [a](b)", "https://example.org/", " `c`")
    section = SummarySection("1", "T", (SummaryField("a", "A", (item, item)),))
    text = render([section])
    assert updated(text, [section]) == text
    assert "<strong>x" not in MarkdownIt().render(text)
    assert "<code>" not in MarkdownIt().render(text)


@pytest.mark.parametrize("sections", [ALL, FEWER], ids=["all", "fewer"])
def test_an_untouched_summary_becomes_what_a_new_one_would_be(
    sections: tuple[SummarySection, ...],
) -> None:
    assert updated(NEW, sections) == render(sections)
    assert updated(render(FEWER), sections) == render(sections)


def test_generated_values_follow_the_manifest() -> None:
    assert "77,000,000 bytes of text" in value(updated(NEW, GROWN), "public-large")


def test_what_a_person_wrote_stays_also_over_a_generated_value() -> None:
    text = fill(fill(NEW, "provider-name", "Example\n\n- Ltd."), "text-size", "More: 20 trillion tokens")
    new = updated(text, GROWN)
    assert value(new, "provider-name") == "Example\n\n- Ltd."
    assert value(new, "text-size") == "More: 20 trillion tokens"
    assert "77,000,000 bytes of text" in value(new, "public-large")
    assert updated(new, GROWN) == new


def test_a_field_that_is_emptied_is_generated_again() -> None:
    text = updated(fill(NEW, "text-size", "mine"), ALL)
    assert updated(fill(text, "text-size", ""), ALL) == NEW


def test_text_outside_the_fields_stays_in_its_place() -> None:
    text = NEW.replace("## 3. Data", "A note.\n\n## 3. Data").replace("# Public", "# Our public")
    new = updated(text, GROWN)
    assert "# Our public summary" in new
    assert "A note.\n\n## 3. Data" in new


def test_text_of_a_dropped_source_is_unplaced_and_returns_with_it() -> None:
    text = fill(NEW, DESCRIPTION, "Diaries.")
    dropped = updated(text, FEWER)
    head, unplaced = dropped.split("## Unplaced")
    assert "Diaries." in unplaced
    assert "source-notes" not in head
    assert updated(dropped, FEWER) == dropped
    assert updated(dropped, ALL) == text


def test_notes_of_a_person_beside_a_dropped_field_stay() -> None:
    mark = f"<!-- portrait:fill {DESCRIPTION} -->"
    text = NEW.replace(mark, f"See **our page** of the **Source**\n\n{mark}")
    assert "See **our page** of the **Source**\n" in updated(text, FEWER)


def test_two_texts_of_one_dropped_field_are_both_kept() -> None:
    dropped = updated(fill(NEW, DESCRIPTION, "Diaries."), FEWER)
    again = updated(fill(NEW, DESCRIPTION, "Letters.") + dropped.split("## Unplaced")[1], ALL)
    assert value(again.split("## 3.")[0], DESCRIPTION) == "Letters."
    assert "Diaries." in again


def test_a_field_that_was_removed_comes_back_after_the_one_before_it() -> None:
    block = re.search(r"\n\*\*Provider's name.*?<!-- /portrait:fill -->\n", NEW, re.DOTALL)
    assert block is not None
    new = updated(NEW.replace(block[0], ""), ALL)
    assert value(new, "provider-name") == BLANK
    assert new.index("provider-name") < new.index("authorised-representative")


def test_a_text_without_any_field_gets_them_all() -> None:
    new = updated("<!-- portrait:training-summary -->\nMine.\n", ALL)
    assert new.startswith("<!-- portrait:training-summary -->\nMine.\n")
    assert all(f" {field.id}" in new for section in ALL for field in section.fields)


def test_a_mark_that_is_not_closed_loses_nothing() -> None:
    text = fill(NEW, "provider-name", "Example Ltd.")
    broken = text.replace("Example Ltd.\n<!-- /portrait:fill -->", "Example Ltd.")
    assert "Example Ltd." in updated(broken, ALL)


def test_line_ends_of_windows_stay() -> None:
    text = fill(NEW, DESCRIPTION, "Diaries.").replace("\n", "\r\n")
    assert updated(text, ALL) == text
    dropped = updated(text, FEWER)
    assert dropped.count("\r\n") == dropped.count("\n")
    assert updated(dropped, ALL) == text


def test_a_summary_is_known_by_its_mark() -> None:
    assert is_rendered(NEW)
    assert is_rendered(NEW.replace("\n", "\r\n"))
    for other in ("", "# Public summary", "see `<!-- portrait:training-summary -->`"):
        assert not is_rendered(other)


@settings(max_examples=25)
@given(
    st.dictionaries(
        st.sampled_from([field.id for section in ALL for field in section.fields]),
        st.text("aé京<>!-*# \n\r", min_size=1).filter(lambda text: text.strip() and "<!-- " not in text),
        max_size=4,
    ),
    st.permutations(range(3)),
)
def test_no_sequence_of_updates_loses_a_text(texts: dict[str, str], versions: list[int]) -> None:
    text = NEW
    for id_, written in texts.items():
        text = fill(text, id_, written)
    for sections in [(ALL, GROWN, FEWER)[version] for version in versions]:
        text = updated(text, sections)
        assert updated(text, sections) == text
    last = updated(text, ALL)
    for id_, written in texts.items():
        assert written in last.split(f" {id_} -->")[1]


def test_a_summary_of_no_known_values_is_all_blanks() -> None:
    blank = tuple(replace(s, fields=tuple(replace(f, items=()) for f in s.fields)) for s in ALL)
    assert updated(NEW, blank) == render(blank)
    assert updated(render(blank), ALL) == NEW
