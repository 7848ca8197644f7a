"""Taking a change back."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Date, Enum

from cpms.audit import queries
from cpms.audit.models import AuditChange, AuditEntry
from cpms.calendar.models import AppointmentType, Chair, Event
from cpms.core import clock
from cpms.core.columns import Instant, WallClock
from cpms.core.db import db
from cpms.core.errors import Conflict, Refused
from cpms.core.permissions import P
from cpms.patients import services as patients
from cpms.patients.models import Patient
from cpms.xrays.models import Xray

MODELS: dict[str, type[Any]] = {
    "patient": Patient,
    "event": Event,
    "chair": Chair,
    "appointment_type": AppointmentType,
    "xray": Xray,
}
# A column that no row of the table is without.
_ALWAYS = {"patient": "chart_no", "event": "start", "chair": "name", "appointment_type": "name", "xray": "sha256"}
FOLLOWS = {"search_text", "name_key", "booking_key", "status_changed_at"}  # kept by the program; not put back


class ChangedSince(Conflict):
    """Somebody changed the same thing afterwards; `entry` tells who."""

    def __init__(self, entry: Any) -> None:
        super().__init__(_("This was changed again since. Nothing was taken back."))
        self.entry = entry


def about(entry: AuditEntry) -> Any:
    """The row that an entry is about, when it is one of those that can be put back."""
    model = MODELS.get(entry.about_table or "")
    return db.session.get(model, int(entry.about_id)) if model and entry.about_id else None


def is_reversible(change: AuditChange) -> bool:
    """Whether a change can be taken back: of a row whose making can be, by putting it into the trash, or of columns."""
    if change.table_name not in MODELS:
        return False
    return "deleted_at" in MODELS[change.table_name].__table__.columns if _was_made(change) else True


def _was_made(change: AuditChange) -> bool:
    """Whether the change is the making of the row: a column that no row is without had no value before."""
    always = _ALWAYS[change.table_name]
    return always in change.columns and change.columns[always][0] is None


def needed(changes: list[AuditChange]) -> set[P]:
    """The permissions of whoever takes these changes back: those of the change itself."""
    wanted: set[P] = set()
    for change in changes:
        if change.table_name == "patient":
            wanted.add(P.PATIENT_WRITE)
            medical = {column.key for column in Patient.__table__.columns if column.info.get("medical")}
            if medical & set(change.columns):
                wanted.add(P.MEDICAL_WRITE)
            if {"status", "deleted_at", "chart_no"} & set(change.columns):
                wanted.add(P.PATIENT_ARCHIVE)
        elif change.table_name == "xray":
            wanted |= {P.XRAY_READ, P.XRAY_WRITE}
            if {"findings", "impression", "reported_at"} & _said(change):
                wanted.add(P.XRAY_REPORT)
        else:
            wanted.add(P.CALENDAR_WRITE if change.table_name == "event" else P.CALENDAR_SETUP)
        if change.table_name == "event" and "overbook_reason" in change.columns:
            wanted.add(P.CALENDAR_OVERBOOK)  # what goes back may come to lie over another entry
    return wanted


def _said(change: AuditChange) -> set[str]:
    """The columns that hold something before or after."""
    return {name for name, values in change.columns.items() if any(value not in (None, "") for value in values)}


def take_back(changes: list[AuditChange]) -> None:
    """Put every column back to what it was. Raises ChangedSince, or Refused when a change is not reversible."""
    if not changes or not all(is_reversible(change) for change in changes):
        raise Refused(_("This cannot be taken back."))
    for change in changes:
        if newer := queries.newer_change(change):
            raise ChangedSince(newer)
    for change in {(each.table_name, each.row_id): each for each in changes}.values():
        _put_back(change)


def _put_back(change: AuditChange) -> None:
    model = MODELS[change.table_name]
    row = db.session.get(model, int(change.row_id))
    if row is None:
        raise Refused(_("This cannot be taken back."))
    if _was_made(change):
        row.deleted_at = clock.now()
        return
    values = {name: _python(model, name, old) for name, (old, _new) in change.columns.items() if name not in FOLLOWS}
    if isinstance(row, Patient):
        patients.put_back(row, values)
    else:
        _set(row, values)


def _set(row: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def _python(model: type[Any], name: str, value: Any) -> Any:
    """A JSON value of the trail as the column knows it."""
    kind = model.__table__.columns[name].type
    if value is None:
        return None
    if isinstance(kind, Instant | WallClock):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    if isinstance(kind, Enum) and kind.enum_class:
        return kind.enum_class(value)
    return value
