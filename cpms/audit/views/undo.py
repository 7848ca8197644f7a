"""Taking a change back, from a toast or from the history."""

from urllib.parse import urlsplit

from flask import Response, abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.audit import queries, services
from cpms.audit.models import AuditChange, AuditEntry
from cpms.audit.views.blueprint import bp
from cpms.auth import queries as auth
from cpms.calendar.services import SlotTaken
from cpms.core.db import transaction
from cpms.core.errors import ConstraintBroken, DomainError
from cpms.core.permissions import P
from cpms.web.access import can, require
from cpms.web.errors import sentence
from cpms.web.filters import happened
from cpms.web.htmx import done, is_htmx
from cpms.web.toasts import toast
from cpms.xrays.services import AlreadyThere


@bp.post("/entries/<int:entry_id>/undo")
@require(P.PROFILE)
def undo(entry_id: int) -> ResponseReturnValue:
    """Take a change back, if whoever asks may make such a change and nobody made another one since."""
    entry = queries.entry(entry_id)
    changes = queries.changes_of(entry.id)
    if not changes or not all(can(needed) for needed in services.needed(changes, by=current_user.id)):
        abort(403)
    try:
        with transaction("entry.undo", actor=current_user, about=services.about(entry), undoes=entry.id) as write:
            services.take_back(entry, changes, may_overbook=can(P.CALENDAR_OVERBOOK))
    except DomainError as refused:
        return _refused(_why_not(refused, changes), refused.status)
    toast(_("Taken back."), undo=url_for(".undo", entry_id=write.entry_id))
    return _afterwards(changes)


def _why_not(problem: DomainError, changes: list[AuditChange]) -> str:
    """Why it cannot be taken back, with whom and when."""
    nothing = _("Nothing was taken back.")
    match problem:
        case services.TakenBackAlready():
            return _("%(who)s took this back already (%(when)s).", **_by(problem.entry))
        case services.ChangedSince():
            return _("%(who)s changed this again (%(when)s). Nothing was taken back.", **_by(problem.entry))
        case SlotTaken() if any(change.table_name == "patient" for change in changes):
            return f"{problem} {_('The trash offers to restore the patient without that visit.')}"
        case SlotTaken():
            return f"{problem} {nothing}"
        case AlreadyThere():
            return f"{problem} {nothing}"
        case ConstraintBroken():
            return _("This does not fit with what was stored since. Nothing was taken back.")
    return sentence(problem)


def _by(entry: AuditEntry) -> dict[str, str]:
    who = auth.user(entry.actor_id).display_name if entry.actor_id else _("The server")
    return {"who": who, "when": happened(entry.created_at)}


def _refused(words: str, status: int) -> Response:
    toast(words, "error")
    if not is_htmx():
        return done(_where_from())
    answer = Response("", status)
    answer.headers["HX-Reswap"] = "none"
    return answer


def _afterwards(changes: list[AuditChange]) -> Response:
    """The calendar draws itself anew under somebody's hands; a page about anything else is loaded again."""
    if not is_htmx():
        return done(_where_from())
    answer = Response("")
    if any(change.table_name not in {"event", "event_series"} for change in changes):
        answer.headers["HX-Refresh"] = "true"
    answer.headers["HX-Trigger"] = "calendar-changed, visits-changed, history-changed"
    answer.headers["HX-Reswap"] = "none"
    return answer


def _where_from() -> str:
    """The page of ours that the button stood on."""
    came = urlsplit(request.referrer or "")
    return f"{came.path}?{came.query}" if came.netloc == request.host and came.path else url_for("home")
