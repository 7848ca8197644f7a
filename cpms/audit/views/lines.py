"""Entries of the trail as people read them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Response, abort, request, url_for
from flask_login import current_user

from cpms.audit import queries, services, words
from cpms.audit.models import AuditChange, AuditEntry
from cpms.audit.queries import Asked
from cpms.calendar import queries as calendar
from cpms.core.permissions import P
from cpms.web.access import can
from cpms.web.htmx import page

PER_PAGE = 50
ONE_LOOK = timedelta(minutes=10)
SERIES = "event_series."  # of many entries at once


@dataclass(slots=True)
class Line:
    """One entry, or several looks of one person at one chart."""

    entry: AuditEntry
    who: str
    what: str
    details: list[str]
    subject: str  # whom or what it is about
    subject_url: str | None
    visit: str  # which entry of the calendar
    taken_back: tuple[str, datetime] | None  # by whom, and when
    can_undo: bool
    times: int = 1
    since: datetime | None = field(default=None)


Row = tuple[str, str]  # a table, and an id of it


def lines(entries: Sequence[AuditEntry], *, merge: bool = True, only: Row | None = None) -> list[Line]:
    """The entries in words; with `merge` looks that follow each other are one line, and of what changed `only` one row
    is told."""
    changes = queries.changes_of_all(entry.id for entry in entries)
    back = queries.taken_back_by(entry.id for entry in entries)
    speaker = _speaker(entries, changes)
    found: list[Line] = []
    for entry in entries:
        if merge and found and _is_same_look(found[-1], entry):
            found[-1].times += 1
            found[-1].since = entry.created_at
        else:
            found.append(_line(entry, changes[entry.id], speaker, back.get(entry.id), only))
    return found


def _speaker(entries: Sequence[AuditEntry], changes: dict[int, list[AuditChange]]) -> words.Speaker:
    every = [change for rows in changes.values() for change in rows]
    named = {entry.patient_id for entry in entries} | {change.patient_id for change in every}
    named |= {value for change in every for value in change.columns.get("patient_id", []) if isinstance(value, int)}
    events = {int(entry.about_id) for entry in entries if entry.about_table == "event" and entry.about_id}
    of_series = {entry.id for entry in entries if entry.action.startswith(SERIES)}
    events |= {int(each.row_id) for each in every if each.entry_id in of_series and each.table_name == "event"}
    return words.Speaker(
        may_read_medical=can(P.MEDICAL_READ),
        patient_ids={each for each in named if each},
        starts=calendar.starts(events) if events else {},
    )


def _line(
    entry: AuditEntry,
    changes: list[AuditChange],
    speaker: words.Speaker,
    back: AuditEntry | None,
    only: Row | None,
) -> Line:
    details, what, visit = [], words.action(entry.action), speaker.visit(entry)
    told = changes
    if entry.action.startswith(SERIES):
        what = speaker.series(entry.action, changes)
        if not only:
            details, told = speaker.of_series(changes), []
    for change in told:
        if only and (change.table_name, change.row_id) != only:
            continue
        moved = speaker.moved(change.columns) if entry.action == "event.move" else None
        columns = change.columns
        if moved:
            what, visit = moved, ""
            columns = {key: value for key, value in columns.items() if key not in {"start", "end"}}
        details += speaker.changes(change.table_name, change.row_id, columns)
    if entry.reason and not (entry.action.startswith("xray") and not can(P.XRAY_READ)):
        details.append(speaker.reason(entry.action, entry.reason))
    patient_id = entry.patient_id or next((each.patient_id for each in changes if each.patient_id), None)
    return Line(
        entry,
        speaker.who(entry.actor_id),
        what,
        details,
        speaker.subject(entry, patient_id),
        _url(entry, patient_id),
        visit,
        (speaker.who(back.actor_id), back.created_at) if back else None,
        back is None and _may_undo(changes),
    )


def _may_undo(changes: list[AuditChange]) -> bool:
    return (
        bool(changes)
        and all(services.is_reversible(each) for each in changes)
        and all(can(needed) for needed in services.needed(changes, by=current_user.id))
    )


def _url(entry: AuditEntry, patient_id: int | None) -> str | None:
    """Where the history of that one is told."""
    if patient_id:
        return url_for("audit.of_patient", patient_id=patient_id)
    if entry.about_table == "user" and entry.about_id and can(P.USERS_MANAGE):
        return url_for("audit.of_user", user_id=int(entry.about_id))
    return None


def _is_same_look(line: Line, entry: AuditEntry) -> bool:
    """Somebody who opens a chart again within ten minutes is still looking at it."""
    newest = line.since or line.entry.created_at
    return (
        entry.action in queries.LOOKS
        and (entry.action, entry.actor_id, entry.patient_id)
        == (line.entry.action, line.entry.actor_id, line.entry.patient_id)
        and newest - entry.created_at <= ONE_LOOK
    )


def history(
    template: str, asked: Asked, endpoint: str, where: dict[str, Any], *, only: Row | None = None, **context: Any
) -> Response:
    """A page of the trail; `endpoint` and `where` are its address without the entry that it begins before."""
    before = _before()
    entries, more = queries.trail(asked, before=before, size=PER_PAGE)
    return page(
        template,
        lines=lines(entries, only=only),
        here=url_for(endpoint, **where, before=before),
        newest=url_for(endpoint, **where) if before is not None else None,
        older=url_for(endpoint, **where, before=entries[-1].id) if more else None,
        **context,
    )


def _before() -> int | None:
    typed = request.args.get("before", "")
    if typed and not (typed.isascii() and typed.isdecimal() and len(typed) <= 18):
        abort(404)
    return int(typed) if typed else None
