"""The endpoints of the original Data Portraits server: its clients need only a new address.

Fields are called, and mean, what they did there, with two differences. A chain ends at the first miss;
there, chains jumped over misses, which made them longer than what stands in the corpus. And the texts
are not kept; there, they were logged.

One portrait answers: the one that is configured, or the first.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify
from pydantic import TypeAdapter

from . import bodies
from .api import require_within_limits
from .auth import charge, visible
from .errors import MalformedRequestError, UnknownPortraitError
from .models import DocumentRequest, OverlapAnswer, QAnswer, QuipAnswer, QuipRequest
from .operations import Operation, operation
from .state import state

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

    from portrait import Portrait

blueprint = Blueprint("compat", __name__)

_DOCUMENT = TypeAdapter(DocumentRequest)
_QUIP = TypeAdapter(QuipRequest)
_PROBLEMS = (400, 404, 408, 413, 415, 503)


@blueprint.route("/q", methods=["GET", "POST"])
@operation(Operation("original", QAnswer, request=DocumentRequest, problems=_PROBLEMS))
def q() -> Response:
    """The windows of a text, which of them hit, and their chains."""
    asked = bodies.read(_DOCUMENT)
    if asked.document is None:
        return jsonify({})
    held = _portrait()
    require_within_limits([asked.document])
    report, _ = _report(held, 0, asked.document)
    return jsonify({**report, "segments": None, "width": held.spec.width, "seq_id": asked.seq_id})


@blueprint.post("/overlap")
@operation(Operation("original", OverlapAnswer, request=DocumentRequest, problems=_PROBLEMS))
def overlap() -> Response:
    """Where the chains stand in the text as it was sent."""
    asked = bodies.read(_DOCUMENT)
    if asked.document is None:
        return jsonify("")
    held = _portrait()
    require_within_limits([asked.document])
    report, origins = _report(held, 0, asked.document)
    width = held.spec.width
    spans = [(origins[chain[0]][0], origins[chain[-1] + width - 1][1]) for chain in report["chain_idxs"]]
    return jsonify(
        {
            "spans": spans,
            "segments": ["".join(chain) for chain in report["chains"]],
            "raw_segments": [asked.document[start:end] for start, end in spans],
        }
    )


@blueprint.post("/quip")
@operation(Operation("original", QuipAnswer, request=QuipRequest, problems=_PROBLEMS))
def quip() -> Response:
    """Each text's report with its QUIP score: hits per window."""
    asked = bodies.read(_QUIP)
    held = _portrait()
    require_within_limits(asked.documents)
    charge(len(asked.documents) - 1)
    reports = []
    for idx, text in enumerate(asked.documents):
        report, _ = _report(held, idx, text)
        hits, windows = sum(report["is_member"]), len(report["is_member"])
        report["quip_report"] = {
            "too_short": windows == 0,
            "numerator": hits,
            "denominator": windows,
            "quip_25_beta": hits / windows if windows else None,
        }
        if asked.format_quotes:
            width = held.spec.width
            report["quote_latex"] = _marked(report, width, _latex_opening, lambda _: "}}")
            report["quote_text"] = _marked(report, width, lambda n: "[" * n, lambda n: "]" * n)
        reports.append(report)
    return jsonify(reports)


def _portrait() -> Portrait:
    held = state()
    names = visible()
    wanted = held.settings.compat
    name = wanted if wanted is not None else next(iter(names), None)
    if name is None or name not in names:
        raise UnknownPortraitError("no portrait is configured for this endpoint: use /v1/query")
    found = held.shelf.get(name)
    if found.spec.unit != "char":
        raise MalformedRequestError(f"portrait {name!r} is not one of characters: use /v1/query")
    return found


def _report(held: Portrait, idx: int, text: str) -> tuple[dict[str, Any], list[tuple[int, int]]]:
    """The original's report of a text, and where each character of its ``doc`` comes from."""
    spec = held.spec
    doc, origins = held.normalize(text)
    layers = held.hits(text).values()
    member = [any(hit) for hit in zip(*layers, strict=True)]
    segments = [doc[i : i + spec.width] for i in range(len(member))]
    chains = sorted(_chains(member, spec.stride), key=len, reverse=True)
    longest = max(map(len, chains), default=0)
    expected = (len(doc) - (spec.width - 1)) / spec.width if member else 0
    return {
        "idx": idx,
        "doc": doc,
        "segments": segments,
        "is_member": member,
        "chains": [[segments[i] for i in chain] for chain in chains],
        "chain_idxs": chains,
        "longest_chain": longest,
        "expected_longest": expected,
        "badness": longest / expected if member else 0.0,
        "sketch_signature": f"{held.name} [{spec.width}-{spec.stride}]",
    }, origins


def _chains(member: list[bool], stride: int) -> list[list[int]]:
    """Maximal runs of hits a stride apart; each is given where it begins."""
    found = []
    for first, hit in enumerate(member):
        if hit and not (first >= stride and member[first - stride]):
            last = first
            while last + stride < len(member) and member[last + stride]:
                last += stride
            found.append(list(range(first, last + 1, stride)))
    return found


def _latex_opening(n_chains: int) -> str:
    return f"{{\\sethlcolor{{quoted!{n_chains * 20}}}\\hl{{"


def _marked(
    report: dict[str, Any], width: int, opening: Callable[[int], str], closing: Callable[[int], str]
) -> str:
    """The text with marks around stretches, made of the number of chains that cover each."""
    doc = report["doc"]
    steps = [0] * (len(doc) + 1)
    for chain in report["chain_idxs"]:
        steps[chain[0]] += 1
        steps[chain[-1] + width] -= 1
    covered, depth = [], 0
    for step in steps[:-1]:
        depth += step
        covered.append(depth)
    said, at = [], 0
    for depth, run in groupby(covered):
        end = at + len(list(run))
        said += [opening(depth), doc[at:end], closing(depth)]
        at = end
    return "".join(said)
