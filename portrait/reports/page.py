"""The report as one HTML page: no scripts, nothing from elsewhere, for screens and paper.

Its content security policy lets a browser load and run nothing, and apply the one style sheet only.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from portrait.answers.wording import show_evalue
from portrait.markup.elements import Markup, element, join
from portrait.markup.highlight import Span, highlighted, letter, style, visible
from portrait.markup.numbers import count, counted, expected, percent
from portrait.reports import wording
from portrait.reports.charts import histogram_chart, proportions
from portrait.reports.wording import headline, rate, row_name

if TYPE_CHECKING:
    from portrait.reports.report import AskedRow, Report
    from portrait.reports.statistics import Share

_TILES = (
    ("found", "Found", "share a passage with the corpus"),
    ("not_found", "Not found", "no passage of the detectable length or more stands in the corpus"),
    ("inconclusive", "Inconclusive", "too short to tell a copy from chance: not clean"),
)

_CAVEATS = {
    "Chance": """A filter errs now and then. Each row counts as found up to the E-value threshold, so that
        among many rows some are found by chance: how many to expect is stated above. A lower threshold
        makes them fewer, and detects longer passages only.""",
    "Paraphrase": """Only verbatim passages are found, after normalising. A row that was translated, reworded
        or cut into pieces shorter than the detectable length is not. Copies with a few edits often show, and
        are counted apart.""",
    "Common phrases": """Boilerplate, quotations, licences and set phrases are found because they are there.
        Look at the worst rows before you call a benchmark leaked: which passages they are matters more
        than how many.""",
    "Inconclusive": """Inconclusive rows are not clean. They are too short for a copy to be told from
        chance.""",
    "Training": """A passage in a corpus says neither that a model was trained on it, nor that the model
        remembers it, nor who copied from whom.""",
    "The intervals": """They are Wilson's, of 95%. They say how far the rate among more rows of the same kind
        may be from that of these, if these were drawn from them at random; of these very rows the counts
        are exact.""",
}


def page(report: Report) -> str:
    """The whole document."""
    css = files("portrait.reports").joinpath("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", visible_plain(f"Contamination report: {report.data}")),
        # Not escaped, for a style sheet has no entities; it is ours from first to last.
        element("style", Markup(css)),
    )
    sections = [
        *_result(report),
        *_sources(report),
        *_columns(report),
        *_distributions(report),
        *_worst(report),
        *_method(report),
        *_meaning(),
    ]
    body = element(
        "body",
        element("header", *_opening(report)),
        element("main", join(sections, "\n")),
        element("footer", *_closing(report)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def visible_plain(text: str) -> str:
    """A name where no element may stand: what is not printable spelled out."""
    return "".join(c if c.isprintable() else f"[U+{ord(c):04X}]" for c in text)


def _name(text: str) -> Markup:
    """A name that somebody else chose: isolated, so that it cannot turn its neighbours around."""
    return element("bdi", visible(text))


def _code(text: str) -> Markup:
    return element("code", visible(text))


def _opening(report: Report) -> list[Markup]:
    return [
        element("p", "Contamination report", class_="kicker"),
        element("h1", _name(report.data)),
        element("p", headline(report), class_="headline"),
    ]


def _result(report: Report) -> list[Markup]:
    totals = report.findings.totals
    shares = {"found": totals.found, "not_found": totals.not_found, "inconclusive": totals.inconclusive}
    tiles = [
        element(
            "div",
            element("dt", label),
            element("dd", count(shares[key].count), class_="big"),
            element("dd", rate(shares[key])),
            element("dd", note, class_="note"),
            class_=key,
        )
        for key, label, note in _TILES
    ]
    by_chance = expected(totals.expected_by_chance)
    n_exact = totals.exact_documents.count
    exact = counted(n_exact, "row") if n_exact else "no row"
    return [
        proportions([(key, share.count) for key, share in shares.items()]),
        element("dl", *tiles, class_="tiles"),
        element(
            "p",
            f"Chance alone would have {by_chance} of {counted(totals.rows, 'row')} found, in expectation, if "
            f"none shared anything with the corpus. The very text of {exact} is a document of the corpus, as "
            "far as its key can tell. ",
            wording.edited(report),
        ),
    ]


def _cell(name: str, value: str) -> Markup:
    """A number's cell, which on a narrow screen stands beside its column's name."""
    return element(
        "td",
        # Hearers are told the column's name by the table's head.
        element("span", name, class_="name", aria_hidden="true"),
        element("span", value, class_="value"),
        class_="number",
    )


def _head(first: str, *names: str) -> Markup:
    cells = [element("th", name, scope="col", class_="number") for name in names]
    return element("thead", element("tr", element("th", first, scope="col"), *cells))


def _share_cells(share: Share) -> list[Markup]:
    low, high = share.interval
    return [
        _cell("Rows", count(share.count)),
        _cell("Share", "–" if share.share is None else percent(share.share)),
        _cell("95% interval", f"{percent(low)} – {percent(high)}"),
    ]


def _sources(report: Report) -> list[Markup]:
    rows = [
        element("tr", element("th", *_source(report, i), scope="row"), *_share_cells(one.found))
        for i, one in enumerate(report.findings.sources)
    ]
    table = element(
        "table",
        element("caption", "Rows in which a source was found. A row may be in several sources."),
        _head("Source", "Rows", "Share", "95% interval"),
        element("tbody", *rows),
        class_="stack",
    )
    return [element("h2", "Where it was found"), table]


def _source(report: Report, i: int) -> list[str]:
    """A source as legends and tables name it: its letter in its style, its name, its portrait's."""
    one = report.findings.sources[i]
    sign = element("mark", element("sup", letter(i)), "text", class_=style(i), aria_hidden="true")
    spoken = [sign, " ", f"{letter(i)}: ", _name(one.source)]
    if len(report.portraits) > 1:
        spoken += [element("span", " in ", _name(one.portrait), class_="soft")]
    return spoken


