"""Reads of the calendar that draw nothing: entries, what holds a chair, the furniture, a patient's visits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from flask_babel import gettext as _
from sqlalchemy import Integer, Select, bindparam, column, func, literal, select, union_all, values

from cpms.auth.models import User
from cpms.calendar import rules
from cpms.calendar.models import AppointmentType, CalendarRevision, Chair, Event, Kind, Status
from cpms.core import clock
from cpms.core.columns import WallClock
from cpms.core.db import db
from cpms.core.errors import NotFound
from cpms.patients.models import Patient

# An entry beside the names of what it holds; it has a chair, and the others maybe.
WITH_NAMES = (
    Event.__table__.join(Chair.__table__, Chair.__table__.c.id == Event.__table__.c.chair_id)
    .outerjoin(Patient.__table__, Patient.__table__.c.id == Event.__table__.c.patient_id)
    .outerjoin(AppointmentType.__table__, AppointmentType.__table__.c.id == Event.__table__.c.type_id)
    .outerjoin(User.__table__, User.__table__.c.id == Event.__table__.c.provider_id)
)


def revision() -> int:
    """Grows with every change that a calendar could show."""
    number: int = db.session.execute(_REVISION).scalar_one()
    return number


_REVISION = select(CalendarRevision.__table__.c.number)  # put together once: open calendars ask every few seconds


def status_words() -> dict[Status, str]:
    """The statuses as they are said."""
    return {
        Status.SCHEDULED: _("scheduled"),
        Status.CONFIRMED: _("confirmed"),
        Status.ARRIVED: _("arrived"),
        Status.IN_CHAIR: _("in the chair"),
        Status.COMPLETED: _("done"),
        Status.CANCELLED: _("cancelled"),
        Status.NO_SHOW: _("did not come"),
    }


def step_words() -> dict[Status, str]:
    """The statuses as they stand on buttons: what the visit becomes."""
    return {
        Status.SCHEDULED: _("Scheduled"),
        Status.CONFIRMED: _("Confirmed"),
        Status.ARRIVED: _("Arrived"),
        Status.IN_CHAIR: _("In the chair"),
        Status.COMPLETED: _("Done"),
        Status.CANCELLED: _("Cancelled"),
        Status.NO_SHOW: _("Did not come"),
    }


def swatch_words() -> dict[str, str]:
    """The colours to choose from, by their value."""
    words = {
        "teal": _("teal"),
        "blue": _("blue"),
        "indigo": _("indigo"),
        "violet": _("violet"),
        "pink": _("pink"),
        "red": _("red"),
        "orange": _("orange"),
        "amber": _("amber"),
        "lime": _("lime"),
        "green": _("green"),
        "slate": _("grey"),
        "brown": _("brown"),
    }
    return {color: words[name] for name, color in rules.SWATCHES.items()}


def event(event_id: int) -> Event:
    """The entry, deleted ones too: a link always resolves."""
    found = db.session.get(Event, event_id)
    if found is None:
        raise NotFound(_("This entry is not in the calendar."))
    return found


def starts(event_ids: Iterable[int]) -> dict[int, datetime]:
    """When some entries begin, deleted ones too."""
    rows = db.session.execute(select(Event.id, Event.start).where(Event.id.in_(list(event_ids))))
    return {row.id: row.start for row in rows}


def event_with_key(booking_key: str) -> Event | None:
    return db.session.scalar(select(Event).where(Event.booking_key == booking_key))


def clashes(
    start: datetime, end: datetime, *, chair_id: int, provider_id: int | None, except_id: int | None = None
) -> list[Event]:
    """What holds this chair or this provider then, by start."""
    taken = _holders("chair_id", chair_id, start, end, except_id)
    if provider_id is not None:
        taken |= _holders("provider_id", provider_id, start, end, except_id)
    return _loaded(taken)


def of_patient_at(patient_id: int, start: datetime, end: datetime, *, except_id: int | None = None) -> list[Event]:
    """Other visits of the same patient at that time."""
    return _loaded(_holders("patient_id", patient_id, start, end, except_id))


@dataclass(frozen=True, slots=True)
class Around:
    """What holds the chair or the provider of a slot, and the other visits of its patient at that time, by start."""

    holders: list[Event]
    of_patient: list[Event]


def around(slots: Sequence[Event]) -> list[Around]:
    """What is around each of many slots: two statements, however many they are."""
    if not slots:
        return []
    found: list[tuple[set[int], set[int]]] = [(set(), set()) for _each in slots]
    for number, is_patient, event_id in db.session.execute(_around_query(slots)):
        found[number][is_patient].add(event_id)
    rows = {row.id: row for row in _loaded({each for pair in found for ids in pair for each in ids})}
    return [Around(*([row for row in rows.values() if row.id in ids] for ids in pair)) for pair in found]


def _around_query(slots: Sequence[Event]) -> Any:
    """As `_holders_query`, joined to the slots. The sum keeps the database from reading all entries against them."""
    event = Event.__table__.c
    asked = (
        values(
            column("number", Integer),
            column("start", WallClock),
            column("end", WallClock),
            column("day_before", WallClock),
            column("chair_id", Integer),
            column("provider_id", Integer),
            column("patient_id", Integer),
            column("except_id", Integer),
        )
        .data(
            [
                (
                    number,
                    slot.start,
                    slot.end,
                    slot.start - timedelta(days=1),
                    slot.chair_id,
                    slot.provider_id,
                    slot.patient_id,
                    slot.id or 0,
                )
                for number, slot in enumerate(slots)
            ]
        )
        .cte("slot")
    )
    slot = asked.c
    return union_all(
        *(
            select(slot.number, literal(int(name == "patient_id")), event.id).where(
                event[name] == slot[name] + 0,
                event.start < slot.end,
                event.end > slot.start,
                event.start > slot.day_before,
                event.id != slot.except_id,
                *_HOLDING,
            )
            for name in ("chair_id", "provider_id", "patient_id")
        )
    )


def _loaded(ids: set[int]) -> list[Event]:
    """The entries with those ids, by start. Usually nobody is in the way, and nothing is asked."""
    if not ids:
        return []
    return list(db.session.scalars(select(Event).where(Event.id.in_(ids)).order_by(Event.start, Event.id)))


def _holders(column: str, value: int, start: datetime, end: datetime, except_id: int | None) -> set[int]:
    """The ids of what holds a chair, a provider or a patient at some time of [start, end)."""
    span = {"start": start, "end": end, "day_before": start - timedelta(days=1), "except_id": except_id or 0}
    return set(db.session.scalars(_holders_query(column), {"value": value} | span))


@lru_cache(maxsize=4)
def _holders_query(column: str) -> Select[int]:
    """One look through one index: an OR over two would read the whole day. Kept, because every booking asks thrice."""
    event = Event.__table__.c
    return select(event.id).where(
        event[column] == bindparam("value"),
        event.start < bindparam("end"),
        event.end > bindparam("start"),
        event.start > bindparam("day_before"),
        event.id != bindparam("except_id"),
        *_HOLDING,
    )


_HOLDING = (
    Event.__table__.c.deleted_at.is_(None),
    *(Event.__table__.c.status != each for each in sorted(rules.FREE)),
)


def free_chair(start: datetime, end: datetime, among: Iterable[Chair]) -> Chair | None:
    """The first of the chairs that nobody holds then."""
    event = Event.__table__.c
    overlapping = event.start < end, event.end > start, event.start > start - timedelta(days=1)
    taken = set(db.session.scalars(select(event.chair_id).where(*overlapping, *_HOLDING)))
    return next((chair for chair in among if chair.id not in taken), None)


def chairs(*, every: bool = False) -> list[Chair]:
    """The chairs in use, in the clinic's order; `every`: also those given up."""
    query = select(Chair).order_by(Chair.active.desc(), Chair.position, Chair.id)
    return list(db.session.scalars(query if every else query.where(Chair.active)))


