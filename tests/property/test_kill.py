"""The plug is pulled while everybody books: what was acknowledged is there after the restart, whole."""

import asyncio
import random
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from config import Config
from cpms import create_app
from cpms.core.db import db
from tests.drill import reached, times
from tests.make import Make
from tests.property.conftest import ask_file
from tests.server import Client, Server, Stem, not_ours, run_async, session_cookie

KILLS = times(100, 1000)
EACH = 20  # of these starts one is as on any morning: a process of its own
DESKS = 8
MONDAY = datetime(2042, 3, 3, 8, 0)


@pytest.fixture
def folder(template_db: Path, tmp_path: Path) -> Path:
    shutil.copy(template_db, tmp_path / "clinic.db")
    return tmp_path


@pytest.fixture
def killed_app(folder: Path) -> Iterator[Flask]:
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(folder)}), TESTING=False)
    yield app
    with app.app_context():
        db.engine.dispose()


class Desks:
    """Eight receptionists who book without a pause until the line is dead."""

    def __init__(self, app: Flask, server: Server, places: dict[str, int]) -> None:
        self.clients = [Client(app, server, session_cookie(app, "rita")) for _ in range(DESKS)]
        self.server, self.places = server, places
        self.sent = 0
        self.acknowledged: set[str] = set()

    async def book_until_killed(self, after: int) -> None:
        """The plug goes at the answer number `after`, in the midst of all other requests."""
        self.enough = len(self.acknowledged) + after
        await asyncio.gather(*(self._desk(each) for each in self.clients))

    async def _desk(self, client: Client) -> None:
        try:
            while self.server.process is not None:
                await self._book(client)
        except (OSError, EOFError):  # the server is gone, perhaps before its answer
            pass
        finally:
            await client.close()

    async def _book(self, client: Client) -> None:
        self.sent += 1
        key = f"booking-{self.sent}"
        start = MONDAY + timedelta(weeks=self.sent // 16, minutes=30 * (self.sent % 16))
        form = {
            "kind": "visit",
            "title": key,
            "booking_key": key,
            "day": f"{start:%Y-%m-%d}",
            "start_time": f"{start:%H:%M}",
            "minutes": 30,
            **self.places,
        }
        answer = await client.post("/calendar/events", form)
        assert answer.status == 200, answer
        self.acknowledged.add(key)
        if len(self.acknowledged) >= self.enough:
            self.server.kill()


@pytest.fixture
def stem() -> Iterator[Stem]:
    """From which servers start quickly: what they find is what matters, not how long they take."""
    quick = Stem(not_ours())
    yield quick
    quick.end()


@pytest.mark.slow
def test_no_acknowledged_booking_is_lost_when_the_plug_is_pulled(folder: Path, killed_app: Flask, stem: Stem) -> None:
    make, dice = Make(killed_app), random.Random(1)
    places = {"chair_id": make.chair("Chair 1").id, "provider_id": make.user("ada").id}
    file = folder / "clinic.db"
    server = Server(folder)
    desks = Desks(killed_app, server, places)
    with killed_app.app_context():
        db.engine.dispose()  # from here on the file is the server's alone: it finds what the kill left

    for kill in range(KILLS):
        server.stem = None if kill % EACH == 0 else stem
        with server:
            run_async(desks.book_until_killed(after=dice.randrange(1, 12)))
            assert server.process is None, f"kill {kill}: the desks stopped for another reason"

    with Server(folder):
        assert found(file) >= desks.acknowledged
        assert whole(file) == []
    assert ask_file(file, "PRAGMA integrity_check") == [("ok",)]
    assert ask_file(file, "PRAGMA foreign_key_check") == []
    reached("A crash loses nothing", KILLS, f"{len(desks.acknowledged):,} acknowledged bookings, 0 lost")


def found(file: Path) -> set[str]:
    return {key for (key,) in ask_file(file, "SELECT booking_key FROM event WHERE booking_key IS NOT NULL")}


def whole(file: Path) -> list[Any]:
    """Bookings with no trace, traces with no booking: halves of a transaction."""
    return ask_file(
        file,
        """
        SELECT event.id FROM event LEFT JOIN audit_change ON table_name = 'event' AND row_id = event.id
        LEFT JOIN audit_entry ON audit_entry.id = entry_id
        GROUP BY event.id HAVING count(DISTINCT audit_entry.id) <> 1
        UNION ALL SELECT row_id FROM audit_change LEFT JOIN event ON event.id = row_id
        WHERE table_name = 'event' AND event.id IS NULL
        UNION ALL SELECT audit_entry.id FROM audit_entry LEFT JOIN audit_change ON entry_id = audit_entry.id
        WHERE action = 'event.create' AND audit_change.id IS NULL
        """,
    )
