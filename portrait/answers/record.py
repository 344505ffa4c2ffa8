"""What a scan says of one row: the parts of its answer that make a line or a row of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portrait.answers.answer import Answer

#: The fields that are an answer's own, each with its type, as Arrow and ``datasets`` both call it.
OF_ANSWER = {
    "verdict": "string",
    "evalue": "float64",
    "detectable_length": "int64",
    "coverage": "float64",
    "longest_match": "int64",
    "exact_document": "bool",
}
#: Those that sum up its layers.
OF_LAYERS = {"hit_rate": "float64"}
FIELDS = {**OF_ANSWER, **OF_LAYERS}
#: A list of strings, then a list of these: the fields that a row has one of for each match.
SOURCES = "sources"
MATCHES = "matches"
OF_MATCH = {
    "portrait": "string",
    "source": "string",
    "start": "int64",
    "end": "int64",
    "windows": "int64",
    "evalue": "float64",
}


def finding(answer: Answer, *, matches: bool, qualified: bool) -> dict[str, Any]:
    """An answer as one flat record, whose ``hit_rate`` is the highest of its layers'.

    ``sources`` names those with a match, with their portraits' names before them (``books:main``) if
    ``qualified``, as it takes where several portraits are asked. ``matches`` says whether to list the
    spans.
    """
    record: dict[str, Any] = {name: getattr(answer, name) for name in OF_ANSWER}
    record["hit_rate"] = max(layer.hit_rate for layer in answer.layers)
    record[SOURCES] = [
        f"{layer.portrait}:{layer.source}" if qualified else layer.source
        for layer in answer.layers
        if layer.matches
    ]
    if matches:
        record[MATCHES] = [
            {"portrait": layer.portrait, "source": layer.source, **match.to_dict()}
            for layer, match in answer.matches
        ]
    return record
