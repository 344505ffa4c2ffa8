"""``/docs``: the OpenAPI document as a page for people, without scripts or files from other hosts."""

from __future__ import annotations

import base64
import hashlib

from flask import Blueprint, Response, render_template_string

from ..http.operations import Operation, operation
from .openapi import document

blueprint = Blueprint("reference", __name__)

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b1b1b; background: #fff; }
code, pre { font: 14px/1.4 ui-monospace, monospace; }
pre { overflow-x: auto; background: #f2f2f2; padding: .6rem; }
h2 { margin-top: 2.5rem; border-top: 1px solid #ccc; padding-top: .5rem; }
td, th { text-align: left; vertical-align: top; padding: .15rem 1rem .15rem 0; }
@media (prefers-color-scheme: dark) {
  body { color: #e6e6e6; background: #161616; } pre { background: #262626; } a { color: #8ab4ff; } }
"""

_PAGE = """{% macro model(body) %}{% set schema = body["x-line-schema"] or body.schema -%}
{% if "$ref" in schema -%}
{% set name = schema["$ref"].rpartition("/")[2] %}<a href="#{{ name }}">{{ name }}</a>
{%- else %}{{ schema.description or schema.type }}{% endif %}{% endmacro -%}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Portrait: the interface</title>
<style>{{ style|safe }}</style>
</head>
<body>
<h1>Portrait {{ spec.info.version }}: the interface</h1>
<p>{{ spec.info.description }} For programs: <a href="openapi.json">openapi.json</a>. Every error is a
problem document (RFC 9457). Where the server has keys, send one as
<code>Authorization: Bearer KEY</code>.</p>
{% for path, methods in spec.paths.items() %}{% for method, one in methods.items() %}
<h2 id="{{ one.operationId }}"><code>{{ method|upper }} {{ path }}</code></h2>
<p>{{ one.summary }}. {{ one.description or "" }}</p>
<table>
{% if one.requestBody %}{% for type, body in one.requestBody.content.items() %}
<tr><th>takes</th><td><code>{{ type }}</code></td><td>{{ model(body) }}</td></tr>
{% endfor %}{% endif %}
{% for status, answer in one.responses.items() %}{% for type, body in answer.content.items() %}
<tr><th>{{ status }}</th><td><code>{{ type }}</code></td>
<td>{{ model(body) }}
{%- if status != "200" %}: {{ answer.description }}{% endif %}</td></tr>
{% endfor %}{% endfor %}
</table>
{% endfor %}{% endfor %}
<h1>Models</h1>
{% for name, schema in spec.components.schemas.items() %}
<h2 id="{{ name }}">{{ name }}</h2>
<p>{{ schema.description or "" }}</p>
<pre>{{ schema|tojson(indent=2) }}</pre>
{% endfor %}
</body>
</html>
"""

_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; frame-ancestors 'none'; base-uri 'none'"


@blueprint.get("/docs")
@operation(Operation("operations", media_type="text/html", public=True))
def docs() -> Response:
    """Describe this interface for people."""
    page = render_template_string(_PAGE, spec=document(), style=_STYLE)
    return Response(
        page, headers={"Content-Security-Policy": _POLICY}, content_type="text/html; charset=utf-8"
    )
