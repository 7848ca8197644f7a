"""How gunicorn serves the application: read by `python -m gunicorn wsgi:app` from the program's folder."""

from pathlib import Path

from config import Config

config = Config.from_env()

bind = config.bind
worker_class = "gthread"
workers = config.workers
threads = config.threads

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
certfile = str(config.tls_cert) if config.tls_cert else None
keyfile = str(config.tls_key) if config.tls_key else None
# X-Forwarded-Proto is believed from nobody, unless a proxy on this machine was announced.
forwarded_allow_ips = "127.0.0.1,::1" if config.behind_proxy else ""

loglevel = config.log_level
logconfig_dict = config.logging()
# No access log: addresses hold what was searched for, which is patients' names. The trail records who saw what.
accesslog = None
# Database, backups and keys are for the server's own user.
umask = 0o077
