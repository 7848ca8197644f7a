"""Two processes, sixteen threads, all writing: what was acknowledged is stored, and nobody hears "locked"."""

import asyncio
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any

from cpms.calendar.models import Event
from cpms.core.db import transaction
from cpms.patients import queries as patients
from tests.drill import reached
from tests.make import Make
from tests.pages import Page
from tests.racers import Racers
from tests.server import Client, Server, at_the_desks, run_async, session_cookie

THREADS = 16
MONDAY = datetime(2041, 3, 4, 8, 0)
STEPS = ("scheduled", "confirmed", "arrived", "in_chair")


def count_one_up(_racer: int, *, patient_id: int) -> str:
    """Read, add one, write: what is read inside the transaction is current. Runs in another process."""
    with transaction("patient.count", actor=None):
        patient = patients.patient(patient_id)
        patient.notes = str(int(patient.notes) + 1)
    return "counted"


def test_nobody_counts_from_an_old_number(two_processes: Racers, clinic: Make, ask: Any) -> None:
    patient = clinic.patient(notes="0")
    outcome = two_processes.run(count_one_up, threads=THREADS, times=30, patient_id=patient.id)
    sys.stdout.write(waiting(outcome.seconds))  # for whoever asks with -rP; a timing fails nothing
    assert outcome.counts == {"counted": THREADS * 30}
    assert ask("SELECT notes, row_version FROM patient WHERE id = ?", patient.id) == [
        (str(THREADS * 30), 1 + THREADS * 30)
    ]
    reached("No lost update", THREADS * 30)


def waiting(seconds: dict[int, list[float]]) -> str:
    """How long a write took, waiting included, and how evenly the threads got their turns."""
    every = [1000 * each for times in seconds.values() for each in times]
    cuts = quantiles(every, n=100)
    totals = [sum(times) for times in seconds.values()]
    words = f"p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms, longest {max(every):.0f} ms"
    return f"{words}; quickest thread / slowest {min(totals) / max(totals):.2f}"


@dataclass
class Book:
    """What the server acknowledged."""

    counted: Counter[int] = field(default_factory=Counter)  # by patient
    seen: dict[int, list[int]] = field(default_factory=dict)  # by entry: the versions that a change was made from
    booked: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)


