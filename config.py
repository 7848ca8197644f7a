"""How this installation runs: the CPMS_* variables, read and checked at once.

What a clinic wishes is not here but in its settings.
`python config.py` prints the table of them all; docs/operating.md shows it.
"""

import difflib
import ipaddress
import logging
import os
import re
import secrets
import socket
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent

KEY_BYTES = 48
SHORTEST_KEY = 32
# Nobody types this much; a view that takes files has a limit of its own.
LARGEST_REQUEST = 1024 * 1024


class Variable(NamedTuple):
    default: str
    meaning: str


VARIABLES = {
    "CPMS_HOST": Variable(
        "127.0.0.1",
        "Address to listen on: this machine only, unless changed. `0.0.0.0` is every network it is in.",
    ),
    "CPMS_PORT": Variable("5000", "Port to listen on."),
    "CPMS_INSTANCE": Variable(
        "instance",
        "Folder of all that is written: database, secret key, backups. A relative one lies in the program's.",
    ),
    "CPMS_DATABASE_URL": Variable("", "Where the database is. Empty: `clinic.db` in the folder above."),
    "CPMS_WORKERS": Variable("1", "Server processes, 1 to 16. One is right for a clinic."),
    "CPMS_JOBS": Variable(
        "1", "0: this server runs no nightly jobs, such as backups; another one over the same data does."
    ),
    "CPMS_THREADS": Variable("8", "Requests that one process answers at the same time, 1 to 64."),
    "CPMS_TRUSTED_HOSTS": Variable(
        "",
        "Names that browsers may use for this server, with commas, such as `dental.example`. "
        "This machine's own name and the addresses of local networks are always let in.",
    ),
    "CPMS_TLS_CERT": Variable("", "File with the certificate chain (PEM). With the key it switches https on."),
    "CPMS_TLS_KEY": Variable("", "File with the certificate's private key (PEM)."),
    "CPMS_BEHIND_PROXY": Variable(
        "0",
        "`1` if a web server on this machine takes https and passes it on: it is then believed.",
    ),
    "CPMS_PLAIN_HTTP": Variable(
        "0",
        "`1` lets other machines in without https, for trials: passwords and records can be read on the way.",
    ),
    "CPMS_LOG_LEVEL": Variable("info", "How much is logged: `debug`, `info`, `warning` or `error`."),
    "CPMS_LOG_JSON": Variable("0", "`1` writes each log line as JSON."),
}


class BadSetting(Exception):
    """A variable that cannot be used, in one sentence that names it."""


