"""``hf portrait``: the hub's command line runs the command as its extension."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from pathlib import Path

import portrait

SCRIPTS = Path(sysconfig.get_path("scripts"))


def test_the_hubs_command_line_runs_portrait_as_an_extension(tmp_path: Path) -> None:
    executable = SCRIPTS / "hf-portrait"
    assert executable.is_file()
    # What `hf extensions install` leaves behind.
    folder = tmp_path / ".local/share/hf/extensions/hf-portrait"
    folder.mkdir(parents=True)
    manifest = {
        "owner": "someone",
        "repo": "hf-portrait",
        "repo_id": "someone/hf-portrait",
        "short_name": "portrait",
        "executable_path": str(executable),
        "type": "python",
        "installed_at": "2026-01-01T00:00:00+00:00",
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    }
    command = [str(SCRIPTS / "hf"), "portrait", "--version"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == f"portrait, version {portrait.__version__}\n", done
    assert done.returncode == 0
