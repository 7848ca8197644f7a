"""Counts the changes that an open calendar could show, so that a poll costs one small read."""

from typing import Any

from flask_sqlalchemy.session import Session as AppSession
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from cpms.auth.models import User
from cpms.calendar.models import AppointmentType, CalendarRevision, Chair, Event
from cpms.patients.models import Patient
from cpms.settings.models import Setting

SHOWN_ON_A_CALENDAR = (Event, Patient, Chair, AppointmentType, User, Setting)


def install() -> None:
    """Start counting; once is enough."""
    if not event.contains(AppSession, "after_flush", _count):
        event.listen(AppSession, "after_flush", _count)


def _count(session: Session, _context: Any) -> None:
    for rows in (session.new, session.dirty, session.deleted):
        if any(isinstance(row, SHOWN_ON_A_CALENDAR) for row in rows):
            table = CalendarRevision.__table__
            session.connection().execute(update(table).values(number=table.c.number + 1))
            return
