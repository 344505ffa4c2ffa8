"""The endpoints of the original server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from portrait_server import create_app
from portrait_server.api import answers
from support.live import FERRY, build

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of a portrait."""
    windows = portrait.WindowSpec(sampling=portrait.Stride(25))
    return build(tmp_path_factory.mktemp("compat") / "ferry.portrait", FERRY, windows)


@pytest.fixture(scope="module")
def client(path: Path) -> FlaskClient:
    """A client of an application that serves the portrait."""
    client: FlaskClient = create_app({"PORTRAITS": [path]}).test_client()
    return client


TEXT = f"He wrote:\n\n {FERRY[:120]}\tand then {FERRY[30:110]}. No more."


def test_q_reports_windows_and_chains(client: FlaskClient, path: Path) -> None:
    opened = portrait.open(path)
    report = client.post("/q", json={"document": TEXT, "seq_id": [7]}).get_json()
    answers.QReport.model_validate(report)
    width, stride = 50, 25
    doc = " ".join(TEXT.split())
    member = [bool(hit) for hit in opened.hits(TEXT)["main"]]
    assert (report["doc"], report["is_member"], report["segments"]) == (doc, member, None)
    assert (report["idx"], report["seq_id"], report["width"]) == (0, [7], width)
    assert any(member)
    windows_in_chains = set()
    for chain, texts in zip(report["chain_idxs"], report["chains"], strict=True):
        assert texts == [doc[i : i + width] for i in chain]
        assert all(member[i] for i in chain)
        assert chain == list(range(chain[0], chain[-1] + 1, stride))
        for outside in (chain[0] - stride, chain[-1] + stride):
            assert not (0 <= outside < len(member) and member[outside])
        windows_in_chains.update(chain)
    assert windows_in_chains == {i for i, hit in enumerate(member) if hit}
    lengths = [len(chain) for chain in report["chain_idxs"]]
    assert lengths == sorted(lengths, reverse=True)
    assert report["longest_chain"] == lengths[0]
    assert report["expected_longest"] == (len(doc) - (width - 1)) / width
    assert report["badness"] == report["longest_chain"] / report["expected_longest"]


def test_overlap_reports_segments_of_the_text_as_sent(client: FlaskClient) -> None:
    overlap = client.post("/overlap", json={"document": TEXT}).get_json()
    answers.Overlap.model_validate(overlap)
    assert overlap["raw_segments"] == [TEXT[start:end] for start, end in overlap["spans"]]
    start, end = overlap["spans"][0]
    assert TEXT[start:end] in FERRY


def test_quip_reports_scores_and_marked_quotations(client: FlaskClient) -> None:
    body = {"documents": [TEXT, "short", FERRY[:50]], "format_quotes": True}
    reports = client.post("/quip", json=body).get_json()
    answers.QuipAnswer.model_validate(reports)
    assert [report["idx"] for report in reports] == [0, 1, 2]
    score = reports[0]["quip_report"]
    assert score["numerator"] == sum(reports[0]["is_member"])
    assert score["quip_25_beta"] == score["numerator"] / score["denominator"]
    assert reports[1]["quip_report"] == {
        "too_short": True,
        "numerator": 0,
        "denominator": 0,
        "quip_25_beta": None,
    }
    assert reports[2]["quote_text"] == f"[{reports[2]['doc']}]"
    assert reports[0]["quote_text"].replace("[", "").replace("]", "") == reports[0]["doc"]
    assert reports[2]["quote_latex"] == r"{\sethlcolor{quoted!20}\hl{" + reports[2]["doc"] + "}}"
    assert "quote_text" not in client.post("/quip", json={"documents": ["x"]}).get_json()[0]


def test_requests_without_a_document_are_answered_as_by_the_original_server(client: FlaskClient) -> None:
    assert client.post("/q", json={}).get_json() == {}
    assert client.get("/q", json={"document": FERRY}).get_json()["seq_id"] is None
    assert client.post("/overlap", json={}).get_json() == ""
    assert client.post("/quip", json={}).status_code == 400


def test_the_configured_portrait_answers(tmp_path: Path, path: Path) -> None:
    words = tmp_path / "words.portrait"
    portrait.build(
        {"a": path.with_suffix(".txt")}, words, windows=portrait.WindowSpec(5, portrait.Stride(5), "word")
    )
    client = create_app({"PORTRAITS": [path, words], "COMPAT": "words"}).test_client()
    assert "characters" in client.post("/q", json={"document": FERRY}).get_json()["detail"]
    assert create_app().test_client().post("/q", json={"document": "x"}).status_code == 404


@pytest.mark.parametrize("format_quotes", [False, True])
def test_the_size_of_an_answer_is_bounded(format_quotes: bool, path: Path) -> None:
    text = (FERRY * 300)[:40_000]
    limit = 1_500_000
    client = create_app({"PORTRAITS": [path], "MAX_ANSWER_BYTES": limit}).test_client()
    for n_chars in (1000, 10_000, 30_000, 40_000):
        body = {"documents": [text[:n_chars]], "format_quotes": format_quotes}
        response = client.post("/quip", json=body)
        if response.status_code == 413:
            assert response.get_json()["code"] == "too_large"
            assert n_chars > 10_000
        else:
            assert len(response.data) <= limit * 1.2
            assert n_chars < 40_000
    many = {"documents": [text[:20_000]] * 3}
    assert client.post("/quip", json=many).status_code == 413


def test_time_is_limited(path: Path) -> None:
    client = create_app({"PORTRAITS": [path], "REQUEST_SECONDS": 1e-9}).test_client()
    for endpoint, body in (
        ("/q", {"document": FERRY}),
        ("/overlap", {"document": FERRY}),
        ("/quip", {"documents": [FERRY]}),
    ):
        response = client.post(endpoint, json=body)
        assert (response.status_code, response.get_json()["code"]) == (503, "overtime")