class OneLine(logging.Formatter):
    """What a request brought cannot look like a log line of its own: a traceback is indented."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\n", "\n    ")

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")


_SECRET_PATH = re.compile(r"^(/feeds/|/setup/)[^/]{20,}")


class NoQuery(logging.Filter):
    """The server names an address when something breaks; what follows its `?` may be a patient's name, and some
    addresses are secrets themselves."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                _SECRET_PATH.sub(r"\1…", part.partition("?")[0])
                if isinstance(part, str) and part.startswith("/")
                else part
                for part in record.args
            )
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    host: str
    port: int
    instance: Path
    database_url: str = field(repr=False)  # may hold a password
    workers: int
    threads: int
    trusted_hosts: frozenset[str]
    tls_cert: Path | None
    tls_key: Path | None
    behind_proxy: bool
    log_level: str
    log_json: bool
    jobs: bool
    secret_key: bytes = field(repr=False)
    audit_key: bytes = field(repr=False)
    old_secret_keys: tuple[bytes, ...] = field(default=(), repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The checked settings. A bad one ends the program: no part of it can run without them."""
        try:
            return cls._read(Reader(environ))
        except BadSetting as problem:
            print(f"Cannot start: {problem}", file=sys.stderr)  # noqa: T201 - nothing is logged yet
            raise SystemExit(2) from None

    @classmethod
    def _read(cls, read: "Reader") -> Self:
        read.check_names()
        host = read.host("CPMS_HOST")
        cert, key = read.file("CPMS_TLS_CERT"), read.file("CPMS_TLS_KEY")
        behind_proxy = read.flag("CPMS_BEHIND_PROXY")
        plain_http = read.flag("CPMS_PLAIN_HTTP")
        if (cert is None) != (key is None):
            raise BadSetting("CPMS_TLS_CERT and CPMS_TLS_KEY belong together: set both or neither.")
        if key and key.stat().st_mode & stat.S_IRWXO:
            raise BadSetting(f"CPMS_TLS_KEY: everybody on this machine can read {key}; run: chmod o= {key}")
        if behind_proxy and not is_loopback(host):
            raise BadSetting(
                f"CPMS_BEHIND_PROXY needs CPMS_HOST=127.0.0.1, not {host}: anybody could pose as the proxy."
            )
        if not (is_loopback(host) or cert or plain_http):
            raise BadSetting(
                f"CPMS_HOST={host} lets other machines in, which needs https: set CPMS_TLS_CERT and "
                "CPMS_TLS_KEY (docs/operating.md shows how), or CPMS_PLAIN_HTTP=1 for a trial."
            )
        if read.flag("FLASK_DEBUG") and not is_loopback(host):
            raise BadSetting(f"FLASK_DEBUG shows the program's inside and cannot be used with CPMS_HOST={host}.")
        settings: dict[str, Any] = {
            "port": read.number("CPMS_PORT", 1, 65535),
            "jobs": read.flag("CPMS_JOBS"),
            "workers": read.number("CPMS_WORKERS", 1, 16),
            "threads": read.number("CPMS_THREADS", 1, 64),
            "trusted_hosts": own_names(host) | read.names("CPMS_TRUSTED_HOSTS"),
            "log_level": read.choice("CPMS_LOG_LEVEL", ("debug", "info", "warning", "error")),
            "log_json": read.flag("CPMS_LOG_JSON"),
        }
        database_url = read.url("CPMS_DATABASE_URL")
        # Last, because these two write: a start that is refused leaves nothing behind.
        instance = read.folder("CPMS_INSTANCE")
        return cls(
            host=host,
            instance=instance,
            database_url=database_url or f"sqlite:///{instance / 'clinic.db'}",
            tls_cert=cert,
            tls_key=key,
            behind_proxy=behind_proxy,
            secret_key=secret_key(instance / "secret.key"),
            # Of its own: changing the other one must not break the seals of the trail.
            audit_key=secret_key(instance / "audit.key"),
            old_secret_keys=old_keys(instance / "secret.key.old"),
            **settings,
        )

    @property
    def is_https(self) -> bool:
        """Whether browsers speak https, to us or to the proxy before us."""
        return self.tls_cert is not None or self.behind_proxy

    @property
    def bind(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def address(self) -> str:
        """What to type into a browser; behind a proxy only the proxy knows better."""
        host = self.host
        if host in {"0.0.0.0", "::"}:  # noqa: S104 - a certificate is for the name that tablets use
            host = mdns_name() if self.tls_cert else "127.0.0.1"
        elif host == "::1":
            host = "localhost"
        elif ":" in host:
            host = f"[{host}]"
        return f"{'https' if self.tls_cert else 'http'}://{host}:{self.port}"

    def flask(self) -> dict[str, Any]:
        """The application's settings."""
        return {
            "CPMS_ADDRESS": self.address,
            "CPMS_AUDIT_KEY": self.audit_key,
            "CPMS_BEHIND_PROXY": self.behind_proxy,
            "CPMS_INSTANCE": str(self.instance),
            "CPMS_JOBS": self.jobs,
            "CPMS_TRUSTED_HOSTS": self.trusted_hosts,
            "MAX_CONTENT_LENGTH": LARGEST_REQUEST,
            "MAX_FORM_MEMORY_SIZE": LARGEST_REQUEST,
            "PREFERRED_URL_SCHEME": "https" if self.is_https else "http",
            "SECRET_KEY": self.secret_key,
            "SECRET_KEY_FALLBACKS": list(self.old_secret_keys),
            "SESSION_COOKIE_HTTPONLY": True,
            # Browsers take a __Host- cookie only if it is Secure, for this host alone and for "/".
            "SESSION_COOKIE_NAME": "__Host-sid" if self.is_https else "sid",
            "SESSION_COOKIE_PATH": "/",
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_SECURE": self.is_https,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            # This wants a Referer, which our pages do not send: Origin and Sec-Fetch-Site are checked.
            "WTF_CSRF_SSL_STRICT": False,
            # A token lives as long as its session: a tablet may lie open over lunch.
            "WTF_CSRF_TIME_LIMIT": None,
        }

    def logging(self) -> dict[str, Any]:
        """For `logging.config.dictConfig`: one stream, which systemd keeps, dates and rotates."""
        level = self.log_level.upper()
        quiet = "WARNING" if level == "INFO" else level
        line = {"()": OneLine, "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
        json = {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(process)d %(message)s",
        }
        return {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": json if self.log_json else line},
            "filters": {"no-query": {"()": NoQuery}},
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no-query"]},
            },
            "root": {"level": level, "handlers": ["stderr"]},
            "loggers": {
                "gunicorn.error": {"level": level, "handlers": [], "propagate": True},
                # Each run of each job, each look at the schema: news for nobody.
                **{name: {"level": quiet} for name in ("alembic", "apscheduler")},
            },
        }


class Reader:
    """Turns the text of one variable into a value, or says in a sentence why not."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def check_names(self) -> None:
        """A misspelt name would be ignored, and the clinic would run in a way nobody chose."""
        for name in sorted(self.environ):
            if name.startswith("CPMS_") and name not in VARIABLES:
                meant = difflib.get_close_matches(name, VARIABLES, n=1, cutoff=0.85)
                if meant:
                    raise BadSetting(f"{name} is not a setting; perhaps {meant[0]} is meant?")

    def text(self, name: str) -> str:
        default = VARIABLES[name].default if name in VARIABLES else ""
        return self.environ.get(name, "").strip() or default

    def number(self, name: str, lowest: int, highest: int) -> int:
        text = self.text(name)
        if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            raise BadSetting(f"{name} must be a whole number from {lowest} to {highest}, not {text!r}.")
        return int(text)

    def flag(self, name: str) -> bool:
        text = self.text(name).lower()
        if text in {"1", "true", "yes", "on"}:
            return True
        if text in {"", "0", "false", "no", "off"}:
            return False
        raise BadSetting(f"{name} must be 1 or 0, not {text!r}.")

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        text = self.text(name).lower()
        if text not in choices:
            raise BadSetting(f"{name} must be one of {', '.join(choices)}, not {text!r}.")
        return text

    def host(self, name: str) -> str:
        text = self.text(name).lower().removeprefix("[").removesuffix("]")
        if not (is_address(text) or is_name(text)):
            raise BadSetting(
                f"{name} must be an address or a host name without a port, such as 127.0.0.1, not {text!r}."
            )
        return text

    def names(self, name: str) -> frozenset[str]:
        names = [part.strip().lower().removeprefix("[").removesuffix("]") for part in self.text(name).split(",")]
        for one in filter(None, names):
            if not (is_address(one) or is_name(one)):
                raise BadSetting(f"{name} must be host names with commas, such as a.example,b.example, not {one!r}.")
        return frozenset(filter(None, names))

    def url(self, name: str) -> str:
        text = self.text(name)
        try:
            is_url = not text or (urlsplit(text).scheme != "" and "://" in text)
        except ValueError:
            is_url = False
        if not is_url:
            # The text is not repeated: it may hold a password.
            raise BadSetting(f"{name} must be the address of a database, such as sqlite:////srv/cpms/clinic.db")
        return text

    def file(self, name: str) -> Path | None:
        text = self.text(name)
        if not text:
            return None
        path = ROOT / Path(text).expanduser()
        try:
            with path.open("rb"):
                return path
        except OSError as problem:
            raise BadSetting(f"{name}: {path} cannot be read ({problem.strerror}).") from None

    def folder(self, name: str) -> Path:
        path = (ROOT / Path(self.text(name)).expanduser()).resolve()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise BadSetting(f"{name}: the folder {path} cannot be made ({problem.strerror}).") from None
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            raise BadSetting(f"{name}: this user may not write in the folder {path}.")
        return path


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_name(text: str) -> bool:
    """A host name in letters; something in digits and dots is an address or a mistake."""
    labels = text.split(".")
    return (
        len(text) <= 253
        and not labels[-1].isdigit()
        and all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?", label) for label in labels)
    )


def is_loopback(host: str) -> bool:
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def mdns_name() -> str:
    """What this machine is called on its network, where no server knows names."""
    return f"{socket.gethostname().lower().partition('.')[0]}.local"


def own_names(host: str) -> frozenset[str]:
    return frozenset({"localhost", host, socket.gethostname().lower(), mdns_name()})


def secret_key(path: Path) -> bytes:
    """The key in the file, made at the first start. Whoever holds it can sign as this server."""
    if not path.exists():
        _make_key(path)
    return _read_key(path)


def old_keys(path: Path) -> tuple[bytes, ...]:
    """The key before a change of keys: what it signed stays good until its file is removed."""
    return (_read_key(path),) if path.exists() else ()


def _make_key(path: Path) -> None:
    """The key appears under its name whole: neither a second process nor a power cut leaves half of one."""
    half = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(half)  # refuses to replace a key that another process has made meanwhile
        except FileExistsError:
            pass
        finally:
            half.unlink()
    except OSError as problem:
        raise BadSetting(f"CPMS_INSTANCE: no key can be made in {path.parent} ({problem.strerror}).") from None


def _read_key(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read()
    except OSError as problem:
        raise BadSetting(f"CPMS_INSTANCE: the key {path} cannot be read ({problem.strerror}).") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadSetting(f"CPMS_INSTANCE: others on this machine can read the key {path}; run: chmod 600 {path}")
    if len(key.strip()) < SHORTEST_KEY or len(set(key)) < 8:
        raise BadSetting(f"CPMS_INSTANCE: the key {path} is too short or too simple; remove it and a good one is made.")
    return key


def table() -> str:
    """The variables as a Markdown table, for docs/operating.md."""
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    rows += [f"| `{name}` | {f'`{v.default}`' if v.default else ''} | {v.meaning} |" for name, v in VARIABLES.items()]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
