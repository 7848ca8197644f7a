"""What the day looks like: plain columns, each statement put together once."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, func, select

from cpms.audit.models import AuditEntry
from cpms.auth.models import User
from cpms.calendar import rules as calendar
from cpms.calendar.models import AppointmentType, Chair, Event, Kind, Status
from cpms.calendar.queries import WITH_NAMES
from cpms.core import clock
from cpms.core.db import db
from cpms.core.text import full_name
from cpms.patients.models import Patient

VIEWED = "today.view"


class Visit(NamedTuple):
    """A visit as a line shows it."""

    id: int
    version: int
    start: datetime
    end: datetime
    status: Status
    status_changed_at: datetime | None
    title: str
    color: str
    provider_id: int | None
    patient_id: int | None
    first_name: str | None
    last_name: str | None
    alert: str
    mobile_phone: str | None
    home_phone: str | None
    type: str | None
    chair: str
    provider: str | None

    @property
    def name(self) -> str:
        """Whom it is about, or what, when nobody is known yet."""
        return full_name(self.first_name or "", self.last_name) if self.last_name is not None else self.title

    @property
    def what(self) -> str:
        said = (self.title if self.last_name is not None else "", self.type)
        return " · ".join(each for each in said if each)

    @property
    def phone(self) -> str:
        return self.mobile_phone or self.home_phone or ""

    @property
    def is_over(self) -> bool:
        return self.status in calendar.FINISHED

    @property
    def minutes(self) -> int:
        """How long the visit has been what it is now."""
        since = self.status_changed_at
        return max(0, int((clock.now() - since).total_seconds() // 60)) if since else 0


@lru_cache(maxsize=16)
def _query(statuses: tuple[Status, ...]) -> Select[Any]:
    event, patient, type_ = Event.__table__.c, Patient.__table__.c, AppointmentType.__table__.c
    chair, user = Chair.__table__.c, User.__table__.c
    return (
        select(
            event.id,
            event.row_version,
            event.start,
            event.end,
            event.status,
            event.status_changed_at,
            event.title,
            event.color,
            event.provider_id,
            event.patient_id,
            patient.first_name,
            patient.last_name,
            func.coalesce(patient.alert_text, ""),
            patient.mobile_phone,
            patient.home_phone,
            type_.name,
            chair.name,
            user.display_name,
        )
        .select_from(WITH_NAMES)
        .where(*_there(statuses))
        .order_by(event.start, event.chair_id, event.id)
    )


def _there(statuses: Sequence[Status]) -> tuple[Any, ...]:
    event = Event.__table__.c
    return (
        event.start >= bindparam("opens"),
        event.start < bindparam("closes"),
        event.kind == Kind.VISIT,
        event.status.in_(statuses),
        event.deleted_at.is_(None),
    )


def _visits(statuses: tuple[Status, ...], first: date, end: date) -> list[Visit]:
    """Visits of the days [first, end), by time."""
    span = {"opens": datetime.combine(first, time()), "closes": datetime.combine(end, time())}
    return [Visit(*row) for row in db.session.execute(_query(statuses), span)]


_OPEN = (Status.SCHEDULED, Status.CONFIRMED, Status.ARRIVED, Status.IN_CHAIR)
_SHOWN = (*_OPEN, Status.COMPLETED, Status.NO_SHOW)  # what was cancelled frees its time, and its line


def visits(day: date) -> list[Visit]:
    """Who comes on a day, came, or did not come."""
    return _visits(_SHOWN, day, day + timedelta(days=1))


def unconfirmed(first: date, last: date) -> list[Visit]:
    """Who is booked on those days, and nobody knows whether they come."""
    return _visits((Status.SCHEDULED,), first, last + timedelta(days=1))


def unfinished(since: date, before: date) -> list[Visit]:
    """Visits of days gone by of which nobody said how they ended, the newest first."""
    return _visits(_OPEN, since, before)[::-1]


def expected(day: date) -> list[int]:
    """The ids of the patients who come on a day or are here, and have not gone yet."""
    span = {"opens": datetime.combine(day, time()), "closes": datetime.combine(day + timedelta(days=1), time())}
    found = db.session.scalars(_expected(), span)
    return [patient_id for patient_id in found if patient_id is not None]


@lru_cache(maxsize=1)
def _expected() -> Select[Any]:
    return select(Event.__table__.c.patient_id).distinct().where(*_there(_OPEN))


def takes_visits(user_id: int) -> bool:
    """Whether the day of this person is a part of the clinic's."""
    return bool(db.session.scalar(select(User.is_provider).where(User.id == user_id)))


def viewed_on(user_id: int) -> str | None:
    """The last day of which this person opened the list, as the trail wrote it down."""
    mine = AuditEntry.about_table == User.__tablename__, AuditEntry.about_id == str(user_id)
    query = select(AuditEntry.reason).where(*mine, AuditEntry.action == VIEWED)
    return db.session.scalar(query.order_by(AuditEntry.id.desc()).limit(1))