def chair(chair_id: int) -> Chair:
    if found := db.session.get(Chair, chair_id):
        return found
    raise NotFound(_("There is no such chair."))


def types(*, every: bool = False) -> list[AppointmentType]:
    """The appointment types in use, in the clinic's order; `every`: also those given up."""
    query = select(AppointmentType).order_by(
        AppointmentType.active.desc(), AppointmentType.position, AppointmentType.id
    )
    return list(db.session.scalars(query if every else query.where(AppointmentType.active)))


def type_(type_id: int) -> AppointmentType:
    if found := db.session.get(AppointmentType, type_id):
        return found
    raise NotFound(_("There is no such appointment type."))


@dataclass(frozen=True, slots=True)
class Visit:
    """A line of a patient's list of visits."""

    id: int
    start: datetime
    end: datetime
    status: Status
    what: str
    chair: str
    provider: str


@dataclass(frozen=True, slots=True)
class Visits:
    """A patient's visits: those to come by date, those past with the newest first."""

    coming: tuple[Visit, ...]
    past: tuple[Visit, ...]
    hidden: int  # so many more, further away from today than those shown


def of_patient(patient_id: int, *, limit: int = 50) -> Visits:
    """The visits of a patient around today, so many on either side at most; deleted ones left out."""
    now = clock.clinic_now()
    theirs = Event.patient_id == patient_id, Event.deleted_at.is_(None)
    query = (
        select(
            Event.id,
            Event.start,
            Event.end,
            Event.status,
            Event.title,
            AppointmentType.name,
            Chair.name,
            User.display_name,
        )
        .join(Chair, Chair.id == Event.chair_id)
        .outerjoin(AppointmentType, AppointmentType.id == Event.type_id)
        .outerjoin(User, User.id == Event.provider_id)
        .where(*theirs)
        .limit(limit + 1)
    )

    def lines(half: Select[*tuple[Any, ...]]) -> list[Visit]:
        return [
            Visit(row[0], row[1], row[2], row[3], row[4] or row[5] or "", row[6], row[7] or "")
            for row in db.session.execute(half)
        ]

    coming = lines(query.where(Event.end > now).order_by(Event.start, Event.id))
    past = lines(query.where(Event.end <= now).order_by(Event.start.desc(), Event.id.desc()))
    hidden = 0
    if len(coming) > limit or len(past) > limit:
        count = db.session.scalar(select(func.count()).select_from(Event).where(*theirs)) or 0
        hidden = count - min(len(coming), limit) - min(len(past), limit)
    return Visits(tuple(coming[:limit]), tuple(past[:limit]), hidden)


