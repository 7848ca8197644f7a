"""Backups while everybody books: every one restores, holds whole bookings only, and no booking fails for it."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from config import Config
from cpms import create_app
from cpms.backups import archive, jobs, queries
from cpms.backups.models import BackupKind
from cpms.core.db import db, reading
from tests.drill import reached, times
from tests.make import Make
from tests.server import Client, Server, run_async, session_cookie

BACKUPS = times(20, 100)
DESKS = 6
MONDAY = datetime(2043, 3, 2, 8, 0)


@pytest.fixture
def busy_app(template_db: Path, tmp_path: Path) -> Iterator[Flask]:
    shutil.copy(template_db, tmp_path / "clinic.db")
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(tmp_path)}), TESTING=False)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


class Desks:
    """Receptionists who book without a pause until they are told to stop; what they were told is counted."""

    def __init__(self, app: Flask, server: Server, places: dict[str, int]) -> None:
        self.clients = [Client(app, server, session_cookie(app, "rita")) for _ in range(DESKS)]
        self.places, self.sent, self.booked, self.enough = places, 0, 0, False
        self.refused: list[Any] = []

    async def desk(self, client: Client) -> None:
        while not self.enough:
            self.sent += 1
            start = MONDAY + timedelta(weeks=self.sent // 16, minutes=30 * (self.sent % 16))
            form = {"kind": "visit", "title": "x", "day": f"{start:%Y-%m-%d}", "start_time": f"{start:%H:%M}"}
            answer = await client.post("/calendar/events", form | {"minutes": 30} | self.places)
            if answer.status == 200:
                self.booked += 1
            else:
                self.refused.append(answer)
        await client.close()

    async def while_backing_up(self, app: Flask) -> list[int]:
        work = asyncio.gather(*(self.desk(each) for each in self.clients))
        counts = []
        for number in range(BACKUPS):
            counts.append(await asyncio.to_thread(back_up, app, number))
        self.enough = True
        await work
        return counts


def back_up(app: Flask, number: int) -> int:
    """Write and prove one; how many bookings it holds."""
    with app.app_context():
        name = f"cpms-{number}.tar"
        content = jobs.write(BackupKind.MANUAL, backup_id=str(number), name=name, progress=jobs._silent)
        db.session.remove()
        return content.manifest.counts["event"]


@pytest.mark.slow
def test_twenty_backups_under_full_load_all_restore(busy_app: Flask, tmp_path: Path) -> None:
    make = Make(busy_app)
    places = {"chair_id": make.chair("Chair 1").id, "provider_id": make.user("ada").id}
    with Server(tmp_path) as server:
        desks = Desks(busy_app, server, places)
        counts = run_async(desks.while_backing_up(busy_app))
    assert desks.refused == []
    assert counts == sorted(counts), "a later backup holds no less"
    assert counts[-1] > counts[0], "there was a load"
    with busy_app.app_context():
        for number in range(BACKUPS):
            path = queries.folder() / f"cpms-{number}.tar"
            out = tmp_path / "restored.db"
            archive.unpack_database(path, archive.opened(path, None), None, out)
            with reading(out) as ask:
                halves = ask(
                    "SELECT event.id FROM event LEFT JOIN audit_change ON table_name = 'event' AND row_id = event.id "
                    "WHERE audit_change.id IS NULL"
                )
            assert halves == [], f"backup {number} holds a booking without its trace"
            out.unlink()
    reached("Backups are real", BACKUPS, f"meanwhile {desks.booked:,} bookings, 0 refused")
