"""docs/service.md describes the service as it is, and the deployment examples are valid."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tomllib
from typing import TYPE_CHECKING

from portrait_server import create_app
from portrait_server.settings import Settings, settings_of
from support.live import serving
from support.places import DOCS as DOCS_FOLDER
from support.places import ROOT

import portrait

if TYPE_CHECKING:
    from pathlib import Path

DOCS = (DOCS_FOLDER / "service.md").read_text(encoding="utf-8")
DEPLOY = ROOT / "server" / "deploy"


def test_every_transcript_shows_the_real_output(tmp_path: Path) -> None:
    shutil.copy(ROOT / "LICENSE", tmp_path)
    portrait.build(tmp_path / "LICENSE", tmp_path / "license.portrait")
    shown = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```$", DOCS, flags=re.MULTILINE | re.DOTALL)
    assert len(shown) >= 3
    with serving(tmp_path, tmp_path / "license.portrait") as service:
        for command, expected in shown:
            # Older versions of curl lack `--json`.
            command = command.replace("--json", "-H 'Content-Type: application/json' -d")
            command = command.replace("localhost:8000", f"127.0.0.1:{service.port}")
            done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
            assert done.stdout == expected, command


def test_every_setting_is_documented_with_its_default() -> None:
    for name, field in Settings.model_fields.items():
        default = field.default
        if default is None or default == ():
            shown = ""
        elif isinstance(default, bool):
            shown = str(default).lower()
        else:
            shown = f"{default:g}" if isinstance(default, float) else str(default)
        assert f"| `{name}` | {shown} | {field.description} |" in DOCS


def test_every_endpoint_is_documented() -> None:
    spec = create_app().test_client().get("/openapi.json").get_json()
    for path, methods in spec["paths"].items():
        for method, one in methods.items():
            if method == "get" and one["tags"] == ["original"]:
                continue  # a GET with a body is deliberately undocumented
            assert f"{method.upper()} {path}`" in DOCS


def test_every_status_is_documented() -> None:
    spec = create_app().test_client().get("/openapi.json").get_json()
    statuses = {
        status for path in spec["paths"].values() for one in path.values() for status in one["responses"]
    }
    assert statuses - {"200"} <= set(re.findall(r"^\| (\d{3}) \|", DOCS, flags=re.MULTILINE))


def test_the_deployment_examples_are_well_formed_and_mentioned() -> None:
    values = tomllib.loads((DEPLOY / "service.toml").read_text())
    assert settings_of(values).workers == 2
    ast.parse((DEPLOY / "gunicorn.conf.py").read_text())
    image = (ROOT / "server" / "Dockerfile").read_text()
    for needed in ("AS build", "USER portrait", "HEALTHCHECK", 'ENTRYPOINT ["portrait", "serve"'):
        assert needed in image
    for path in DEPLOY.iterdir():
        assert path.name == "service.toml" or f"](../server/deploy/{path.name})" in DOCS
