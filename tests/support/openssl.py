"""The ``openssl`` command, an implementation of signatures that is not ours."""

from __future__ import annotations

import shutil

import pytest

#: The mark of tests that run it.
needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the openssl command is not installed"
)
