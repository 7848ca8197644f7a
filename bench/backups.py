"""Goals 16 and 17: backups and restores against copying and summing the same bytes, and what the desks feel of them."""

import random
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from http.client import HTTPConnection
from statistics import median, quantiles
from urllib.parse import urlencode

from flask import Flask

from bench import limit
from bench.data import Clinic
from bench.desk import cookie, csrf_token
from bench.run import Run
from bench.served import Client, Server, moving, serving, visits_to_move
from bench.table import Line, ratio
from config import Config
from cpms import create_app
from cpms.backups import jobs, restore
from cpms.backups.models import BackupKind
from cpms.core.db import db
from cpms.work import queries as works
from cpms.work.models import State

PICTURE = 3_000_000  # bytes
GB = 1_000_000_000
WRITERS = 4
LONGEST = 300  # seconds that a backup may take
OWNER = "olga"


def figures(run: Run) -> list[Line]:
    """The clinic's database and pictures that nothing can compress, as those of a sensor hardly can be."""
    clinic = run.fresh("backups")
    _add_pictures(clinic, 20 if run.quick else 100)
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(clinic.folder)}))
    files = [clinic.file, *sorted((clinic.folder / "media").rglob("*.*"))]
    size = sum(file.stat().st_size for file in files)
    spare = run.folder / "spare"
    name = "cpms-bench.tar"

    def bare() -> None:
        limit.copy_and_sum(files, spare / "bare")

    def back_up() -> None:
        with app.app_context():
            jobs.write(BackupKind.MANUAL, backup_id="bench", name=name, progress=_silent)
            db.session.remove()

    def first_backup() -> None:
        shutil.rmtree(clinic.folder / "backups", ignore_errors=True)
        back_up()

    def put_back() -> None:
        here, file = spare / "elsewhere", clinic.folder / "backups" / name
        with app.app_context():
            content = restore.stage(file, None, instance=here, store=file.parent / "media", progress=_silent)
            restore.begin(here, content, file_name=name)
            journal = restore.change_over(here)
            assert journal is not None
            restore.finish(here, journal)

    times: dict[str, list[float]] = {"limit": [], "first": [], "next": [], "restore": []}
    with app.app_context():
        db.session.connection().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.session.remove()
    for number in range(0 if run.quick else -1, 1 if run.quick else 4):
        for what, act in (("limit", bare), ("first", first_backup), ("next", back_up), ("restore", put_back)):
            shutil.rmtree(spare, ignore_errors=True)
            spare.mkdir()
            spent = _milliseconds(act)
            if number >= 0:
                times[what].append(spent)
    shutil.rmtree(spare)
    with app.app_context():
        db.engine.dispose()
    database = clinic.file.stat().st_size / 1e6
    about = f"{database:.0f} MB of database and {size / 1e6 - database:.0f} MB of pictures"

    def per_gb(what: str) -> str:
        ours, theirs = (median(times[each]) / 1000 / (size / GB) for each in (what, "limit"))
        return f"{ours:.1f} s per GB against {theirs:.1f} s per GB"

    lines = [
        ratio("16", "first backup, written and proven / copy + SHA-256", times["first"], times["limit"]),
        ratio("16", "next backup, pictures stored / copy + SHA-256", times["next"], times["limit"]),
        ratio("16", "restore, checked and in place / copy + SHA-256", times["restore"], times["limit"]),
    ]
    for line, what in zip(lines, ("first", "next", "restore"), strict=True):
        line.note = per_gb(what)
    lines[0].note += f"; {about}"
    return [*lines, *_beside_the_desks(run, clinic, app)]


def _silent(_words: str, _done: int, _total: int) -> None:
    """Nobody watches."""


def _milliseconds(act: Callable[[], None]) -> float:
    """Wall time: most of it is the disk's."""
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def _add_pictures(clinic: Clinic, number: int) -> None:
    for seed in range(number):
        content = random.Random(seed).randbytes(PICTURE)
        name = sha256(content).hexdigest()
        folder = clinic.folder / "media" / name[:2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").write_bytes(content)


def _beside_the_desks(run: Run, clinic: Clinic, app: Flask) -> list[Line]:
    """Tablets move visits, in turns with and without a backup that the owner has begun on the same server."""
    rounds = 1 if run.quick else 3
    visits = iter(visits_to_move(app, 2 * rounds * WRITERS))
    cookies = [cookie(app, name, at=datetime.now(UTC)) for name in ("rita", "ada", "hugo", "rita")]
    owner, token = cookie(app, OWNER, at=datetime.now(UTC)), csrf_token(app)
    quiet: list[Client] = []
    busy: list[Client] = []
    seconds = []
    with serving(clinic) as server:
        for _ in range(rounds):
            for clients, meanwhile in ((quiet, None), (busy, "a backup")):
                now = [
                    Client(server, each, moving(*next(visits), token), time.monotonic() + LONGEST) for each in cookies
                ]
                for each in now:
                    each.start()
                start = time.monotonic()
                if meanwhile:
                    _have_a_backup_made(server, app, owner)
                    seconds.append(time.monotonic() - start)
                else:
                    time.sleep(3 if run.quick else 10)
                for each in now:
                    each.until = 0
                for each in now:
                    each.join()
                clients += now
        memory = server.memory()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    without, beside = (_times(each) for each in (quiet, busy))
    errors = [error for client in (*quiet, *busy) for error in client.errors]
    return [
        Line("17", "errors of the desks while a backup runs", len(errors), "", 0, note="; ".join(errors[:3])),
        Line(
            "17",
            "p99 of the desks while a backup runs / without one",
            p99(beside) / p99(without),
            goal=5,
            ours=beside,
            limit=without,
            note=f"p99 {p99(beside):.0f} ms against {p99(without):.0f} ms; {len(beside)} moves in "
            f"{sum(seconds):.0f} s of {rounds} backups",
        ),
        Line("17", "memory of the server's processes after it", memory, "MB"),
    ]


def p99(times: list[float]) -> float:
    return quantiles(times, n=100)[-1]


def _times(clients: list[Client]) -> list[float]:
    return [each for client in clients for each in client.times]


def _have_a_backup_made(server: Server, app: Flask, owner: str) -> None:
    """As the owner does, and wait until it is proven."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Cookie": owner, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/backups/make", urlencode({"csrf_token": csrf_token(app)}), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 303, answer.status
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        with app.app_context():
            row = works.last("backups.manual")
            db.session.remove()
        if row is not None and row.state is not State.RUNNING:
            assert row.state is State.DONE, row.message
            return
        time.sleep(0.1)
    raise RuntimeError("the backup took too long")
