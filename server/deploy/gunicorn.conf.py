"""gunicorn -c gunicorn.conf.py 'portrait_server.wsgi:from_environment()'.

With gunicorn a slow client holds a thread for as long as it likes: put nginx before it, which reads
bodies first. NDJSON that is longer than nginx buffers is the exception.
"""

import os
import shutil
import tempfile

bind = "127.0.0.1:8000"
workers = 2
worker_class = "gthread"
threads = 8
timeout = 60
graceful_timeout = 30
os.environ.setdefault("PORTRAIT_SERVICE_CONFIG", "/etc/portrait/service.toml")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="portrait-metrics-")


def on_exit(_server: object) -> None:
    """Nothing is left behind."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
