"""Goals 8, 12 and 13: the shipped server, as a process of its own on a free port of this machine."""

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from flask import Flask

from bench import data
from bench.desk import GRID, SEARCH, cookie, csrf_token
from bench.run import Run
from bench.table import Line, ratio
from config import ROOT, Config
from cpms import create_app
from cpms.auth import queries as auth
from cpms.calendar import queries, services
from cpms.core.db import transaction

CLIENTS = 8
STARTS_WITHIN = 120  # seconds
SLOW = 400  # milliseconds
BASE = "import flask_sqlalchemy, flask_login, flask_wtf, flask_babel"
PEOPLE = ("rita", "ada", "hugo", "deniz", "milan", "sara", "rita", "ada")


class Server:
    """The server over a clinic of its own. It is ended by its process id, and no other is."""

    def __init__(self, clinic: data.Clinic) -> None:
        self.clinic = clinic
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        before = time.perf_counter()
        with (clinic.folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "wsgi:app"],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env=_environment()
                | {
                    "CPMS_INSTANCE": str(clinic.folder),
                    "CPMS_PORT": str(self.port),
                    "CPMS_JOBS": "0",
                },  # no first backup
            )
        self._wait()
        self.started_in = time.perf_counter() - before

    def _wait(self) -> None:
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until and self.process.poll() is None:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.02)
        self.end()
        raise RuntimeError((self.clinic.folder / "server.log").read_text())

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)

    def memory(self) -> float:
        """MB of all its processes; what they share is counted once."""
        return sum(_pss(pid) for pid in _family(self.process.pid)) / 1024


def _environment() -> dict[str, str]:
    """Ours, without what would change the server; compiled files are kept, as in a clinic."""
    ours = ("CPMS_", "FLASK_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


@contextmanager
def serving(clinic: data.Clinic) -> Iterator[Server]:
    server = Server(clinic)
    try:
        yield server
    finally:
        server.end()


class Client(threading.Thread):
    """Somebody at a tablet, who asks and asks; counts what was answered and what went wrong."""

    def __init__(self, server: Server, cookie_header: str, asks: Any, until: float, most: int = 10**9) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.cookie, self.asks, self.until, self.most = cookie_header, asks, until, most
        self.times: list[float] = []
        self.errors: list[str] = []

    def run(self) -> None:
        for method, url, body, headers in self.asks:
            if time.monotonic() > self.until or len(self.times) >= self.most:
                return
            start = time.perf_counter()
            try:
                self.connection.request(method, url, body, headers | {"Cookie": self.cookie, "Accept-Encoding": "gzip"})
                answer = self.connection.getresponse()
                answer.read()
                if answer.status >= 400:
                    self.errors.append(f"{answer.status} {url}")
            except (OSError, http.client.HTTPException) as problem:
                self.errors.append(f"{type(problem).__name__} {url}")
                self.connection.close()
            self.times.append((time.perf_counter() - start) * 1000)


def writers(run: Run) -> list[Line]:
    """Eight tablets move visits at the same time."""
    clinic = run.fresh("writers")
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(clinic.folder)}))
    cookies = [cookie(app, name, at=datetime.now(UTC)) for name in PEOPLE]
    visits = visits_to_move(app, CLIENTS)
    with serving(clinic) as server:
        until = time.monotonic() + (5 if run.quick else 20)
        clients = [
            Client(server, each, moving(*visit, csrf_token(app)), until)
            for each, visit in zip(cookies, visits, strict=True)
        ]
        run_all(clients)
    counts = [len(client.times) for client in clients]
    times = [each for client in clients for each in client.times]
    errors = [each for client in clients for each in client.errors]
    slow = sum(1 for each in times if each > SLOW)
    return [
        Line(
            "8",
            "errors of 8 clients that move visits at the same time",
            len(errors),
            "",
            0,
            note="; ".join(errors[:3]),
        ),
        Line(
            "8",
            "fairness: moves of the slowest client / of the quickest",
            min(counts) / max(counts),
            goal=0.6,
            at_least=True,
            ours=times,
            note=f"{sum(counts)} moves; longest {max(times):.0f} ms, {slow} over {SLOW} ms (wall time)",
        ),
    ]


