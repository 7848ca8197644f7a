"""How gunicorn serves the application: read by `python -m gunicorn wsgi:app` from the program's folder."""

import socket
import sys
import threading
from pathlib import Path
from typing import Any

from config import Config

settings = Config.from_env()  # not `config`: gunicorn reads that name as a setting of its own

bind = settings.bind
worker_class = "gthread"
workers = settings.workers
threads = settings.threads

# A tablet asks every few seconds: it keeps its connection, and with https its handshake.
keepalive = 65
# A page takes milliseconds; this is for a process that hangs.
timeout = 60
graceful_timeout = 10
# Workers show that they live by touching a file: in memory, not on the card of a Pi.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes its own name in it
# Its path would be the same for every instance of a user, and nobody uses it.
control_socket_disable = True

# gunicorn asks for both or neither, and speaks TLS 1.2 or newer.
certfile = str(settings.tls_cert) if settings.tls_cert else None
keyfile = str(settings.tls_key) if settings.tls_key else None
# X-Forwarded-Proto is believed from nobody, unless a proxy on this machine was announced.
forwarded_allow_ips = "127.0.0.1,::1" if settings.behind_proxy else ""

loglevel = settings.log_level
logconfig_dict = settings.logging()
# No access log: addresses hold the names that were searched for. The trail records who saw what.
accesslog = None
# Database, backups and keys are for the server's own user.
umask = 0o077

_ready = threading.Event()


def on_starting(_arbiter: Any) -> None:
    """Say in a sentence what gunicorn would try five times and say less clearly."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as problem:
            print(  # noqa: T201 - for the person who just typed the command
                f"Cannot start: {settings.bind} cannot be used ({problem.strerror}). Is a server running "
                "already? CPMS_PORT chooses another port, CPMS_HOST another address.",
                file=sys.stderr,
            )
            raise SystemExit(2) from None


def post_fork(_arbiter: Any, worker: Any) -> None:
    """Show that the worker lives while it starts: bringing a large database up to date may take minutes."""

    def beat() -> None:
        while not _ready.wait(5):
            worker.notify()

    threading.Thread(target=beat, daemon=True).start()


def post_worker_init(worker: Any) -> None:
    """Now there is something to open: say where. The first worker alone, and it has all that is needed loaded."""
    _ready.set()
    if worker.age == 1:
        from cpms import cli  # noqa: PLC0415 - the arbiter, which reads this file, is to stay small

        with worker.wsgi.app_context():
            cli.say_where_to_go()
