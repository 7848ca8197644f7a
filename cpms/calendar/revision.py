"""Counts the changes that an open calendar could show, so that a poll costs one small read."""

from typing import Any

from flask_sqlalchemy.session import Session as AppSession
from sqlalchemy import event, inspect, update
from sqlalchemy.orm import Session

from cpms.auth.models import User
from cpms.calendar.models import AppointmentType, CalendarRevision, Chair, Event
from cpms.hours.models import TimeOff, WorkWeek
from cpms.patients.models import Patient
from cpms.settings.models import Setting

# What of a row stands on a calendar; of the others every column does.
ALL_OF = (Event, Patient, Chair, AppointmentType, Setting, TimeOff, WorkWeek)
OF_A_USER = ("display_name", "color", "active", "is_provider")


def install() -> None:
    """Start counting; once is enough."""
    if not event.contains(AppSession, "after_flush", _count):
        event.listen(AppSession, "after_flush", _count)


def _count(session: Session, _context: Any) -> None:
    rows = (*session.new, *session.dirty, *session.deleted)
    if any(isinstance(row, ALL_OF) or (isinstance(row, User) and _shows(row)) for row in rows):
        table = CalendarRevision.__table__
        session.connection().execute(update(table).values(number=table.c.number + 1))


def _shows(user: User) -> bool:
    """Signing in and choosing a theme change a user, too, and no calendar."""
    state = inspect(user)
    return any(state.attrs[name].history.has_changes() for name in OF_A_USER)
