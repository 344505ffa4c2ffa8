"""The running server when something beside it breaks: its files, or its own main process."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

from portrait_server.access.keys import new_key
from support.live import BREAD, FERRY, NDJSON, Service, build, serving, start, wait_until, workers
from support.permissions import WITHOUT_PRIVILEGE
from support.processes import is_alive

if TYPE_CHECKING:
    from pathlib import Path


def answers(service: Service) -> bool:
    """Return whether the server answers a question to ``bread``."""
    try:
        return bool(service.query(BREAD, portraits=["bread"]).json["answers"][0]["verdict"] == "found")
    except OSError:
        return False


def test_an_unreadable_portrait_is_that_portrait_s_problem(tmp_path: Path) -> None:
    ferry, bread = build(tmp_path / "ferry.portrait", FERRY), build(tmp_path / "bread.portrait", BREAD)
    with serving(tmp_path, ferry, bread, reload_seconds=0.1, before=WITHOUT_PRIVILEGE) as service:
        ferry.chmod(0)
        service.wait_for_log("portrait ferry stays as it was")
        assert f"{ferry}" in service.log
        assert answers(service)
        (worker,) = workers(service)
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: workers(service) not in ([], [worker]) and answers(service))
        assert service.query(FERRY, portraits=["ferry"]).status == 503
        assert service.query(FERRY).status == 503
        # The new worker still follows changes.
        ferry.chmod(0o755)
        wait_until(lambda: service.query(FERRY, portraits=["ferry"]).status == 200)
        metrics = service.ask("GET", "/metrics").body.decode()
        assert 'portrait_portraits{state="current"} 2.0' in metrics


def test_a_killed_server_takes_its_workers_with_it_and_the_next_one_sweeps_up(tmp_path: Path) -> None:
    bread = build(tmp_path / "bread.portrait", BREAD)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    service = start(tmp_path, bread, workers=2, environment={"TMPDIR": str(temporary)})
    try:
        own = workers(service)
        assert len(own) == 2
        assert len(list(temporary.iterdir())) == 1
    finally:
        service.process.kill()
    assert service.process.wait(10) == -signal.SIGKILL
    wait_until(lambda: not any(map(is_alive, own)))
    (left,) = temporary.iterdir()
    with serving(tmp_path, bread, environment={"TMPDIR": str(temporary)}) as another:
        (now,) = temporary.iterdir()
        assert now != left
        assert answers(another)
    assert list(temporary.iterdir()) == []


def test_a_portrait_from_elsewhere_shows_no_other_file(tmp_path: Path) -> None:
    """A card that leads out of the portrait, to a pipe or a device, is neither shown nor waited for."""
    bread, secret = build(tmp_path / "bread.portrait", BREAD), tmp_path / "secret"
    secret.write_text("xyzzy")
    os.mkfifo(tmp_path / "pipe")
    card = bread / "README.md"
    with serving(tmp_path, bread, threads=2) as service:
        for target in (secret, tmp_path / "pipe", "/dev/zero", "/dev/stdin", "/proc/self/environ"):
            card.unlink()
            card.symlink_to(target)
            for _ in range(3):
                reply = service.ask("GET", "/v1/portraits/bread")
                assert (reply.status, reply.json["card"]) == (200, None)
        assert answers(service)
        assert b"xyzzy" not in reply.body


def test_refusals_by_rate_are_counted(tmp_path: Path) -> None:
    bread = build(tmp_path / "bread.portrait", BREAD)
    (alice, entry), (operator, other) = new_key("alice", rate="3/day"), new_key("operator")
    (tmp_path / "keys.toml").write_text(f"{entry.to_line()}\n{other.to_line()}\n")
    line = json.dumps({"text": BREAD}).encode() + b"\n"
    with serving(tmp_path, bread, "--keys", tmp_path / "keys.toml", workers=1) as service:
        headers = {"X-API-Key": alice}
        statuses = [service.ask("POST", "/v1/query", {"text": BREAD}, headers).status for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        metrics = service.ask("GET", "/metrics", headers={"X-API-Key": operator}).body.decode()
        assert "portrait_rate_refusals_total 2.0" in metrics
        assert "portrait_build_info{" in metrics
        service.ask("POST", "/v1/query", line, {**headers, **NDJSON})
        metrics = service.ask("GET", "/metrics", headers={"X-API-Key": operator}).body.decode()
        assert "portrait_rate_refusals_total 3.0" in metrics
