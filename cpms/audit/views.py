"""Who did what: the history of a patient, an entry, a user; the whole log; the trash; and taking a change back."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.audit import queries, services, words
from cpms.audit.models import AuditChange, AuditEntry
from cpms.audit.queries import Asked
from cpms.auth import queries as auth
from cpms.calendar import queries as calendar
from cpms.core.db import transaction
from cpms.core.errors import ConstraintBroken, DomainError
from cpms.core.permissions import P
from cpms.patients import queries as patients
from cpms.patients.models import Patient
from cpms.web.access import can, require
from cpms.web.filters import happened
from cpms.web.htmx import done, is_htmx, page
from cpms.web.toasts import toast
from cpms.xrays import queries as xrays
from cpms.xrays.models import Xray

bp = Blueprint("audit", __name__, url_prefix="/audit")

PER_PAGE = 50
ONE_LOOK = timedelta(minutes=10)
MOST_EXPORTED = 100_000
GROUPS = ("event", "patient", "patient.view", "xray", "user", "auth", "settings", "backup", "access")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet program would run


@dataclass(slots=True)
class Line:
    """One entry as people read it."""

    entry: AuditEntry
    who: str
    what: str
    details: list[str]
    patient: str
    taken_back_by: str | None
    can_undo: bool
    times: int = 1
    since: datetime | None = field(default=None)


def _lines(entries: list[AuditEntry]) -> list[Line]:
    changes = queries.changes_of_all(entry.id for entry in entries)
    ids = {entry.patient_id for entry in entries} | {each.patient_id for rows in changes.values() for each in rows}
    ids |= {
        value
        for rows in changes.values()
        for each in rows
        for value in each.columns.get("patient_id", [])
        if isinstance(value, int)
    }
    speaker = words.Speaker(may_read_medical=can(P.MEDICAL_READ), patient_ids={each for each in ids if each})
    back = queries.taken_back_by(entry.id for entry in entries)
    lines: list[Line] = []
    for entry in entries:
        line = _line(entry, changes[entry.id], speaker, back)
        if lines and _is_same_look(lines[-1], entry):
            lines[-1].times += 1
            lines[-1].since = entry.created_at
        else:
            lines.append(line)
    return lines


def _line(entry: AuditEntry, changes: list[AuditChange], speaker: words.Speaker, back: dict[int, int | None]) -> Line:
    details, what = [], words.action(entry.action)
    for change in changes:
        moved = speaker.moved(change.columns) if entry.action == "event.move" else None
        columns = change.columns
        if moved:
            what, columns = moved, {key: value for key, value in columns.items() if key not in {"start", "end"}}
        details += speaker.changes(change.table_name, columns)
    if entry.reason:
        details.append(_("Reason: %(reason)s", reason=entry.reason))
    reversible = bool(changes) and entry.id not in back and all(services.is_reversible(each) for each in changes)
    return Line(
        entry,
        speaker.who(entry.actor_id),
        what,
        details,
        speaker.patient(entry.patient_id or next((each.patient_id for each in changes), None)),
        speaker.who(back[entry.id]) if entry.id in back else None,
        reversible and all(can(needed) for needed in services.needed(changes)),
    )


def _is_same_look(line: Line, entry: AuditEntry) -> bool:
    """Somebody who opens a chart again within ten minutes is still looking at it."""
    newest = line.since or line.entry.created_at
    return (
        entry.action in queries.LOOKS
        and (entry.action, entry.actor_id, entry.patient_id)
        == (line.entry.action, line.entry.actor_id, line.entry.patient_id)
        and newest - entry.created_at <= ONE_LOOK
    )


def _number() -> int:
    return max(1, request.args.get("page", 1, type=int))


def _history(template: str, asked: Asked, here: str, **context: Any) -> Response:
    number = _number()
    entries, more = queries.trail(asked, page=number, size=PER_PAGE)
    return page(template, lines=_lines(entries), more=more, number=number, here=here, **context)


@bp.get("/patients/<int:patient_id>")
@require(P.PATIENT_READ)
def of_patient(patient_id: int) -> ResponseReturnValue:
    """The tab "History" of a chart; opening it is opening the chart. Who looked is told to the owner alone."""
    chart = patients.chart(patient_id)
    with transaction("patient.view", actor=current_user, about=chart.row):
        pass
    asked = Asked(patient_id=patient_id, looks=can(P.AUDIT_READ) and request.args.get("looks") == "1")
    here = url_for(".of_patient", patient_id=patient_id, looks=request.args.get("looks"))
    return _history("audit/patient.html", asked, here, patient=chart, looks=asked.looks)


@bp.get("/events/<int:event_id>")
@require(P.CALENDAR_READ)
def of_event(event_id: int) -> ResponseReturnValue:
    event = calendar.event(event_id)
    here = url_for(".of_event", event_id=event_id)
    return _history("audit/event_dialog.html", Asked(event_id=event_id), here, event=event)


@bp.get("/users/<int:user_id>")
@require(P.USERS_MANAGE)
def of_user(user_id: int) -> ResponseReturnValue:
    here = url_for(".of_user", user_id=user_id)
    return _history("audit/user.html", Asked(user_id=user_id), here, user=auth.user(user_id))


@bp.get("/")
@require(P.AUDIT_READ)
def log() -> ResponseReturnValue:
    """The whole trail, as far as it is asked for."""
    typed = {name: request.args.get(name, "") for name in ("who", "what", "since", "until", "patient")}
    here = url_for(".log", **{name: value for name, value in typed.items() if value})
    return _history("audit/log.html", _asked(typed), here, typed=typed, users=auth.users(), groups=GROUPS, words=words)


def _asked(typed: dict[str, str]) -> Asked:
    chart_no = typed["patient"].strip().lstrip("#")
    return Asked(
        actor_id=int(typed["who"]) if typed["who"].isdecimal() and len(typed["who"]) < 10 else None,
        what=typed["what"] if typed["what"] in GROUPS else None,
        since=_day(typed["since"]),
        until=_day(typed["until"]),
        patient_id=_patient_with(chart_no) if chart_no else None,
    )


def _patient_with(typed: str) -> int:
    """The first patient that a typed name or number means; 0, whom nothing is about, when there is none."""
    hits = patients.search(typed, limit=1, archived=True)
    return hits[0].id if hits else 0


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        abort(400)


@bp.post("/export")
@require(P.AUDIT_READ)
def export() -> ResponseReturnValue:
    """What the log shows, as a table for a spreadsheet program."""
    typed = {name: request.form.get(name, "") for name in ("who", "what", "since", "until", "patient")}
    entries, _more = queries.trail(_asked(typed), size=MOST_EXPORTED)
    told = ", ".join(f"{name} {value}" for name, value in typed.items() if value)
    with transaction("audit.export", actor=current_user, reason=(told or _("everything"))[:300]):
        pass
    answer = Response(_table(entries), mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="audit-log.csv"'
    return answer


def _table(entries: list[AuditEntry]) -> Iterator[str]:
    def row(*cells: str) -> str:
        out = io.StringIO()
        csv.writer(out).writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
        return out.getvalue()

    rows = ["\ufeff" + row(_("When"), _("Who"), _("What"), _("Patient"), _("Details"), _("From where"))]
    for line in _lines(entries):
        rows.append(
            row(
                happened(line.entry.created_at),
                line.who,
                line.what,
                line.patient,
                "; ".join(line.details),
                line.entry.origin,
            )
        )
    return iter(rows)


@bp.post("/entries/<int:entry_id>/undo")
@require(P.PROFILE)
def undo(entry_id: int) -> ResponseReturnValue:
    """Take a change back, if whoever asks may make such a change and nobody made another one since."""
    entry = queries.entry(entry_id)
    changes = queries.changes_of(entry.id)
    if not changes or not all(can(needed) for needed in services.needed(changes)):
        abort(403)
    if entry.id in queries.taken_back_by([entry.id]):
        abort(409)
    try:
        with transaction("entry.undo", actor=current_user, about=services.about(entry), undoes=entry.id) as write:
            services.take_back(changes)
    except services.ChangedSince as newer:
        who = auth.user(newer.entry.actor_id).display_name if newer.entry.actor_id else _("The server")
        at = happened(newer.entry.created_at)
        return _refused(_("%(who)s changed this again (%(when)s). Nothing was taken back.", who=who, when=at), 409)
    except ConstraintBroken:
        return _refused(_in_the_way(changes), 409)
    except DomainError as refused:
        return _refused(str(refused), refused.status)
    toast(_("Taken back."), undo=url_for(".undo", entry_id=write.entry_id))
    return _afterwards(changes)


def _in_the_way(changes: list[AuditChange]) -> str:
    if any(change.table_name == "xray" for change in changes):
        return _("The same file is in the chart by now. Nothing was taken back.")
    return _("Something else has this time now. Nothing was taken back.")


def _refused(sentence: str, status: int) -> Response:
    toast(sentence, "error")
    if not is_htmx():
        return done(request.referrer if request.referrer else url_for("home"))
    answer = Response("", status)
    answer.headers["HX-Reswap"] = "none"
    return answer


def _afterwards(changes: list[AuditChange]) -> Response:
    """The calendar draws itself anew under somebody's hands; a page about anything else is loaded again."""
    if not is_htmx():
        return done(url_for("home"))
    answer = Response("")
    if any(change.table_name != "event" for change in changes):
        answer.headers["HX-Refresh"] = "true"
    answer.headers["HX-Trigger"] = "calendar-changed, visits-changed, history-changed"
    answer.headers["HX-Reswap"] = "none"
    return answer


@bp.get("/trash")
@require(P.PATIENT_ARCHIVE)
def trash() -> ResponseReturnValue:
    """What was deleted, by whom, when and why."""
    rows = queries.trash()
    speaker = words.Speaker(may_read_medical=False)
    return page("audit/trash.html", rows=rows, speaker=speaker, Patient=Patient, Xray=Xray, kinds=xrays.kind_words())