def visits_to_move(app: Flask, number: int) -> list[tuple[int, datetime]]:
    """Booked now, one for each client: its id and its day."""
    first = datetime(2028, 5, 8)
    with app.app_context(), transaction("bench.book", actor=None):
        chairs, providers = queries.chairs(), auth.providers()
        days = [first + timedelta(days=n // 4) for n in range(number)]
        return [
            (
                services.book(
                    start=day + timedelta(hours=9),
                    end=day + timedelta(hours=9, minutes=30),
                    chair_id=chairs[n % 4].id,
                    provider_id=providers[n % 4].id,
                    patient_id=201 + n,
                ).id,
                day,
            )
            for n, day in enumerate(days)
        ]


def moving(event: int, day: datetime, token: str) -> Iterator[Any]:
    """Drags the visit to and fro; the version follows from the number of moves."""
    headers = GRID | {"Content-Type": "application/x-www-form-urlencoded"}
    version = 0
    while True:
        version += 1
        form = {
            "csrf_token": token,
            "event": event,
            "version": version,
            "start": f"{day:%Y-%m-%d}T{10 + version % 2}:00",
            "minutes": 30,
            "view": "week",
            "day": f"{day:%Y-%m-%d}",
        }
        yield "POST", "/calendar/events/move", urlencode(form), headers


def run_all(clients: list[Client]) -> None:
    for client in clients:
        client.start()
    for client in clients:
        client.join()


def memory(run: Run) -> list[Line]:
    """Idle, and after requests as a busy hour has them: so many, but in a minute."""
    clinic = run.fresh("memory")
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(clinic.folder)}))
    cookies = [cookie(app, name, at=datetime.now(UTC)) for name in PEOPLE]
    each = 60 if run.quick else 500
    with serving(clinic) as server:
        idle = server.memory()
        clients = [Client(server, cookies[n], _mixed(n), time.monotonic() + 600, each) for n in range(CLIENTS)]
        run_all(clients)
        after = server.memory()
    errors = sum(len(client.errors) for client in clients)
    return [
        Line("12", "memory of the server's processes, idle", idle, "MB", 90),
        Line(
            "12",
            "memory of the server's processes, after mixed load",
            after,
            "MB",
            110,
            note=f"{each * CLIENTS} requests of 8 clients instead of an hour: weeks, polls, searches, charts; "
            f"{errors} errors",
        ),
    ]


def _mixed(n: int) -> Iterator[Any]:
    monday = data.AS_OF - timedelta(days=data.AS_OF.weekday())
    names = ("mar", "kaya", "o'b", "yil", "garcia", "schm", "0157", "nov")
    for turn in range(10**6):
        week = monday + timedelta(days=7 * ((turn + n) % 12 - 8))
        yield "GET", f"/calendar/week/{week}", None, GRID
        yield "GET", f"/calendar/week/{week}?rev=1", None, GRID
        yield "GET", "/patients/find?q=" + names[(turn + n) % 8], None, SEARCH
        yield "GET", f"/patients/{1 + (turn * 37 + n * 911) % 20_000}", None, {}
        yield "GET", f"/calendar/day/{week}", None, {}


def starting(run: Run) -> list[Line]:
    """What the imports cost, and how soon the second start answers."""
    rounds = 5 if run.quick else 15
    ours, base = [], []
    for number in range(-1, rounds):
        spent = _import_cpu(BASE), _import_cpu("import cpms")
        if number >= 0:
            base.append(spent[0])
            ours.append(spent[1])
    clinic = run.fresh("starting")
    seconds = []
    for number in range(-1, 2 if run.quick else 5):
        server = Server(clinic)
        server.end()
        if number >= 0:
            seconds.append(server.started_in)
    return [
        ratio("13", "CPU of importing the program / its four Flask extensions", ours, base, 1.3),
        Line(
            "13",
            "second start until the first answer",
            median(seconds),
            "s",
            3,
            note="wall time of a busy machine",
        ),
    ]


def _import_cpu(words: str) -> float:
    process = subprocess.Popen([sys.executable, "-c", words], cwd=ROOT, env=_environment())
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0, words
    return (usage.ru_utime + usage.ru_stime) * 1000
