"""Seeded random days at the desk: after every step each chair is held once, and the trail tells the rows exactly.

An entry lies over another only if the one that took its place later has a reason.
"""

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from cpms.calendar import queries, rules, services
from cpms.calendar.models import Event, Kind, Status
from cpms.core.db import db, transaction
from cpms.core.errors import DomainError
from tests.make import Make

MORNING = datetime(2026, 9, 2, 8, 0)
STEPS = 250
UNRECORDED = {
    "id",
    "created_at",
    "updated_at",
    "row_version",
}  # these change with each change and tell nothing


class Walk:
    """Somebody at the desk who does anything, sensible or not, and a second pair of eyes on the database."""

    def __init__(self, seed: int, places: dict[str, list[int | None]]) -> None:
        self.dice = random.Random(seed)
        self.places = places
        self.took: dict[int, int] = {}  # by entry: the step at which it took the place that it has
        self.replayed: dict[int, dict[str, Any]] = {}  # by entry: the row as the trail tells it
        self.revision = queries.revision()
        self.done: Counter[str] = Counter()

    def step(self, number: int) -> None:
        events = list(db.session.scalars(db.select(Event).order_by(Event.id)))
        actions = [self.book] if not events else [self.book, self.move, self.resize, self.change, self.status] * 2
        actions += [self.delete, self.undelete] if events else []
        action = self.dice.choice(actions)
        event = None if action == self.book else self.dice.choice(events)
        before = {each.id: held(each) for each in events}
        entries = count("audit_entry")
        try:
            with transaction(f"walk.{action.__name__}", actor=None, about=event):
                action(event)
        except DomainError as refusal:
            self.done[f"{action.__name__}: {type(refusal).__name__}"] += 1
            self.check_nothing_happened(entries)
        else:
            self.done[action.__name__] += 1
            self.check_one_entry(entries)
        for row in db.session.scalars(db.select(Event)):
            if held(row) is not None and held(row) != before.get(row.id):
                self.took[row.id] = number
        self.check_chairs()
        self.check_trail()

    def some_start(self) -> datetime:
        return MORNING + timedelta(days=self.dice.randrange(2), minutes=self.dice.randrange(0, 240, 5))

    def some_place(self) -> dict[str, Any]:
        return {
            "chair_id": self.dice.choice(self.places["chairs"]),
            "provider_id": self.dice.choice(self.places["who"]),
        }

    def an_excuse(self) -> dict[str, Any]:
        return {"overbook_reason": self.dice.choice([None, None, None, "Toothache"])}

    def seen(self, event: Event) -> int:
        """Mostly what is on the screen is current."""
        return event.row_version - (self.dice.random() < 0.1)

    def book(self, _event: Event | None) -> None:
        start, kind = self.some_start(), self.dice.choice([Kind.VISIT, Kind.VISIT, Kind.BLOCK])
        services.book(
            start=start,
            end=start + timedelta(minutes=self.dice.choice([15, 30, 60])),
            kind=kind,
            title=f"Entry {self.dice.randrange(1000)}",
            patient_id=self.dice.choice(self.places["patients"]),
            confirmed=True,
            **self.some_place(),
            **self.an_excuse(),
        )

    def move(self, event: Event) -> None:
        start = self.some_start()
        services.move_event(
            event,
            seen=self.seen(event),
            start=start,
            end=start + timedelta(minutes=event.minutes),
            confirmed=True,
            **self.some_place(),
            **self.an_excuse(),
        )

    def resize(self, event: Event) -> None:
        services.move_event(
            event,
            seen=self.seen(event),
            start=event.start,
            end=event.end + timedelta(minutes=self.dice.choice([-15, -5, 0, 5, 30])),
            chair_id=event.chair_id,
            provider_id=event.provider_id,
            confirmed=True,
            **self.an_excuse(),
        )

    def change(self, event: Event) -> None:
        start = self.dice.choice([event.start, self.some_start()])
        services.change_event(
            event,
            seen=self.seen(event),
            start=start,
            end=start + timedelta(minutes=event.minutes),
            patient_id=self.dice.choice(self.places["patients"]),
            title=f"Entry {self.dice.randrange(1000)}",
            type_id=self.dice.choice(self.places["types"]),
            color=self.dice.choice([None, "#112233"]),
            notes=self.dice.choice(["", "Needs time"]),
            confirmed=True,
            **self.dice.choice([{"chair_id": event.chair_id, "provider_id": event.provider_id}, self.some_place()]),
            **self.an_excuse(),
        )

    def status(self, event: Event) -> None:
        services.set_status(
            event,
            self.dice.choice(list(Status)),
            seen=self.seen(event),
            reason=self.dice.choice([None, "Because", "Because"]),
            told_day=self.dice.choice([None, event.start.date()]),
            **self.an_excuse(),
        )

    def delete(self, event: Event) -> None:
        services.delete_event(event, seen=self.seen(event))

    def undelete(self, event: Event) -> None:
        services.undelete_event(event)

    def check_nothing_happened(self, entries: int) -> None:
        assert count("audit_entry") == entries
        assert queries.revision() == self.revision

    def check_one_entry(self, entries: int) -> None:
        """One write, one entry. What the trail says was there before is what it said before."""
        assert count("audit_entry") == entries + 1
        newest = "entry_id = (SELECT max(id) FROM audit_entry)"
        changes = rows(f"SELECT table_name, row_id, columns FROM audit_change WHERE {newest}")
        for table, row_id, columns in changes:
            assert table == "event"
            known = self.replayed.setdefault(int(row_id), {})
            for column, (old, new) in json.loads(columns).items():
                assert known.get(column) == old, f"{column} of entry {row_id}"
                known[column] = new
        assert (queries.revision() > self.revision) == bool(changes)
        self.revision = queries.revision()

    def check_chairs(self) -> None:
        """Every pair, in Python: not the way in which services, queries and triggers look."""
        holding = [each for each in db.session.scalars(db.select(Event)) if held(each) is not None]
        for index, one in enumerate(holding):
            for other in holding[index + 1 :]:
                same = one.chair_id == other.chair_id or (one.provider_id and one.provider_id == other.provider_id)
                if same and one.start < other.end and other.start < one.end:
                    later = max(one, other, key=lambda each: self.took[each.id])
                    assert later.overbook_reason, f"entry {later.id} lies over another one without a reason"

    def check_trail(self) -> None:
        cursor = db.session.connection().exec_driver_sql("SELECT * FROM event")
        for row in cursor.mappings():
            stored = {name: plain(value) for name, value in row.items() if name not in UNRECORDED}
            told = {name: plain(value) for name, value in self.replayed[row["id"]].items()}
            assert {name: value for name, value in stored.items() if value != told.get(name)} == {}
            assert set(told) <= set(stored)


