"""However many press the button at the same moment: one gets the slot, everybody else is told.

Each day of each test is its own, so that a race finds an empty chair. The check afterwards is plain SQL.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from cpms.calendar import queries, services
from cpms.calendar.models import Event, Kind, Status, Unit
from cpms.calendar.series import services as series
from cpms.calendar.series.rules import Rule
from cpms.core.db import db, transaction
from tests.drill import reached
from tests.make import Make
from tests.racers import Racers
from tests.server import Answer, Client, Server, at_the_desks, run_async

MONDAY = datetime(2040, 3, 5, 10, 0)
HALF_HOUR = timedelta(minutes=30)
RACERS = 200
ROUNDS = 40
SERVED_ROUNDS = 2  # a refusal draws the whole dialog again: forty rounds of that would take minutes

OVERLAPS = """
    SELECT one.id, other.id FROM event AS one JOIN event AS other
    ON one.id < other.id AND one.start < other."end" AND other.start < one."end"
    AND (one.chair_id = other.chair_id OR one.provider_id = other.provider_id)
    WHERE one.deleted_at IS NULL AND one.status NOT IN ('cancelled', 'no_show')
    AND other.deleted_at IS NULL AND other.status NOT IN ('cancelled', 'no_show')
"""

Request = Callable[[Client], Any]


@pytest.fixture(autouse=True)
def _nobody_sits_on_another(ask: Any) -> Any:
    yield
    assert ask(OVERLAPS) == []


@pytest.fixture
def places(clinic: Make) -> dict[str, int]:
    """Who and what can be taken, by name."""
    chairs = {name: clinic.chair(name).id for name in ("Chair 1", "Chair 2")}
    return chairs | {name: clinic.user(name).id for name in ("ada", "hugo")}


def rivals(places: dict[str, int], race: int, racer: int) -> dict[str, int]:
    """All want the chair, or all want Dr Ada; the other of the two differs."""
    if race % 2:
        return {"chair_id": places["Chair 1"], "provider_id": places[("ada", "hugo")[racer % 2]]}
    return {"chair_id": places[("Chair 1", "Chair 2")[racer % 2]], "provider_id": places["ada"]}


def book(racer: int, *, race: int, places: dict[str, int]) -> str:
    """One racer at the service's door; runs in another process."""
    start = MONDAY + timedelta(days=race, minutes=racer % 5 * 5)
    try:
        with transaction("event.create", actor=None):
            services.book(
                start=start,
                end=start + timedelta(minutes=30),
                title=f"Racer {racer}",
                confirmed=True,
                **rivals(places, race, racer),
            )
    except services.SlotTaken as taken:
        return f"told with {taken.status}"
    return "booked"


@pytest.mark.slow
def test_one_of_two_hundred_gets_the_slot_forty_times_over(two_processes: Racers, places: dict[str, int]) -> None:
    for race in range(ROUNDS):
        outcome = two_processes.run(book, threads=RACERS, race=race, places=places)
        assert outcome.counts == {"booked": 1, "told with 409": RACERS - 1}
    reached("No double booking", ROUNDS)


def statuses(clinic: Make, server: Server, requests: list[Request]) -> Counter[int]:
    """Send all at one moment, each from a browser of its own."""

    async def race() -> list[Answer]:
        async with at_the_desks(clinic.app, server, len(requests)) as clients:
            return await asyncio.gather(*(send(each) for send, each in zip(requests, clients, strict=True)))

    return Counter(answer.status for answer in run_async(race()))


def booking(start: datetime, title: str = "Racer", **fields: Any) -> Request:
    form = {
        "kind": "visit",
        "day": f"{start:%Y-%m-%d}",
        "start_time": f"{start:%H:%M}",
        "minutes": 30,
        "title": title,
    }
    return lambda client: client.post("/calendar/events", form | fields)


def moving(event: Event, start: datetime, minutes: int = 30) -> Request:
    form = {
        "day": f"{start:%Y-%m-%d}",
        "start_time": f"{start:%H:%M}",
        "minutes": minutes,
        "chair_id": event.chair_id,
        "provider_id": event.provider_id,
        "version": event.row_version,
    }
    return lambda client: client.post(f"/calendar/events/{event.id}/move", form)


def coming_back(event: Event) -> Request:
    form = {"status": "scheduled", "version": event.row_version, "reason": "Well again"}
    return lambda client: client.post(f"/calendar/events/{event.id}/status", form)


def undeleting(event: Event) -> Request:
    return lambda client: client.post(f"/calendar/events/{event.id}/undelete", {"again": 1})


def deleted(clinic: Make, start: datetime) -> Event:
    event = clinic.visit(start)
    with clinic.writing():
        services.delete_event(queries.event(event.id), seen=event.row_version)
    return event


@pytest.mark.slow
@pytest.mark.parametrize("race", range(SERVED_ROUNDS))
def test_the_served_clinic_gives_the_slot_once(clinic: Make, server: Server, places: dict[str, int], race: int) -> None:
    start = MONDAY + timedelta(weeks=10, days=race)
    requests = [booking(start, f"Racer {n}", **rivals(places, race, n)) for n in range(RACERS)]
    assert statuses(clinic, server, requests) == {200: 1, 409: RACERS - 1}


