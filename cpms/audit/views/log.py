"""The whole trail: filtered on the screen, and as a table for a spreadsheet program."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Response, abort, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from cpms.audit import queries
from cpms.audit.queries import Asked
from cpms.audit.views.blueprint import bp
from cpms.audit.views.lines import Line, history, lines
from cpms.auth import queries as auth
from cpms.core.db import transaction
from cpms.core.errors import NotFound
from cpms.core.permissions import P
from cpms.patients import queries as patients
from cpms.web.access import require
from cpms.web.filters import full_day, happened

GROUPS = {
    "event": _l("calendar"),
    "calendar.print": _l("prints of the calendar"),
    "patient": _l("patients"),
    "patient.view": _l("opened charts"),
    "event.view": _l("opened visits"),
    "xray": _l("X-rays"),
    "user": _l("users"),
    "auth": _l("signing in"),
    "settings": _l("settings"),
    "backup": _l("backups"),
    "audit": _l("the log itself"),
    "exchange": _l("exports"),
    "access": _l("refusals"),
}
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet program would run
FIELDS = ("who", "what", "since", "until", "patient", "patient_id")


@dataclass(frozen=True, slots=True)
class Filter:
    """What somebody asks of the log."""

    typed: dict[str, str]
    asked: Asked
    whom: patients.Hit | None = None
    meant: tuple[patients.Hit, ...] = ()  # whom the typed words may mean, when they mean several or nobody

    @property
    def is_clear(self) -> bool:
        return self.whom is not None or not self.typed["patient"]

    def where(self) -> dict[str, Any]:
        """The address of the filter."""
        return {name: value for name, value in self.typed.items() if value}

    def in_words(self) -> str:
        """For the trail: what was taken along."""
        who = auth.user(self.asked.actor_id).display_name if self.asked.actor_id else ""
        days = [full_day(day) for day in (self.asked.since, self.asked.until) if day]
        parts = [who, str(GROUPS.get(self.asked.what or "", "")), self.whom.name if self.whom else "", " – ".join(days)]
        return ", ".join(part for part in parts if part)


def _filter(given: Any) -> Filter:
    typed = {name: given.get(name, "").strip() for name in FIELDS}
    whom, meant = _whom(typed["patient"], typed["patient_id"])
    if whom is not None:
        typed |= {"patient": whom.name, "patient_id": str(whom.id)}
    asked = Asked(
        actor_id=_user_id(typed["who"]),
        what=typed["what"] if typed["what"] in GROUPS else None,
        since=_day(typed["since"]),
        until=_day(typed["until"]),
        patient_id=whom.id if whom else None,
    )
    return Filter(typed, asked, whom, meant)


def _whom(words: str, chosen: str) -> tuple[patients.Hit | None, tuple[patients.Hit, ...]]:
    """The chosen patient, or the only one whom the words mean; else all whom they may mean."""
    if _is_id(chosen):
        if known := patients.hits([int(chosen)]):
            return known[0], ()
        raise NotFound
    meant = _meant(words)
    return (meant[0], ()) if len(meant) == 1 else (None, meant)


def _meant(words: str) -> tuple[patients.Hit, ...]:
    """By chart number deleted ones, too: their trail is what somebody may be looking for."""
    number = words.lstrip("#")
    found = patients.with_chart_no(int(number)) if _is_id(number) else []
    found += patients.search(words, limit=8, archived=True) if words else []
    return tuple({hit.id: hit for hit in found}.values())


def _is_id(typed: str) -> bool:
    return typed.isascii() and typed.isdecimal() and len(typed) <= 18


def _user_id(typed: str) -> int | None:
    if not typed:
        return None
    if not _is_id(typed):
        abort(404)
    return auth.user(int(typed)).id


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        abort(400)


@bp.get("/")
@require(P.AUDIT_READ)
def log() -> ResponseReturnValue:
    """The whole trail, as far as it is asked for."""
    return _log(_filter(request.args))


def _log(wanted: Filter) -> Response:
    nobody_yet = Asked(patient_id=0)  # as long as it is not clear who is meant, nothing is told
    return history(
        "audit/log.html",
        wanted.asked if wanted.is_clear else nobody_yet,
        "audit.log",
        wanted.where(),
        wanted=wanted,
        typed=wanted.typed,
        users=auth.users(),
        groups=GROUPS,
        choices=[(hit, {**wanted.where(), "patient": hit.name, "patient_id": hit.id}) for hit in wanted.meant],
        everybody={name: value for name, value in wanted.where().items() if not name.startswith("patient")},
    )


@bp.get("/find-patient")
@require(P.AUDIT_READ, P.PATIENT_READ)
def find_patient() -> ResponseReturnValue:
    """The list under the patient field of the log."""
    words = request.args.get("patient", "").strip()
    return Response(render_template("audit/_patient_options.html", hits=_meant(words), words=words))


@bp.post("/export")
@require(P.AUDIT_READ)
def export() -> ResponseReturnValue:
    """What the log shows, all of it, as a table for a spreadsheet program."""
    wanted = _filter(request.form)
    if not wanted.is_clear:
        answer = _log(wanted)
        answer.status_code = 422
        return answer
    with transaction("audit.export", actor=current_user, reason=(wanted.in_words() or "everything")[:300]):
        pass
    answer = Response(stream_with_context(_table(wanted.asked)), mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="audit-log.csv"'
    return answer


def _table(asked: Asked) -> Iterator[str]:
    """Line by line in the same memory however long the trail is; each look at a chart is a row of its own."""
    yield "\ufeff" + _row(
        _("Entry"), _("When"), _("Who"), _("What"), _("About"), _("Details"), _("Taken back by"), _("From where")
    )
    for entries in queries.whole_trail(asked):
        yield "".join(_row(*_cells(line)) for line in lines(entries, merge=False))


def _cells(line: Line) -> tuple[str, ...]:
    return (
        str(line.entry.id),
        happened(line.entry.created_at),
        line.who,
        line.what,
        ", ".join(part for part in (line.subject, line.visit) if part),
        "; ".join(line.details),
        f"{line.taken_back[0]}, {happened(line.taken_back[1])}" if line.taken_back else "",
        line.entry.origin,
    )


def _row(*cells: str) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
    return out.getvalue()