def held(event: Event) -> tuple[Any, ...] | None:
    """The place that an entry holds; None when it holds nothing."""
    if event.is_deleted or event.status in rules.FREE:
        return None
    return event.start, event.end, event.chair_id, event.provider_id


def count(table: str) -> int:
    return int(rows(f"SELECT count(*) FROM {table}")[0][0])


def rows(statement: str) -> list[Any]:
    return list(db.session.connection().exec_driver_sql(statement).fetchall())


def plain(value: Any) -> Any:
    """One spelling for times: the trail writes them as ISO, the file with a space, and with or without a zone."""
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None).isoformat()
    except (TypeError, ValueError):
        return value


@pytest.fixture
def places(ctx: Flask, make: Make) -> dict[str, list[int | None]]:
    return {
        "chairs": [make.chair("Chair 1").id, make.chair("Chair 2").id],
        "who": [make.user("ada").id, make.user("hugo").id, None],
        "patients": [make.patient().id, None],
        "types": [make.type("Cleaning").id, None],
    }


@pytest.mark.parametrize("seed", range(4))
def test_a_random_walk_keeps_the_calendar_and_its_trail_true(
    ctx: Flask, places: dict[str, list[int | None]], seed: int
) -> None:
    walk = Walk(seed, places)
    for number in range(STEPS):
        walk.step(number)

    actions: list[Callable[..., None]] = [
        walk.book,
        walk.move,
        walk.resize,
        walk.change,
        walk.status,
        walk.delete,
        walk.undelete,
    ]
    assert not [each.__name__ for each in actions if not walk.done[each.__name__]], walk.done
    assert walk.done["book: SlotTaken"] and walk.done["move: SlotTaken"], "the walk never met a taken slot"
