"""The list of visits that want another date, and the word that none is wanted."""

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.calendar import queries, rebooking, services
from cpms.calendar.forms import NoDateForm, is_whole
from cpms.calendar.models import Event
from cpms.calendar.views.blueprint import CHANGED, VISITS_CHANGED, bp
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import DomainError
from cpms.core.permissions import P
from cpms.web.access import can, require
from cpms.web.errors import sentence
from cpms.web.htmx import finished, page
from cpms.web.toasts import toast, way_back


@bp.get("/rebook")
@require(P.CALENDAR_READ, P.PATIENT_READ)
def rebook() -> ResponseReturnValue:
    """Whom to call for another date. Names and telephone numbers of patients: a look at them leaves a trace."""
    typed = request.args.get("page", "1")
    number = int(typed) if is_whole(typed) else 1
    with transaction("calendar.rebook_list", actor=current_user, reason=str(clock.today())):
        pass
    lost, _without = rebooking.counts()
    return page(
        "calendar/rebook.html",
        lost=rebooking.lost() if lost else [],
        lost_total=lost,
        left=rebooking.left(page=number),
        here=url_for("calendar.rebook", page=number if number > 1 else None),
        may_write=can(P.CALENDAR_WRITE),
        words=queries.status_words(),
    )


@bp.get("/events/<int:event_id>/no-new-date")
@require(P.CALENDAR_WRITE)
def ask_no_new_date(event_id: int) -> ResponseReturnValue:
    row = queries.event(event_id)
    return _ask(row, NoDateForm(None, version=row.row_version))


@bp.post("/events/<int:event_id>/no-new-date")
@require(P.CALENDAR_WRITE)
def no_new_date(event_id: int) -> ResponseReturnValue:
    """The patient wants none, or needs none: the visit leaves the list, and the reason stays with it."""
    row = queries.event(event_id)
    form = NoDateForm(request.form)
    if not form.validate():
        return _ask(row, form, status=422)
    try:
        with transaction("event.no_new_date", actor=current_user, about=row) as write:
            services.want_no_new_date(row, seen=form.version.data or 0, reason=form.reason.data)
    except DomainError as problem:
        form.refuse(problem.field, sentence(problem))
        form.version.data = row.row_version
        return _ask(row, form, status=problem.status)
    toast(
        _("%(label)s: no new date wanted.", label=services.label(row)),
        undo=way_back(write),
    )
    return finished(url_for("calendar.rebook"), CHANGED, VISITS_CHANGED)


def _ask(event: Event, form: NoDateForm, *, status: int = 200) -> Response:
    label = services.label(event)
    return page("calendar/no_date_dialog.html", status=status, event=event, form=form, label=label)
