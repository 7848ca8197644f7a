"""Taking a change back."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Date, Enum

from cpms.audit import queries
from cpms.audit.models import AuditChange, AuditEntry
from cpms.auth import services as auth
from cpms.auth.models import User
from cpms.calendar import queries as calendar_queries
from cpms.calendar import services as calendar
from cpms.calendar.models import AppointmentType, Chair, Event, EventSeries
from cpms.core.columns import Instant, WallClock
from cpms.core.db import db
from cpms.core.errors import Conflict, Refused
from cpms.core.permissions import P
from cpms.hours import services as hours
from cpms.hours.models import TimeOff, WorkWeek
from cpms.patients import services as patients
from cpms.patients.models import Patient
from cpms.settings import services as settings
from cpms.settings.models import Setting
from cpms.xrays import services as xrays
from cpms.xrays.models import Xray, XrayMount

MODELS: dict[str, type[Any]] = {
    "patient": Patient,
    "event": Event,
    "event_series": EventSeries,
    "chair": Chair,
    "appointment_type": AppointmentType,
    "user": User,
    "setting": Setting,
    "xray": Xray,
    "xray_mount": XrayMount,
    "time_off": TimeOff,
    "work_week": WorkWeek,
}
# A column that no row of the table is without: the change that gives it its first value is the making of the row.
ALWAYS = {
    "patient": "chart_no",
    "event": "start",
    "event_series": "unit",
    "chair": "name",
    "appointment_type": "name",
    "user": "username",
    "setting": "value",
    "xray": "sha256",
    "xray_mount": "layout",
    "time_off": "start",
    "work_week": "days",
}
# Kept by the program; not put back.
FOLLOWS = {"search_text", "name_key", "booking_key", "status_changed_at", "username_key", "email_key"}
OWN = {"display_name", "email", "theme", "language"}  # what everybody may change about themselves
SPAN = {"start", "end"}
MEDICAL = {column.key for column in Patient.__table__.columns if column.info.get("medical")}


class ChangedSince(Conflict):
    """Somebody changed the same thing afterwards; `entry` tells who."""

    def __init__(self, entry: AuditEntry) -> None:
        super().__init__(_("This was changed again since. Nothing was taken back."))
        self.entry = entry


class TakenBackAlready(Conflict):
    """Somebody was faster; `entry` tells who."""

    def __init__(self, entry: AuditEntry) -> None:
        super().__init__(_("This was taken back already."))
        self.entry = entry


def about(entry: AuditEntry) -> Any:
    """The row that an entry is about, when it is one of those that can be put back."""
    model = MODELS.get(entry.about_table or "")
    return db.session.get(model, _key(model, entry.about_id)) if model and entry.about_id else None


def _key(model: type[Any], row_id: str) -> int | str:
    return row_id if model is Setting else int(row_id)


def is_reversible(change: AuditChange) -> bool:
    """Whether a change can be taken back: of a row whose making can be, by putting it into the trash, or of columns."""
    match change.table_name:
        case "setting":
            return change.row_id in settings.REVERSIBLE
        case "user":
            return not _was_made(change) and _told(change) <= auth.REVERSIBLE
        case "patient" | "event" | "event_series" | "xray" | "xray_mount" | "time_off" | "work_week":
            return True
        case "chair" | "appointment_type":
            return not _was_made(change)
    return False


def _told(change: AuditChange) -> set[str]:
    return set(change.columns) - FOLLOWS


def _said(change: AuditChange) -> set[str]:
    """The columns that hold something before or after."""
    return {name for name, values in change.columns.items() if any(value not in (None, "") for value in values)}


def _was_made(change: AuditChange) -> bool:
    """Whether the change is the making of the row."""
    always = ALWAYS[change.table_name]
    return always in change.columns and change.columns[always][0] is None


def needed(changes: Sequence[AuditChange], *, by: int) -> set[P]:
    """The permissions that the user `by` needs to take these changes back: those of the change itself."""
    return {permission for change in changes for permission in _needed(change, by)}


def _needed(change: AuditChange, by: int) -> set[P]:
    columns = _told(change)
    match change.table_name:
        case "patient" if _was_made(change):
            return {P.PATIENT_WRITE, P.PATIENT_ARCHIVE}  # into the trash
        case "patient":
            wanted = {P.PATIENT_WRITE}
            if MEDICAL & columns:
                wanted.add(P.MEDICAL_WRITE)
            if {"status", "deleted_at"} & columns:
                wanted.add(P.PATIENT_ARCHIVE)
            return wanted
        case "event" | "event_series":
            # What goes back may come to lie over another entry.
            return {P.CALENDAR_WRITE} | ({P.CALENDAR_OVERBOOK} if "overbook_reason" in columns else set())
        case "user":
            return {P.PROFILE} if change.row_id == str(by) and columns <= OWN else {P.USERS_MANAGE}
        case "xray":
            if any(note.get("author_id") != by for note in _notes_that_would_go(change)):
                return {P.XRAY_READ, P.XRAY_WRITE, P.XRAY_REPORT}  # notes are their authors', and the dentists'
            reported = {"findings", "impression", "reported_at"} & _said(change)
            return {P.XRAY_READ, P.XRAY_WRITE} | ({P.XRAY_REPORT} if reported else set())
        case "xray_mount":
            return {P.XRAY_READ, P.XRAY_WRITE}
        case "setting":
            return _needed_for_setting(change.row_id)
        case "work_week" | "time_off":
            return {_needed_for_hours(change)}
    return {P.CALENDAR_SETUP}


def _needed_for_setting(key: str) -> set[P]:
    if key.startswith("holiday_"):
        return {P.CALENDAR_SETUP}
    return {P.SETTINGS_WRITE} | ({P.BACKUP_MANAGE} if key.startswith("backup_") else set())


def _needed_for_hours(change: AuditChange) -> P:
    """The clinic's closed days are the owner's, what a provider does is planned at the desk."""
    row = db.session.get(TimeOff, int(change.row_id)) if change.table_name == "time_off" else None
    return P.CALENDAR_SETUP if row is not None and row.provider_id is None else P.HOURS_WRITE


def _notes_that_would_go(change: AuditChange) -> list[dict[str, Any]]:
    old, new = change.columns.get("layers") or ([], [])
    return [note for note in new or [] if note not in (old or [])]


def take_back(entry: AuditEntry, changes: Sequence[AuditChange], *, may_overbook: bool) -> None:
    """Put every column back to what it was.

    Raises TakenBackAlready, ChangedSince, Refused when a change is not reversible, and whatever the verbs of the rows'
    own domains say against it.
    """
    if not changes or not all(is_reversible(change) for change in changes):
        raise Refused(_("This cannot be taken back."))
    if earlier := queries.taken_back_by([entry.id]).get(entry.id):
        raise TakenBackAlready(earlier)
    for change in changes:
        if newer := queries.newer_change(change):
            raise ChangedSince(newer)
    once = list({(change.table_name, change.row_id): change for change in changes}.values())
    # The last first: of a series that moved onto its own places each finds its old place free again.
    once.reverse()
    for change in sorted(once, key=_turn):
        _put_back(change, may_overbook=may_overbook)


def _turn(change: AuditChange) -> int:
    """A chart comes back before its visits, and goes after them."""
    if change.table_name != "patient":
        return 1
    return 2 if _was_made(change) else 0


def _put_back(change: AuditChange, *, may_overbook: bool) -> None:
    model = MODELS[change.table_name]
    row = db.session.get(model, _key(model, change.row_id))
    if row is None:
        raise Refused(_("This cannot be taken back."))
    if isinstance(row, EventSeries):
        if not _was_made(change):  # else its entries leave the calendar, and the rule alone shows nowhere
            calendar.put_row_back(row, {name: _python(model, name, change.columns[name][0]) for name in _told(change)})
        return
    if _was_made(change) and isinstance(row, Event | Patient | Xray | XrayMount):
        _unmake(row)
        return
    if _was_made(change) and isinstance(row, TimeOff | WorkWeek):
        hours.unmake(row)
        return
    values = {name: _python(model, name, change.columns[name][0]) for name in _told(change)}
    if len(SPAN & set(values)) == 1:
        _check_other_half(change, row, values)
    verbs: dict[type[Any], Callable[[], None]] = {
        Patient: lambda: patients.put_back(row, values),
        Event: lambda: calendar.put_back(row, values, may_overbook=may_overbook),
        Xray: lambda: xrays.put_back(row, values),
        XrayMount: lambda: xrays.put_mount_back(row, values),
        TimeOff: lambda: hours.put_back(row, values),
        WorkWeek: lambda: hours.put_back(row, values),
        User: lambda: auth.put_back(row, values),
        Setting: lambda: settings.put_back(row.key, values["value"]),
    }
    verbs.get(model, lambda: calendar.put_row_back(row, values))()
    db.session.flush()  # the next row's rules see this one where it is now


def _check_other_half(change: AuditChange, row: Any, values: dict[str, Any]) -> None:
    """A start, or an end, goes back alone only as long as it makes a time together with the other one."""
    start, end = (values.get(name, getattr(row, name)) for name in ("start", "end"))
    try:
        if isinstance(row, Event):
            calendar.check_times(row.kind, start, end)
        else:
            hours.check_span(start, end)
    except Refused:
        if newer := queries.newer_change(change, columns=SPAN):
            raise ChangedSince(newer) from None
        raise


def _unmake(row: Event | Patient | Xray | XrayMount) -> None:
    """Into the trash. A chart with visits to come asks first what becomes of them: that is not done from here."""
    if isinstance(row, Xray):
        xrays.delete_xray(row, seen=row.row_version)
        return
    if isinstance(row, XrayMount):
        xrays.delete_mount(row, seen=row.row_version)
        return
    if isinstance(row, Event):
        calendar.delete_event(row, seen=row.row_version)
        db.session.flush()
        return
    if coming := calendar_queries.coming(row.id):
        raise Refused(
            ngettext(
                "%(num)d visit of %(name)s is booked. Delete the patient in the chart: that takes it off the calendar.",
                "%(num)d visits of %(name)s are booked. Delete the patient in the chart: that takes them off the "
                "calendar.",
                len(coming),
                name=row.name,
            )
        )
    patients.delete_patient(row)


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
