"""The OpenAPI document, made from the routes, the descriptions of their views, and the models."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, current_app
from pydantic.json_schema import models_json_schema

import portrait

from ..http.bodies import JSON, NDJSON
from ..http.operations import Operation, operation, operation_of
from ..http.problems import MEDIA_TYPE as PROBLEM
from .answers import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel
    from werkzeug.routing import Rule

_REF = "#/components/schemas/{model}"

blueprint = Blueprint("openapi", __name__)


@blueprint.get("/openapi.json")
@operation(Operation("operations", public=True))
def openapi() -> dict[str, Any]:
    """Describe this interface as an OpenAPI 3.1 document."""
    return document()


def document() -> dict[str, Any]:
    """Return the OpenAPI document of the current application."""
    return _document(current_app._get_current_object())  # type: ignore[attr-defined]


@cache
def _document(app: Flask) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    models: set[type[BaseModel]] = {Problem}
    for rule, described in _routes(app):
        models.update(_models(described))
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(path, {})[method.lower()] = _operation(app, rule, method, described)
    _, schemas = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)],
        ref_template=_REF,
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Portrait",
            "version": portrait.__version__,
            "description": "Was this text in the training data, and in which part of it?",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _routes(app: Flask) -> Iterator[tuple[Rule, Operation]]:
    """Yield the routes whose views describe themselves."""
    for rule in app.url_map.iter_rules():
        described = operation_of(app.view_functions[rule.endpoint])
        if described is not None:
            yield rule, described


def _models(described: Operation) -> Iterator[type[BaseModel]]:
    for model in (described.answer, described.request, *(described.lines or ())):
        if model is not None:
            yield model


def _operation(app: Flask, rule: Rule, method: str, described: Operation) -> dict[str, Any]:
    docstring = " ".join((app.view_functions[rule.endpoint].__doc__ or "").split())
    summary, _, description = docstring.partition(". ")
    fields: dict[str, Any] = {
        "operationId": f"{rule.endpoint.rpartition('.')[2]}{'' if method != 'GET' else '_get'}",
        "summary": summary.rstrip("."),
        "tags": [described.tag],
        "responses": _responses(described),
    }
    if description:
        fields["description"] = description
    if rule.arguments:
        fields["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in sorted(rule.arguments)
        ]
    if described.request is not None:
        line = None if described.lines is None else described.lines[0]
        fields["requestBody"] = {"required": True, "content": _content(described.request, line)}
    if not described.public:
        fields["security"] = [{}, {"key": []}]
    return fields


def _content(model: type[BaseModel], line: type[BaseModel] | None) -> dict[str, Any]:
    content: dict[str, Any] = {JSON: {"schema": _ref(model)}}
    if line is not None:
        # OpenAPI 3.1 cannot describe a sequence of lines: this is a string, and the model of its lines.
        content[NDJSON] = {
            "schema": {"type": "string", "description": f"On each line, {line.__name__} as JSON."},
            "x-line-schema": _ref(line),
        }
    return content


def _responses(described: Operation) -> dict[str, Any]:
    if described.answer is not None:
        content = _content(described.answer, None if described.lines is None else described.lines[1])
    else:
        kind = {"type": "object"} if described.media_type == JSON else {"type": "string"}
        content = {described.media_type: {"schema": kind}}
    responses: dict[str, Any] = {"200": {"description": "The answer.", "content": content}}
    problems = {*described.problems, 400, 500}
    if not described.public:
        problems |= {401, 421, 429, 503}
    for status in sorted(problems):
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM: {"schema": _ref(Problem)}},
        }
        if status in (429, 503):
            seconds = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
            responses[str(status)]["headers"] = {"Retry-After": seconds}
    return responses


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}