def test_a_double_tap_books_once(clinic: Make, server: Server, places: dict[str, int], ask: Any) -> None:
    start = MONDAY + timedelta(weeks=20)
    tap = booking(start, booking_key="one-form", chair_id=places["Chair 1"], provider_id=places["ada"])
    assert statuses(clinic, server, [tap] * 20) == {200: 20}
    assert ask("SELECT count(*) FROM event WHERE booking_key = 'one-form'") == [(1,)]


def test_one_of_many_moves_reaches_the_slot(clinic: Make, server: Server) -> None:
    start = MONDAY + timedelta(weeks=21)
    visits = [clinic.visit(start + timedelta(days=1 + n)) for n in range(20)]
    assert statuses(clinic, server, [moving(each, start) for each in visits]) == {200: 1, 409: 19}


def test_one_visit_dragged_by_many_goes_where_the_first_put_it(clinic: Make, server: Server, ask: Any) -> None:
    visit = clinic.visit(MONDAY + timedelta(weeks=25))
    requests = [moving(visit, visit.start + timedelta(hours=1, minutes=5 * n)) for n in range(20)]
    assert statuses(clinic, server, requests) == {200: 1, 409: 19}
    assert ask("SELECT row_version FROM event WHERE id = ?", visit.id) == [(2,)]


@pytest.mark.parametrize("race", range(3))
def test_two_visits_cannot_both_grow_into_the_gap(clinic: Make, server: Server, race: int) -> None:
    start = MONDAY + timedelta(weeks=26, days=race)
    before, after = clinic.visit(start), clinic.visit(start + timedelta(hours=1))
    longer, earlier = moving(before, start, 45), moving(after, start + timedelta(minutes=35), 55)
    assert statuses(clinic, server, [longer, earlier] * 8) == {200: 1, 409: 15}


def test_one_of_many_cancelled_visits_comes_back(clinic: Make, server: Server) -> None:
    start = MONDAY + timedelta(weeks=27)
    visits = [clinic.visit(start, status=Status.CANCELLED) for _ in range(20)]
    assert statuses(clinic, server, [coming_back(each) for each in visits]) == {200: 1, 409: 19}


def test_one_of_many_deleted_visits_comes_back(clinic: Make, server: Server) -> None:
    start = MONDAY + timedelta(weeks=28)
    visits = [deleted(clinic, start) for _ in range(20)]
    assert statuses(clinic, server, [undeleting(each) for each in visits]) == {200: 1, 409: 19}


@pytest.mark.parametrize("race", range(3))
def test_every_way_into_a_slot_meets_the_same_door(
    clinic: Make, server: Server, places: dict[str, int], race: int
) -> None:
    start = MONDAY + timedelta(weeks=29, days=race)
    elsewhere = MONDAY + timedelta(weeks=30 + race)
    ways = [
        *(booking(start, f"Racer {n}", **rivals(places, 0, n)) for n in range(10)),
        *(moving(clinic.visit(elsewhere + timedelta(days=n)), start) for n in range(5)),
        *(coming_back(clinic.visit(start, status=Status.NO_SHOW)) for _ in range(5)),
        *(undeleting(deleted(clinic, start)) for _ in range(5)),
    ]
    assert statuses(clinic, server, ways) == {200: 1, 409: len(ways) - 1}


def test_the_check_of_this_file_would_notice(clinic: Make, ask: Any) -> None:
    """Two visits in one chair, let in by an excuse, are found by the SQL that every test here ends with."""
    start = MONDAY + timedelta(weeks=40)
    clinic.visit(start)
    over = clinic.visit(start, overbook_reason="Toothache")
    assert len(ask(OVERLAPS)) == 1
    with clinic.writing():
        row = db.session.get(Event, over.id)
        assert row is not None
        services.delete_event(row, seen=row.row_version)


def book_a_series_or_one(racer: int, *, race: int, places: dict[str, int]) -> str:
    """Half of the racers want one Tuesday each, the others a series over all of them. Runs in another process."""
    start = MONDAY + timedelta(weeks=60 + 8 * race, days=1)
    entry = rivals(places, race, racer) | {"title": f"Racer {racer}"}
    if racer % 2:
        begins = start + timedelta(weeks=racer // 2 % 4)
        try:
            with transaction("event.create", actor=None):
                services.book(start=begins, end=begins + HALF_HOUR, confirmed=True, **entry)
        except services.SlotTaken:
            return "told"
        return "one"
    entry |= {"kind": Kind.VISIT, "patient_id": None, "type_id": None, "start": start, "end": start + HALF_HOUR}
    asked = entry | {"rule": Rule(Unit.WEEK, 1, start.date()), "until": None, "number": 4, "made_by": None}
    ticks = None
    for _look in range(2):  # at the plan, and then with every line ticked
        try:
            with transaction("event_series.create", actor=None):
                series.book_series(**asked, ticks=ticks)
            return "series"
        except series.LookAtThis as look:
            ticks = [line.key for line in look.plan.lines]
    return "told"


@pytest.mark.parametrize("race", range(2))
def test_a_series_and_single_bookings_never_share_a_slot(
    two_processes: Racers, places: dict[str, int], ask: Any, race: int
) -> None:
    """Four Tuesdays are held by four bookings or by one series; of a series there is all or nothing."""
    counts = two_processes.run(book_a_series_or_one, threads=24, race=race, places=places).counts
    assert counts["series"] * 4 + counts["one"] == 4
    assert sum(counts.values()) == 24
    sizes = ask("SELECT count(*) FROM event WHERE series_id IS NOT NULL GROUP BY series_id")
    assert all(size == 4 for (size,) in sizes)
