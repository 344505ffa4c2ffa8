"""The examples of a deployment hold what they promise: pinned, without privileges, and with what is there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from portrait_server.settings import settings_of
from support.places import ROOT

SERVER = ROOT / "server"
DEPLOY = SERVER / "deploy"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
UNIT = (DEPLOY / "portrait.service").read_text(encoding="utf-8")
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}")


def steps() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile with their arguments, continued lines joined."""
    text = (SERVER / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines if line)]


def arguments(instruction: str) -> list[str]:
    """Return the arguments of each step with that instruction."""
    return [rest for name, rest in steps() if name == instruction]


def test_the_image_starts_from_one_pinned_base() -> None:
    (base,) = arguments("ARG")
    assert re.fullmatch(r"BASE=python:3\.\d+\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", base)
    assert [stage.partition(" ")[0] for stage in arguments("FROM")] == ["${BASE}"] * 2


def test_the_image_s_packages_are_pinned_by_hashes() -> None:
    commands = [part.strip() for run in arguments("RUN") for part in run.split("&&")]
    pip = [shlex.split(command) for command in commands if "/pip " in command]
    installs = [words for words in pip if words[1] == "install"]
    assert len(installs) == 3
    for words in installs:
        assert "--require-hashes" in words or {"--no-deps", "--no-index"} <= set(words), words
    (wheel,) = [words for words in pip if words[1] == "wheel"]
    assert {"--no-deps", "--no-build-isolation"} <= set(wheel)
    (extension,) = PROJECT["tool"]["setuptools-rust"]["ext-modules"]
    assert "--locked" in extension["args"]
    # bookworm's Rust is 1.63; that of the packages called -web follows the browsers.
    assert any(
        command.endswith("install --yes --no-install-recommends cargo-web rustc-web") for command in commands
    )


def test_the_image_copies_what_is_there_and_no_more() -> None:
    first, everything, installed = (shlex.split(rest) for rest in arguments("COPY"))
    assert all((ROOT / name).is_file() for name in first[:-1])
    assert everything == [".", "."]
    assert installed[0] == "--from=build"
    lines = (SERVER / "Dockerfile.dockerignore").read_text().splitlines()
    kept = [line[1:] for line in lines if line.startswith("!")]
    assert lines[1] == "*"
    assert all((ROOT / name).exists() for name in kept)
    assert {"pyproject.toml", "README.md", "LICENSE", "portrait", "server", "native"} == set(kept)


def pins(file: Path) -> dict[str, tuple[str, list[str]]]:
    """Return the version and the hashes of each package of a lock file."""
    found: dict[str, tuple[str, list[str]]] = {}
    for entry in file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        requirement, *hashes = re.split(r"\s+--hash=", entry.strip())
        name, _, version = requirement.partition(";")[0].strip().partition("==")
        found[canonicalize_name(name)] = (version, hashes)
    return found


@pytest.mark.parametrize(
    ("file", "requirements"),
    [
        (
            "requirements.txt",
            [
                *PROJECT["project"]["dependencies"],
                *PROJECT["project"]["optional-dependencies"]["server"],
                *PROJECT["project"]["optional-dependencies"]["redis"],
            ],
        ),
        ("build-requirements.txt", PROJECT["build-system"]["requires"]),
    ],
)
def test_every_requirement_has_a_pin_that_satisfies_it(file: str, requirements: list[str]) -> None:
    """If not, `just lock` renews the pins."""
    pinned = pins(SERVER / file)
    for version, hashes in pinned.values():
        assert re.fullmatch(r"[\w.]+", version)
        assert hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes)
    for requirement in map(Requirement, requirements):
        version, _ = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is pinned at {version}"


def compose() -> dict[str, Any]:
    """Return the services of the compose file."""
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return services


def test_containers_have_no_privileges_and_write_nothing() -> None:
    services = compose()
    assert set(services) == {"portrait", "redis"}
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "cap_add" not in service
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert all(volume.endswith(":ro") for volume in service.get("volumes", []))
    assert DIGEST.search(services["redis"]["image"])
    assert all(port.startswith("127.0.0.1:") for port in services["portrait"]["ports"])
    assert (DEPLOY / services["portrait"]["build"]["context"]).resolve() == ROOT
    assert (ROOT / services["portrait"]["build"]["dockerfile"]).is_file()


def test_the_settings_name_what_the_containers_mount() -> None:
    settings = settings_of(tomllib.loads((DEPLOY / "service.toml").read_text()))
    mounted = [volume.split(":")[1] for volume in compose()["portrait"]["volumes"]]
    assert settings.keys is not None
    for path in (*map(Path, settings.portraits), settings.keys):
        # The directory is mounted: a file that is mounted itself would stay the old one when it is replaced.
        assert str(path.parent) in mounted
    assert settings.hosts
    assert settings.trusted_proxies == 1
    assert "redis" in compose()
    assert settings.store is not None
    assert settings.store.startswith("redis://redis:")


def test_the_unit_is_valid_and_nearly_without_exposure(tmp_path: Path) -> None:
    unit = tmp_path / "portrait.service"
    unit.write_text(UNIT.replace("/opt/portrait/bin/portrait", sys.executable))
    for check in (["verify", unit], ["security", "--offline=true", "--no-pager", "--threshold=12", unit]):
        done = subprocess.run(
            ["systemd-analyze", *map(str, check)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Unknown" not in done.stderr


def test_the_unit_hands_over_files_that_only_root_may_read() -> None:
    credentials = re.findall(r"^LoadCredential=([\w.]+):/etc/portrait/\1$", UNIT, flags=re.MULTILINE)
    assert set(credentials) == {"service.toml", "keys.toml"}
    (start,) = re.findall(r"^ExecStart=(.*)$", UNIT, flags=re.MULTILINE)
    assert all(f"${{CREDENTIALS_DIRECTORY}}/{name}" in start for name in credentials)
    assert "ExecReload=/bin/kill -HUP $MAINPID" in UNIT


#: What `.ci/run` does where it finds a Rust that is too old, and Debian's is, too.
STUBS = {
    "cargo": "exit 0",
    "rustc": "echo 'rustc 1.63.0 (4b91a6ea7 2022-08-08)'",
    "apt-get": 'echo "$@" >> "$(dirname "$0")/apt.log"',
}


def test_continuous_integration_says_what_to_install(tmp_path: Path) -> None:
    for name, script in STUBS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["bash", ROOT / ".ci" / "run"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    minimum = tomllib.loads((ROOT / "native" / "Cargo.toml").read_text())["package"]["rust-version"]
    assert done.returncode == 1
    assert f"the kernel needs Rust {minimum} or newer" in done.stderr
    installed = (tmp_path / "apt.log").read_text()
    assert "cargo-web rustc-web rustfmt-web rust-web-clippy" in installed