def coming(patient_id: int) -> list[Event]:
    """What of a patient holds a place from now on."""
    query = select(Event).where(
        Event.patient_id == patient_id,
        Event.end > clock.clinic_now(),
        Event.deleted_at.is_(None),
        Event.status.not_in(rules.FINISHED),
    )
    return list(db.session.scalars(query.order_by(Event.start, Event.id)))


def deleted_with(patients: Iterable[Patient]) -> dict[int, list[Event]]:
    """The visits that left the calendar together with these patients: at the same instant."""
    found: dict[int, list[Event]] = {each.id: [] for each in patients if each.deleted_at is not None}
    query = (
        select(Event)
        .join(Patient, Patient.id == Event.patient_id)
        .where(Event.patient_id.in_(found), Event.deleted_at == Patient.deleted_at)
    )
    for visit in db.session.scalars(query.order_by(Event.start, Event.id)):
        assert visit.patient_id is not None
        found[visit.patient_id].append(visit)
    return found


class Here(NamedTuple):
    """Today's visit of somebody who is here, or should be."""

    start: datetime
    status: Status
    since: datetime | None


def here(patient_id: int) -> Here | None:
    """Where a patient is today: in the chair, in the waiting room, or late; None when nothing of that is so."""
    now = clock.clinic_now()
    opens = datetime.combine(now.date(), time())
    query = select(Event.start, Event.status, Event.status_changed_at).where(
        Event.patient_id == patient_id,
        Event.start >= opens,
        Event.start < opens + timedelta(days=1),
        Event.kind == Kind.VISIT,
        Event.deleted_at.is_(None),
        Event.status.not_in(rules.FINISHED),
    )
    order = (Status.IN_CHAIR, Status.ARRIVED, Status.CONFIRMED, Status.SCHEDULED)
    open_ = [Here(*row) for row in db.session.execute(query.order_by(Event.start, Event.id))]
    is_here = (Status.IN_CHAIR, Status.ARRIVED)
    found = [each for each in open_ if each.status in is_here or each.start <= now]
    return min(found, key=lambda each: order.index(each.status), default=None)


def next_visits(patient_ids: Sequence[int]) -> dict[int, datetime]:
    """The start of the next visit of each of these patients."""
    query = (
        select(Event.patient_id, func.min(Event.start))
        .where(
            Event.patient_id.in_(patient_ids),
            Event.start >= clock.clinic_now(),
            Event.deleted_at.is_(None),
            Event.status.not_in(rules.FREE),
        )
        .group_by(Event.patient_id)
    )
    return {patient_id: start for patient_id, start in db.session.execute(query) if patient_id is not None}


def last_visits(patient_ids: Sequence[int]) -> dict[int, datetime]:
    """The start of the last visit that each of these patients came to."""
    query = (
        select(Event.patient_id, func.max(Event.start))
        .where(
            Event.patient_id.in_(patient_ids),
            Event.start < clock.clinic_now(),
            Event.deleted_at.is_(None),
            Event.status.not_in(rules.FREE),
        )
        .group_by(Event.patient_id)
    )
    return {patient_id: start for patient_id, start in db.session.execute(query) if patient_id is not None}


def last_provider(patient_id: int) -> int | None:
    """Whom the patient saw last; the next visit is usually with them."""
    query = (
        select(Event.provider_id)
        .where(Event.patient_id == patient_id, Event.deleted_at.is_(None), Event.provider_id.is_not(None))
        .order_by(Event.start.desc())
        .limit(1)
    )
    return db.session.scalar(query)


def provider_at(chair_id: int, day: date) -> int | None:
    """Who has most of a chair's entries on a day."""
    opens = datetime.combine(day, time())
    query = (
        select(Event.provider_id)
        .where(
            Event.chair_id == chair_id,
            Event.start >= opens,
            Event.start < opens + timedelta(days=1),
            Event.deleted_at.is_(None),
            Event.provider_id.is_not(None),
        )
        .group_by(Event.provider_id)
        .order_by(func.count().desc(), Event.provider_id)
        .limit(1)
    )
    return db.session.scalar(query)