def _columns(report: Report) -> list[Markup]:
    rows = [
        element(
            "tr",
            element("th", _name(one.column), scope="row"),
            _cell("A match touches it", _of(one.touched)),
            _cell("Half of it or more matches", _of(one.mostly)),
        )
        for one in report.findings.columns
    ]
    table = element(
        "table",
        element("caption", "Of the rows found, those in which a match falls in a column."),
        _head("Column", "A match touches it", "Half of it or more matches"),
        element("tbody", *rows),
        class_="stack",
    )
    return [element("h2", "In which column"), table]


def _of(share: Share) -> str:
    return count(share.count) + ("" if share.share is None else f" ({percent(share.share)})")


def _distributions(report: Report) -> list[Markup]:
    findings = report.findings
    charts = [
        histogram_chart(
            "coverage",
            "How much of a row is in the corpus, of the rows found",
            "Coverage: share of the row's characters",
            findings.coverage,
            lambda edge: f"{edge:.0%}",
        ),
        histogram_chart(
            "longest",
            "The longest match of a row, of the rows found",
            "Longest match in characters",
            findings.longest_match,
            lambda edge: f"{edge:,.0f}",
        ),
    ]
    return [element("h2", "How much of it"), element("div", *charts, class_="figures")]


def _worst(report: Report) -> list[Markup]:
    rows = report.findings.worst
    heading = element("h2", "The worst rows")
    if not rows:
        return [heading, element("p", "No row to show.")]
    of = "" if len(rows) == report.contaminated.count else f" of {count(report.contaminated.count)}"
    legend = [
        element("li", *_source(report, i)) for i, one in enumerate(report.findings.sources) if one.found.count
    ]
    lines = [
        element(
            "tr",
            element("th", element("a", _name(row_name(row)), href=f"#row-{row.number}"), scope="row"),
            _cell("Coverage", percent(row.answer.coverage)),
            _cell("Longest match", count(row.answer.longest_match)),
            _cell("E-value", _evalue(row)),
            _cell("Sources", _letters(row)),
        )
        for row in rows
    ]
    table = element(
        "table",
        element("caption", "Longest matches are in characters; sources by their letters."),
        _head("Row", "Coverage", "Longest match", "E-value", "Sources"),
        element("tbody", *lines),
        class_="stack",
    )
    return [
        heading,
        element(
            "p",
            f"{counted(len(rows), 'row')}{of} found, by coverage, then by longest match. Marked passages "
            "stand in the corpus; the sign before each, its tint and its line name the source:",
        ),
        element("ul", *legend, class_="legend"),
        table,
        element("ol", *(_row(row) for row in rows), class_="rows"),
    ]


