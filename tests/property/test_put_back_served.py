"""A backup is put back under a running server while everybody books: whatever was acknowledged is in the safety
backup, and the clinic comes up again by itself on the backup's data."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from config import Config
from cpms import create_app
from cpms.backups import archive, jobs, queries, restore
from cpms.backups.models import BackupKind
from cpms.core.db import db
from cpms.work import jobs as work
from tests.conftest import PASSPHRASE
from tests.drill import reached, times
from tests.make import Make
from tests.pages import Page
from tests.property.conftest import ask_file
from tests.server import Client, Server, run_async, session_cookie

MONDAY = datetime(2042, 3, 3, 8, 0)
WITHIN = 60  # seconds; a small machine that runs the whole suite is slow


@pytest.fixture
def folder(template_db: Path, tmp_path: Path) -> Path:
    shutil.copy(template_db, tmp_path / "clinic.db")
    return tmp_path


@pytest.fixture
def clinic(folder: Path) -> Iterator[Flask]:
    """One patient and one backup of it."""
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(folder)}), TESTING=False)
    Make(app).patient(last_name="Then")
    with app.app_context():
        work.run("backups.manual", jobs.make(BackupKind.MANUAL))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


class Desk:
    """A receptionist who books without a pause until somebody must sign in again."""

    def __init__(self, client: Client, places: dict[str, int], number: int) -> None:
        self.client, self.places, self.number = client, places, number
        self.sent = 0
        self.acknowledged: set[str] = set()
        self.held = 0

    async def book_until_signed_out(self) -> None:
        while True:
            start = MONDAY + timedelta(weeks=self.sent // 16, minutes=30 * (self.sent % 16))
            key = f"booking-{self.number}-{self.sent}"
            answer = await self.client.post(
                "/calendar/events",
                {
                    "kind": "visit",
                    "title": key,
                    "booking_key": key,
                    "day": f"{start:%Y-%m-%d}",
                    "start_time": f"{start:%H:%M}",
                    "minutes": 30,
                    **self.places,
                },
            )
            if answer.status == 401:
                return
            assert answer.status in {200, 503}, answer
            if answer.status == 200:
                self.sent += 1
                self.acknowledged.add(key)
            else:
                assert "A backup is being put back" in answer.body
                self.held += 1


async def seen(olga: Client, url: str, words: str) -> str:
    """Ask until the page says so."""
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                answer = await olga.get(url, target="")
            except (OSError, EOFError):  # the process that this connection belonged to has ended
                await olga.close()
                continue
            if words in answer.body:
                return answer.body


async def put_back(olga: Client, backup_id: str) -> None:
    chosen = await olga.post("/backups/restore/choose", {"backup": backup_id}, target="")
    assert chosen.status == 200, chosen
    page = await seen(olga, "/backups/restore", "Put the clinic back to this backup")
    shown = Page(page).value("backup")
    begun = await olga.post(
        "/backups/restore/begin",
        {"backup": shown, "clinic_name": "Test Dental", "own_password": PASSPHRASE},
        target="",
    )
    assert begun.headers.get("hx-redirect") == "/backups/restore", begun
    await seen(olga, "/backups/restore/state", "The backup is put back")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2] * times(1, 5))
def test_a_backup_is_put_back_while_everybody_books(folder: Path, clinic: Flask, workers: int) -> None:
    make = Make(clinic)
    with clinic.app_context():
        newest = queries.last_good()
        assert newest is not None
        backup_id = newest.id
    places = [
        {"chair_id": make.chair(chair).id, "provider_id": make.user(provider).id}
        for chair, provider in (("Chair 1", "ada"), ("Chair 2", "hugo"))
    ]
    server = Server(folder, CPMS_WORKERS=workers)
    desks = [
        Desk(Client(clinic, server, session_cookie(clinic, "rita")), place, number)
        for number, place in enumerate(places)
    ]
    olga = Client(clinic, server, session_cookie(clinic, "olga"))
    with clinic.app_context():
        db.session.remove()
        db.engine.dispose()  # from here on the file is the server's alone

    async def everybody() -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(desk_until_the_end(desk)) for desk in desks]
            await put_back(olga, backup_id)
            for task in tasks:
                await task
        for client in (olga, *(desk.client for desk in desks)):
            await client.close()

    async def desk_until_the_end(desk: Desk) -> None:
        while True:
            try:
                return await desk.book_until_signed_out()
            except (OSError, EOFError):  # its process has ended; the next one answers
                await desk.client.close()

    with server:
        run_async(everybody())
        acknowledged = set().union(*(desk.acknowledged for desk in desks))
        assert acknowledged
        assert ask_file(folder / "clinic.db", "SELECT last_name FROM patient") == [("Then",)]
        assert ask_file(folder / "clinic.db", "SELECT id FROM event") == []
        [safety] = (folder / "backups").glob("*before_restore*")
        content = archive.opened(safety, None)
        archive.unpack_database(safety, content, None, folder / "safety.db")
        kept = {key for (key,) in ask_file(folder / "safety.db", "SELECT booking_key FROM event")}
        assert kept >= acknowledged
        assert restore.under_way(folder) is None
    told = f"with {workers} processes: {len(acknowledged)} acknowledged bookings, 0 missing in the safety backup"
    reached("A restore loses nothing", 1, told)
