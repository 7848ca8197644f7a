"""Goal 8: a move and a booking, with checks and trace, against a raw transaction that writes the same rows."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import cycle
from typing import Any

from bench import limit
from bench.desk import GRID, Desk, interleaved
from bench.run import FAR, Run, far_slots
from bench.table import Line, ratio
from cpms.auth import queries as auth
from cpms.calendar import queries, services
from cpms.core.db import db, transaction

HALF_HOUR = timedelta(minutes=30)


def figures(run: Run) -> list[Line]:
    desk, raw = run.desk, run.raw
    ours, theirs = _event(desk, datetime(2027, 6, 7, 8), 0), _event(desk, datetime(2027, 6, 7, 8), 1)
    moves, bare_moves = cycle((14, 15)), cycle((14, 15))
    places = _places(desk, 1)
    slots = far_slots()

    def bare_move() -> None:
        start = datetime(2027, 6, 7, next(bare_moves))
        limit.move(raw, theirs, *_stamps(start), desk.user.id, run.at)

    def bare_book() -> None:
        start, end, day_before = _stamps(next(slots))
        limit.book(raw, **places, start=start, end=end, day_before=day_before, user_id=desk.user.id, at=run.at)

    times = interleaved(
        run.rounds,
        {
            "bare move": bare_move,
            "move": lambda: move(desk, ours, datetime(2027, 6, 7, next(moves))),
            "bare book": bare_book,
            "book": booking(desk),
            "drop": _drop(desk, datetime(2027, 6, 7, 8)),
        },
    )
    return [
        ratio(
            "8",
            "move, with checks and trace / raw transaction of the same rows",
            times["move"],
            times["bare move"],
            8,
        ),
        ratio(
            "8",
            "booking, with checks and trace / raw transaction of the same rows",
            times["book"],
            times["bare book"],
            8,
        ),
        ratio(
            "",
            "a drag through the endpoint, its week drawn anew / the same",
            times["drop"],
            times["bare move"],
        ),
    ]


def move(desk: Desk, event_id: int, start: datetime) -> None:
    """What a view does between form and answer."""
    with desk.app.app_context():
        event = queries.event(event_id)
        with transaction("event.move", actor=desk.user, about=event):
            services.move_event(
                event,
                seen=event.row_version,
                start=start,
                end=start + HALF_HOUR,
                chair_id=event.chair_id,
                provider_id=event.provider_id,
            )


def booking(desk: Desk, first: date = FAR) -> Callable[[], None]:
    """A function that books, each time another slot."""
    places, slots = _places(desk, 0), far_slots(first)
    places["patient_id"], places["chair_id"], places["provider_id"], places["type_id"] = (
        places.pop(name) for name in ("patient", "chair", "provider", "type_id")
    )

    def book() -> None:
        start = next(slots)
        with desk.app.app_context(), transaction("event.create", actor=desk.user):
            services.book(start=start, end=start + HALF_HOUR, **places)

    return book


def _places(desk: Desk, n: int) -> dict[str, Any]:
    """A patient, chair, provider and type; another `n` shares none of them."""
    with desk.app.app_context():
        return {
            "patient": 101 + n,
            "chair": queries.chairs()[n].id,
            "provider": auth.providers()[n].id,
            "type_id": queries.types()[n].id,
        }


def _event(desk: Desk, start: datetime, n: int) -> int:
    places = _places(desk, n)
    with desk.app.app_context():
        with transaction("bench.book", actor=desk.user):
            row = services.book(
                start=start,
                end=start + HALF_HOUR,
                patient_id=places["patient"],
                chair_id=places["chair"],
                provider_id=places["provider"],
                type_id=places["type_id"],
            )
            number = row.id
        db.session.expunge_all()
    return number


def _stamps(start: datetime) -> tuple[str, str, str]:
    return tuple(f"{each:%Y-%m-%d %H:%M:%S}.000000" for each in (start, start + HALF_HOUR, start - timedelta(days=1)))  # type: ignore[return-value]


def _drop(desk: Desk, start: datetime) -> Callable[[], None]:
    """A visit of the measured week's calendar, dragged to and fro."""
    number, version = _event(desk, start, 2), 0
    hours = cycle((16, 17))

    def drop() -> None:
        nonlocal version
        version += 1
        answer = desk.request(
            "/calendar/events/move",
            GRID,
            event=number,
            version=version,
            start=f"2027-06-07T{next(hours)}:00",
            minutes=30,
            view="week",
            day="2026-09-02",
        )()
        assert answer.status == 200, answer

    return drop