def _letters(row: AskedRow) -> str:
    return ", ".join(letter(i) for i, layer in enumerate(row.answer.layers) if layer.matches)


def _evalue(row: AskedRow) -> str:
    return "–" if row.answer.evalue is None else show_evalue(row.answer.evalue)


def _row(row: AskedRow) -> Markup:
    answer = row.answer
    spans = [
        Span(match.start, match.end, i) for i, layer in enumerate(answer.layers) for match in layer.matches
    ]
    facts = (
        f"{percent(answer.coverage)} covered, longest match {counted(answer.longest_match, 'character')}, "
        f"E-value {_evalue(row)}, sources {_letters(row)}"
        f"{', the very text is a document of the corpus' if answer.exact_document else ''}; "
    )
    texts: list[Markup] = []
    for passage in row.passages:
        if len(row.passages) > 1:
            texts.append(element("h4", _name(passage.column), class_="column"))
        shown = highlighted(row.text, passage.start, passage.end, spans)
        texts.append(element("div", shown, class_="text", dir="auto"))
    return element(
        "li",
        element("h3", _name(row_name(row))),
        element("p", facts, _name(row.place), class_="facts"),
        *texts,
        id=f"row-{row.number}",
    )


def _method(report: Report) -> list[Markup]:
    spread = report.findings.detectable_length
    units = report.portraits[0].spec.unit_name
    lengths = "nothing is detectable in these rows"
    if spread is not None:
        lengths = (
            f"{count(spread.least)} to {count(spread.greatest)} {units}, depending on the row's length "
            f"(median {count(spread.median)}): the shortest verbatim passage that is certain to be found"
        )
    columns = join([_code(column) for column in report.columns], ", ")
    facts: list[tuple[str, list[str]]] = [
        ("Data", [_code(report.data)]),
        ("Columns", [columns, " (joined by line breaks)" if len(report.columns) > 1 else ""]),
        ("Threshold", [f"E-value {report.evalue:g} for each row"]),
        ("Detectable length", [lengths]),
    ]
    facts += [("Portrait", _portrait(report, i)) for i in range(len(report.portraits))]
    if report.command is not None:
        facts.append(("Command", [_code(report.command)]))
    rows = [element("tr", element("th", name, scope="row"), element("td", *what)) for name, what in facts]
    return [
        element("h2", "How it was measured"),
        element("table", element("tbody", *rows), class_="facts-table"),
    ]


def _portrait(report: Report, i: int) -> list[str]:
    one = report.portraits[i]
    spec = one.spec
    layers = [join([_name(layer.source), f" {layer.fpr:.3%}"]) for layer in one.layers]
    named = ["id ", element("code", one.id, class_="id")] if one.id else ["a filter without a manifest"]
    windows = f"windows of {spec.width} {spec.unit_name}, stored every {spec.stride} (the stride)"
    return [
        _name(one.name),
        ", ",
        *named,
        element("br"),
        f"{windows}, after normaliser {spec.normalizer}",
        element("br"),
        "false-positive rate per window: ",
        join(layers, ", "),
    ]


def _meaning() -> list[Markup]:
    items = [
        element("p", element("strong", f"{name}."), f" {' '.join(text.split())}")
        for name, text in _CAVEATS.items()
    ]
    return [element("h2", "What these numbers do not mean"), *items]


def _closing(report: Report) -> list[Markup]:
    date = "" if report.date is None else f", {report.date}"
    return [element("p", f"Made by {report.tool}{date}.")]