class Worker:
    """Somebody who does a bit of everything, and tries again when told that somebody else was faster."""

    def __init__(self, client: Client, book: Book, seed: int, tired: list[Client]) -> None:
        self.client, self.book, self.tired = client, book, tired
        self.dice = random.Random(seed)
        self.seed = seed

    async def send(self, method: str, url: str, form: dict[str, Any] | None = None, **how: Any) -> Any:
        answer = await (self.client.get(url, **how) if method == "GET" else self.client.post(url, form or {}, **how))
        self.book.answers[answer.status] += 1
        return answer

    async def count(self, patient_id: int) -> None:
        url = f"/patients/{patient_id}/edit"
        while True:
            page = Page((await self.send("GET", url, target="main#main")).body)
            names = ("seen", "first_name", "last_name", "date_of_birth", "sex", "notes")
            form = {name: page.value(name) for name in names}
            form["notes"] = str(int(form["notes"]) + 1)
            if (await self.send("POST", url, form, target="main#main")).status != 409:
                self.book.counted[patient_id] += 1
                return

    async def change(self, event_id: int, form: dict[str, Any], url: str) -> None:
        """Send with the version that the sheet shows; a newer one is no reason to give up."""
        while True:
            sheet = await self.send("GET", f"/calendar/events/{event_id}/move")
            version = int(Page(sheet.body).value("version"))
            answer = await self.send("POST", url.format(event_id), form | {"version": version})
            if answer.status == 200 and "version=" in answer.body:  # the way back, offered after a change
                self.book.seen.setdefault(event_id, []).append(version)
            if answer.status != 409:
                return

    async def move(self, event: Event) -> None:
        start = event.start + timedelta(minutes=5 * self.dice.randrange(1, 90))  # its own day: nobody is in its way
        form = {
            "day": f"{start:%Y-%m-%d}",
            "start_time": f"{start:%H:%M}",
            "minutes": 30,
            "chair_id": event.chair_id,
            "provider_id": event.provider_id,
        }
        await self.change(event.id, form, "/calendar/events/{}/move")

    async def walk(self, event: Event) -> None:
        told_day = f"{event.start:%Y-%m-%d}"  # asked about: it is not today's
        form = {"status": self.dice.choice(STEPS), "reason": "Was a mistake", "told_day": told_day}
        await self.change(event.id, form, "/calendar/events/{}/status")

    async def book_one(self, number: int, event: Event) -> None:
        start = MONDAY + timedelta(weeks=10 + self.seed, days=number // 16, minutes=30 * (number % 16))
        key = f"worker-{self.seed}-{number}"
        form = {
            "kind": "visit",
            "title": key,
            "booking_key": key,
            "day": f"{start:%Y-%m-%d}",
            "start_time": f"{start:%H:%M}",
            "minutes": 30,
            "chair_id": event.chair_id,
            "provider_id": event.provider_id,
        }
        if (await self.send("POST", "/calendar/events", form)).status == 200:
            self.book.booked.add(key)

    async def wake(self) -> None:
        """A screen that nobody touched for two minutes writes down that somebody is there again."""
        other = self.tired.pop()
        self.book.answers[(await other.get("/patients/find?q=a")).status] += 1
        await other.close()

    async def work(self, times: int, patient_ids: list[int], events: list[Event]) -> None:
        for number in range(times):
            match self.dice.randrange(5):
                case 0:
                    await self.count(self.dice.choice(patient_ids))
                case 1:
                    await self.move(self.dice.choice(events))
                case 2:
                    await self.walk(self.dice.choice(events))
                case 3:
                    await self.book_one(number, events[0])
                case 4:
                    await self.wake()


def test_a_busy_desk_loses_nothing(clinic: Make, server: Server, ask: Any) -> None:
    patient_ids = [clinic.patient(notes="0").id for _ in range(3)]
    events = [clinic.visit(MONDAY + timedelta(days=n)) for n in range(4)]
    times, long_ago = 10, timedelta(minutes=2)
    tired = [
        Client(clinic.app, server, session_cookie(clinic.app, "ada", seen_ago=long_ago))
        for _ in range(THREADS * times // 2)
    ]
    asleep, before = len(tired), datetime.now(UTC)
    book = Book()

    async def day() -> None:
        async with at_the_desks(clinic.app, server, THREADS, people=THREADS) as clients:
            workers = [Worker(client, book, seed, tired) for seed, client in enumerate(clients)]
            await asyncio.gather(*(each.work(times, patient_ids, events) for each in workers))

    run_async(day())

    assert not [status for status in book.answers if status >= 400 and status != 409], book.answers
    for patient_id in patient_ids:
        assert ask("SELECT notes FROM patient WHERE id = ?", patient_id) == [(str(book.counted[patient_id]),)]
    for event in events:
        seen = book.seen.get(event.id, [])
        [(version,)] = ask("SELECT row_version FROM event WHERE id = ?", event.id)
        assert sorted(seen) == list(range(1, version)), "each change is made from the one before, and from it alone"
    assert {key for (key,) in ask("SELECT booking_key FROM event WHERE booking_key LIKE 'worker-%'")} == book.booked
    awake = ask("SELECT count(*) FROM user_session WHERE last_seen_at > ? AND created_at < ?", before, before)
    assert awake == [(asleep - len(tired),)]
    assert "locked" not in server.log.read_text()


def test_a_row_changes_its_version_with_every_acknowledged_change(two_processes: Racers, clinic: Make) -> None:
    """Editors with one picture of a row: the first is stored, the others are told that theirs is old."""
    patient = clinic.patient(notes="0")
    outcome = two_processes.run(edit_from_the_first_picture, threads=THREADS, patient_id=patient.id)
    assert outcome.counts == {"stored": 1, "Stale": THREADS - 1}


def edit_from_the_first_picture(racer: int, *, patient_id: int) -> str:
    with transaction("patient.update", actor=None):
        patient = patients.patient(patient_id)
        patient.expect_version(1)
        patient.notes = f"by {racer}"
    return "stored"
