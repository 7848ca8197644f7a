"""A visit's walk through the day, and the way off the calendar and back."""

from flask import Response, abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.calendar import queries, services
from cpms.calendar.forms import StatusForm
from cpms.calendar.models import Event, Status
from cpms.calendar.series import queries as series_queries
from cpms.calendar.series.services import LookAtThis
from cpms.calendar.views.blueprint import CHANGED, VISITS_CHANGED, bp
from cpms.calendar.views.dialogs import ask_for_reason, reason_of, told
from cpms.calendar.views.entries import sheet
from cpms.calendar.views.series import asked_to_delete, cancel_many, delete_many, delete_page, plan_page
from cpms.core.db import transaction
from cpms.core.errors import DomainError, Forbidden, Stale
from cpms.core.permissions import P
from cpms.web.access import can, require
from cpms.web.errors import sentence
from cpms.web.filters import when
from cpms.web.htmx import finished, is_htmx, page, target_block
from cpms.web.toasts import toast


@bp.get("/events/<int:event_id>/status")
@require(P.CALENDAR_WRITE)
def ask_status(event_id: int) -> ResponseReturnValue:
    """The dialog that asks for the reason of a step back, or of a cancellation."""
    row = queries.event(event_id)
    form = StatusForm(request.args if request.args.get("status") else None, version=row.row_version)
    form.version.data = row.row_version
    if form.status.data not in set(Status):
        abort(404)
    return _status_page(row, form)


@bp.post("/events/<int:event_id>/status")
@require(P.CALENDAR_WRITE)
def set_status(event_id: int) -> ResponseReturnValue:
    row = queries.event(event_id)
    form = StatusForm(request.values)
    if not form.validate():
        if form.status.errors or form.version.errors:
            abort(400)
        return _status_page(row, form, status=422)
    before, reason_before = row.status, row.overbook_reason
    try:
        if form.takes_following and form.status.data is Status.CANCELLED:
            return cancel_many(row, form)
        with transaction("event.status", actor=current_user, about=row, reason=form.reason.data or None):
            services.set_status(
                row,
                form.status.data,
                seen=form.version.data,
                reason=form.reason.data or None,
                overbook_reason=reason_of(form),
                told_day=form.told_day.data,
                confirmed=bool(form.at_once.data) or form.confirmed.data or False,
            )
    except LookAtThis as plan:
        return plan_page(plan, form, event=row, verb="cancel")
    except DomainError as refused:
        problem = told(refused, form)
        if isinstance(problem, Forbidden) or (is_htmx() and target_block() != "dialog"):
            raise problem from None  # the way back in a toast has no dialog that could answer
        if isinstance(problem, Stale):
            toast(sentence(problem), "error")
            return page("calendar/sheet_dialog.html", status=problem.status, **sheet(row))
        return _status_page(row, form, problem=problem, status=problem.status)
    if row.status is not before:
        back = url_for(
            "calendar.set_status",
            event_id=row.id,
            status=before,
            version=row.row_version,
            reason=_("Taken back at once"),
            at_once=1,
            overbook_reason=reason_before if can(P.CALENDAR_OVERBOOK) else None,
            told_day=row.start.date(),
        )
        words = queries.status_words()
        toast(_("%(label)s: %(status)s.", label=services.label(row), status=words[row.status]), undo=back)
    return finished(url_for("calendar.day", day=row.start.date()), CHANGED, VISITS_CHANGED)


def _status_page(event: Event, form: StatusForm, *, problem: DomainError | None = None, status: int = 200) -> Response:
    taken = question = None
    warnings: list[str] = []
    if isinstance(problem, services.Unconfirmed):
        warnings, form.confirmed.data = problem.warnings, problem.key
    elif isinstance(problem, services.SlotTaken):
        taken = problem.message
        ask_for_reason(form)
    elif isinstance(problem, services.OtherDay):
        question = problem.message
    elif problem is not None:
        form.refuse(problem.field, sentence(problem))
    return page(
        "calendar/status_dialog.html",
        status=status,
        event=event,
        form=form,
        label=services.label(event),
        taken=taken,
        question=question,
        warnings=warnings,
        follow=series_queries.following(event) if form.status.data is Status.CANCELLED else 0,
        words=queries.status_words(),
        may_overbook=can(P.CALENDAR_OVERBOOK),
        Status=Status,
    )


@bp.post("/events/<int:event_id>/delete")
@require(P.CALENDAR_WRITE)
def delete(event_id: int) -> ResponseReturnValue:
    row, form = queries.event(event_id), asked_to_delete()
    if form.takes_following:
        try:
            return delete_many(row, form)
        except LookAtThis as plan:
            return plan_page(plan, form, event=row, verb="delete")
        except DomainError as problem:
            return delete_page(row, form, problem=problem, status=problem.status)
    with transaction("event.delete", actor=current_user, about=row):
        services.delete_event(row, seen=form.version.data)
    toast(
        _("Taken off the calendar: %(label)s.", label=services.label(row)),
        undo=url_for("calendar.undelete", event_id=row.id, at_once=1),
    )
    return finished(url_for("calendar.day", day=row.start.date()), CHANGED, VISITS_CHANGED)


@bp.post("/events/<int:event_id>/undelete")
@require(P.CALENDAR_WRITE)
def undelete(event_id: int) -> ResponseReturnValue:
    """Back on the calendar. Outside the hours that is asked first, but for the way back of a toast."""
    row = queries.event(event_id)
    confirmed: bool | str = "at_once" in request.values or request.values.get("confirmed", "")
    try:
        with transaction("event.undelete", actor=current_user, about=row):
            services.undelete_event(
                row,
                overbook_reason=row.overbook_reason if can(P.CALENDAR_OVERBOOK) else None,
                confirmed=confirmed,
            )
    except services.Unconfirmed as problem:
        return page(
            "calendar/undelete_dialog.html",
            status=problem.status,
            event=row,
            label=services.label(row),
            warnings=problem.warnings,
            key=problem.key,
        )
    toast(_("Back on the calendar: %(label)s, %(when)s.", label=services.label(row), when=when(row.start)))
    return finished(url_for("calendar.day", day=row.start.date()), CHANGED, VISITS_CHANGED)
