"""Visits that want another date: their dentist takes no visits any more, or they were cancelled or missed."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, exists, func, or_, select

from cpms.auth.models import User
from cpms.calendar import queries, rules
from cpms.calendar.models import AppointmentType, Event, Kind, Status
from cpms.core import clock, pages
from cpms.core.db import db
from cpms.core.pages import PER_PAGE, Listing
from cpms.core.text import full_name
from cpms.patients.models import Patient, PatientStatus

MOST_LOST = 200


class ToRebook(NamedTuple):
    """A visit as the list shows it."""

    id: int
    start: datetime
    status: Status
    title: str
    cancel_reason: str | None
    patient_id: int | None
    first_name: str | None
    last_name: str | None
    alert: str | None
    mobile_phone: str | None
    home_phone: str | None
    type: str | None
    provider: str | None

    @property
    def name(self) -> str:
        return full_name(self.first_name or "", self.last_name) if self.last_name is not None else self.title

    @property
    def what(self) -> str:
        return " · ".join(each for each in (self.title if self.last_name is not None else "", self.type) if each)

    @property
    def phone(self) -> str:
        return self.mobile_phone or self.home_phone or ""


def lost() -> list[ToRebook]:
    """Visits to come of somebody who takes no visits any more, the next first."""
    rows = db.session.execute(_lost_query(), _span()).all()
    return [ToRebook(*row) for row in rows]


def left(*, page: int = 1) -> Listing[ToRebook]:
    """Visits that were cancelled or missed, and the patient has no newer one; unless no new date is wanted."""
    total = counts()[1]
    page = pages.nearest(page, total)
    rows = db.session.execute(_left_query(), _span() | {"skip": pages.skipped(page)}).all()
    return Listing([ToRebook(*row) for row in rows], page, total)


def counts() -> tuple[int, int]:
    """How many lost their dentist, and how many have no new date."""
    row = db.session.execute(_counts_query(), _span()).one()
    return row[0], row[1]


def _span() -> dict[str, datetime]:
    now = clock.clinic_now().replace(second=0, microsecond=0)
    return {"now": now, "since": now - timedelta(days=rules.REBOOK_DAYS)}


_event, _patient = Event.__table__.c, Patient.__table__.c
_other = Event.__table__.alias("other")


def _is_lost() -> Any:
    user = User.__table__.alias("gone").c  # of its own: the lines name whoever it was, too
    gone = select(user.id).where(or_(user.active.is_(False), user.is_provider.is_(False)))
    return and_(
        _event.provider_id.in_(gone),
        _event.start >= bindparam("now"),
        _event.status.in_((Status.SCHEDULED, Status.CONFIRMED)),
        _event.kind == Kind.VISIT,
        _event.deleted_at.is_(None),
    )


def _is_left() -> Any:
    other = _other.c
    newer = exists().where(
        other.patient_id == _event.patient_id,
        other.deleted_at.is_(None),
        other.status.not_in(sorted(rules.FREE)),
        or_(other.start > _event.start, other.end > bindparam("now")),
    )
    return and_(
        _event.status.in_(sorted(rules.FREE)),
        _event.start >= bindparam("since"),
        _event.no_new_date_reason.is_(None),
        _event.deleted_at.is_(None),
        _patient.status == PatientStatus.ACTIVE,
        _patient.deleted_at.is_(None),
        ~newer,
    )


def _lines() -> Select[Any]:
    return select(
        _event.id,
        _event.start,
        _event.status,
        _event.title,
        _event.cancel_reason,
        _event.patient_id,
        _patient.first_name,
        _patient.last_name,
        _patient.alert_text,
        _patient.mobile_phone,
        _patient.home_phone,
        AppointmentType.__table__.c.name,
        User.__table__.c.display_name,
    ).select_from(queries.WITH_NAMES)


@lru_cache(maxsize=1)
def _lost_query() -> Select[Any]:
    return _lines().where(_is_lost()).order_by(_event.start, _event.id).limit(MOST_LOST)


@lru_cache(maxsize=1)
def _left_query() -> Select[Any]:
    newest = _lines().where(_is_left()).order_by(_event.start.desc(), _event.id.desc())
    return newest.limit(PER_PAGE).offset(bindparam("skip"))


@lru_cache(maxsize=1)
def _counts_query() -> Select[Any]:
    without = (
        select(func.count())
        .select_from(Event.__table__)
        .join(Patient.__table__, _patient.id == _event.patient_id)
        .where(_is_left())
    )
    of_lost = select(func.count()).select_from(Event.__table__).where(_is_lost())
    return select(of_lost.scalar_subquery(), without.scalar_subquery())
