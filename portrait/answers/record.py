"""An answer as one flat record: a line of JSON, or a row of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portrait.answers.answer import Answer

#: The fields of the answer itself, each with its type as Arrow and ``datasets`` name it.
ANSWER_FIELDS = {
    "verdict": "string",
    "evalue": "float64",
    "detectable_length": "int64",
    "coverage": "float64",
    "longest_match": "int64",
    "exact_document": "bool",
}
#: The fields that sum up its layers.
LAYER_FIELDS = {"hit_rate": "float64"}
FIELDS = {**ANSWER_FIELDS, **LAYER_FIELDS}
#: The name of the field that lists sources, strings.
SOURCES = "sources"
#: The name of the field that lists matches, and the fields of each.
MATCHES = "matches"
MATCH_FIELDS = {
    "portrait": "string",
    "source": "string",
    "start": "int64",
    "end": "int64",
    "windows": "int64",
    "evalue": "float64",
}
#: The name of the field that lists what each portrait says, if several are asked, and the fields of each.
PORTRAITS = "portraits"
PORTRAIT_FIELDS = {
    "portrait": "string",
    "verdict": "string",
    "detectable_length": "int64",
    "counting": "string",
}


def to_record(answer: Answer, *, matches: bool, qualified: bool) -> dict[str, Any]:
    """Return an answer as one flat record.

    Args:
        answer: The answer.
        matches: Whether to list the matches.
        qualified: Whether the question goes to several portraits. Then ``sources`` puts the portraits' names
            before the sources' (``books:main``), and ``portraits`` lists what each portrait says.

    Returns:
        The record, by the names of :data:`FIELDS`, ``sources``, and ``portraits`` and ``matches`` if wanted.
        ``hit_rate`` is the highest of all layers, ``sources`` are the sources with a match.
    """
    record: dict[str, Any] = {name: getattr(answer, name) for name in ANSWER_FIELDS}
    record["hit_rate"] = max(layer.hit_rate for layer in answer.layers)
    record[SOURCES] = [
        f"{layer.portrait}:{layer.source}" if qualified else layer.source
        for layer in answer.layers
        if layer.matches
    ]
    if qualified:
        record[PORTRAITS] = [
            {name: getattr(portrait, name) for name in PORTRAIT_FIELDS} for portrait in answer.portraits
        ]
    if matches:
        record[MATCHES] = [
            {"portrait": layer.portrait, "source": layer.source, **match.to_dict()}
            for layer, match in answer.matches
        ]
    return record
