"""The OpenAPI document, made of the routes, what their views say of themselves, and the models."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, current_app
from pydantic.json_schema import models_json_schema

import portrait

from . import bulk
from .models import Problem
from .operations import Operation, described, operation
from .problems import MEDIA_TYPE as PROBLEM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel
    from werkzeug.routing import Rule

JSON = "application/json"
_REF = "#/components/schemas/{model}"

blueprint = Blueprint("openapi", __name__)


@blueprint.get("/openapi.json")
@operation(Operation("operations", public=True))
def openapi() -> dict[str, Any]:
    """This interface, as an OpenAPI 3.1 document."""
    return document()


def document() -> dict[str, Any]:
    """The document of the application that answers this request."""
    return _document(current_app._get_current_object())  # type: ignore[attr-defined]


@cache
def _document(app: Flask) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    models: set[type[BaseModel]] = {Problem}
    for rule, described_as in _routes(app):
        models.update(_models(described_as))
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(path, {})[method.lower()] = _operation(app, rule, method, described_as)
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
    for rule in app.url_map.iter_rules():
        described_as = described(app.view_functions[rule.endpoint])
        if described_as is not None:
            yield rule, described_as


def _models(described_as: Operation) -> Iterator[type[BaseModel]]:
    for model in (described_as.answer, described_as.request, *(described_as.lines or ())):
        if model is not None:
            yield model


def _operation(app: Flask, rule: Rule, method: str, described_as: Operation) -> dict[str, Any]:
    said = " ".join((app.view_functions[rule.endpoint].__doc__ or "").split())
    summary, _, description = said.partition(". ")
    found: dict[str, Any] = {
        "operationId": f"{rule.endpoint.rpartition('.')[2]}{'' if method != 'GET' else '_get'}",
        "summary": summary.rstrip("."),
        "tags": [described_as.tag],
        "responses": _responses(described_as),
    }
    if description:
        found["description"] = description
    if rule.arguments:
        found["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in sorted(rule.arguments)
        ]
    if described_as.request is not None:
        found["requestBody"] = {"required": True, "content": _content(described_as.request, described_as, 0)}
    if not described_as.public:
        found["security"] = [{}, {"key": []}]
    return found


def _content(model: type[BaseModel], described_as: Operation, side: int) -> dict[str, Any]:
    content: dict[str, Any] = {JSON: {"schema": _ref(model)}}
    if described_as.lines is not None:
        # OpenAPI 3.1 has no words for a sequence of lines: a string, and what a line of it is.
        line = described_as.lines[side]
        content[bulk.MEDIA_TYPE] = {
            "schema": {"type": "string", "description": f"A line each: {line.__name__}, as JSON."},
            "x-line-schema": _ref(line),
        }
    return content


def _responses(described_as: Operation) -> dict[str, Any]:
    if described_as.answer is not None:
        content = _content(described_as.answer, described_as, 1)
    else:
        kind = {"type": "object"} if described_as.media_type == JSON else {"type": "string"}
        content = {described_as.media_type: {"schema": kind}}
    found: dict[str, Any] = {"200": {"description": "The answer.", "content": content}}
    problems = {*described_as.problems, 400, 500}
    if not described_as.public:
        problems |= {401, 429, 503}
    for status in sorted(problems):
        found[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM: {"schema": _ref(Problem)}},
        }
        if status in (429, 503):
            seconds = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
            found[str(status)]["headers"] = {"Retry-After": seconds}
    return found


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}
