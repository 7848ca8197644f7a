"""Time that is held and time that is free: visits that lie outside the hours, and the next free times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, func, select

from cpms.auth import queries as auth
from cpms.auth.models import User
from cpms.calendar import queries, rules
from cpms.calendar.models import AppointmentType, Chair, Event, Kind
from cpms.calendar.rules import FreeSlot, Held, Part
from cpms.core import clock
from cpms.core.db import db
from cpms.core.text import listed_name
from cpms.hours import queries as hours
from cpms.patients.models import Patient


@dataclass(frozen=True, slots=True)
class Outside:
    """A visit to come on which nobody works, and why."""

    id: int
    start: datetime
    end: datetime
    name: str
    phone: str
    what: str
    chair: str
    provider: str
    why: str


def outside(*, provider_id: int | None = None) -> Sequence[Outside]:
    """The visits to come, of one provider or of all, that lie outside the hours, by start."""
    event, patient = Event.__table__.c, Patient.__table__.c
    query = (
        select(
            event.id,
            event.start,
            event.end,
            event.title,
            patient.first_name,
            patient.last_name,
            func.coalesce(func.nullif(patient.mobile_phone, ""), patient.home_phone, ""),
            AppointmentType.name,
            Chair.name,
            event.provider_id,
            User.display_name,
        )
        .select_from(queries.WITH_NAMES)
        .where(*_to_come(provider_id))
        .order_by(event.start, event.id)
    )
    rows = db.session.execute(query).all()
    if not rows:
        return []
    table = hours.timetable(rows[0][1].date(), rows[-1][1].date() + timedelta(days=1))
    found = []
    for row in rows:
        event_id, start, end, title, first, last, phone, type_name, chair, whose, who = row
        if reasons := table.reasons(whose, start, end):
            why = " ".join(hours.why_words(each, who or "") for each in reasons)
            name = "" if last is None else listed_name(first, last)
            found.append(Outside(event_id, start, end, name, phone, title or type_name or "", chair, who or "", why))
    return found


def how_many_outside(*, provider_id: int | None = None) -> int:
    """How many these are: without names, since every screen of the day asks after every change."""
    event = Event.__table__.c
    query = select(event.start, event.end, event.provider_id).where(*_to_come(provider_id)).order_by(event.start)
    rows = db.session.execute(query).all()
    if not rows:
        return 0
    table = hours.timetable(rows[0][0].date(), rows[-1][0].date() + timedelta(days=1))
    return sum(bool(table.reasons(whose, start, end)) for start, end, whose in rows)


def _to_come(provider_id: int | None) -> tuple[ColumnElement[bool], ...]:
    event, now = Event.__table__.c, clock.clinic_now()
    of_whom = () if provider_id is None else (event.provider_id == provider_id,)
    return (
        event.end > now,
        event.start > now - timedelta(minutes=rules.LONGEST_VISIT),  # found by the index, which knows starts
        event.deleted_at.is_(None),
        event.kind == Kind.VISIT,
        event.status.not_in(rules.FINISHED),
        *of_whom,
    )


ANSWERS = 10  # at a time
AHEAD = 60  # days that are looked through, so many at a time:
WINDOW = 14


@dataclass(frozen=True, slots=True)
class Wanted:
    """What kind of time somebody looks for."""

    minutes: int
    first: date
    provider_id: int | None = None  # None: anyone
    chair_id: int | None = None  # None: any
    part: Part = Part.ANY
    weekdays: frozenset[int] = frozenset()  # none: any
    patient_id: int | None = None  # whose other visits are in the way
    event_id: int | None = None  # the visit that is to be moved: it is not in its own way


@dataclass(frozen=True, slots=True)
class Found:
    slots: tuple[FreeSlot, ...]
    has_more: bool  # within the days that were looked through
    until: date  # the first day that was not


def free(wanted: Wanted, *, after: datetime | None = None) -> Found:
    """The first free times from a day on, or those that follow a moment: one look at the calendar a fortnight."""
    now = clock.clinic_now()
    first = max(wanted.first, now.date(), after.date() if after else date.min)
    until = min(first + timedelta(days=AHEAD), rules.LAST_DAY)
    people = [each.id for each in auth.providers() if wanted.provider_id in {None, each.id}]
    chairs = [each.id for each in queries.chairs() if wanted.chair_id in {None, each.id}]
    table = hours.timetable(first, until)
    slots: list[FreeSlot] = []
    for begin in range(0, (until - first).days, WINDOW):
        days = [first + timedelta(days=begin + ahead) for ahead in range(min(WINDOW, (until - first).days - begin))]
        held = _held(days[0], days[-1] + timedelta(days=1), wanted)
        for day in days:
            if wanted.weekdays and day.weekday() not in wanted.weekdays:
                continue
            slots += [
                slot
                for slot in rules.free_slots(
                    day,
                    minutes=wanted.minutes,
                    spans={who: table.open_spans(who, day) for who in people},
                    chairs=chairs,
                    held=held.get(day, ()),
                    part=wanted.part,
                    not_before=now if day == now.date() else None,
                    exists=_comes_once,
                )
                if after is None or slot.start > after
            ]
            if len(slots) > ANSWERS:
                return Found(tuple(slots[:ANSWERS]), True, day)
    return Found(tuple(slots), False, until)


def _comes_once(moment: datetime) -> bool:
    return not clock.is_skipped(moment) and not clock.is_repeated(moment)


def _held(first: date, end: date, wanted: Wanted) -> dict[date, list[Held]]:
    """What holds somebody or something on the days [first, end), by day."""
    event = Event.__table__.c
    query = select(event.start, event.end, event.chair_id, event.provider_id, event.patient_id).where(
        event.start >= datetime.combine(first, time()),
        event.start < datetime.combine(end, time()),
        event.deleted_at.is_(None),
        event.status.not_in(rules.FREE),
        event.id != (wanted.event_id or 0),
    )
    found: dict[date, list[Held]] = {}
    for start, ends, chair_id, provider_id, patient_id in db.session.execute(query):
        is_theirs = wanted.patient_id is not None and patient_id == wanted.patient_id
        found.setdefault(start.date(), []).append(Held(start, ends, chair_id, provider_id, is_theirs))
    return found
