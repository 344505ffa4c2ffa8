"""Configuration for gunicorn -c gunicorn.conf.py 'portrait_server.wsgi:from_environment()'.

With gunicorn, a slow client occupies a thread for as long as it likes. Put nginx in front, which reads
bodies first, except NDJSON that is longer than nginx buffers.
"""

import os

from portrait_server.counters import SharedCounters

bind = "127.0.0.1:8000"
workers = 2
worker_class = "gthread"
threads = 8
timeout = 60
graceful_timeout = 30
os.environ.setdefault("PORTRAIT_SERVICE_CONFIG", "/etc/portrait/service.toml")
_counters = SharedCounters()


def on_exit(_server: object) -> None:
    """Remove the counters of the workers."""
    _counters.remove()
