"""Entries that repeat: the plan that somebody looks at before anything is stored, and the sheet of a series."""

from collections.abc import Callable
from typing import Any

from flask import Response, abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from cpms.calendar import clipboard, queries, services
from cpms.calendar.forms import EventForm, MoveForm, StatusForm, is_whole
from cpms.calendar.models import Event, Kind, Status
from cpms.calendar.series import queries as series_queries
from cpms.calendar.series import rules
from cpms.calendar.series import services as series
from cpms.calendar.series.forms import DeleteForm, ExtendForm
from cpms.calendar.series.services import LookAtThis
from cpms.calendar.views.blueprint import CHANGED, VISITS_CHANGED, bp
from cpms.calendar.views.dialogs import reason_of, whom
from cpms.core.db import transaction
from cpms.core.errors import DomainError, Forbidden
from cpms.core.permissions import P
from cpms.settings.forms import WEEKDAYS
from cpms.web.access import can, require
from cpms.web.errors import sentence
from cpms.web.filters import when
from cpms.web.htmx import finished, page
from cpms.web.toasts import toast, way_back

OF_THE_PLAN = {"csrf_token", "take", "looked", "back", "overbook_reason"}  # the rest is carried on unseen


def book_many(form: EventForm, whose: Callable[[], int | None]) -> Response:
    """A new entry that repeats. Raises LookAtThis before anything is stored."""
    slot = form.slot()
    with transaction("event_series.create", actor=current_user) as write:
        rows = series.book_series(
            rule=form.rule(form.day.data),
            **form.end(),
            made_by=current_user.id,
            ticks=form.ticks(),
            overbook_reason=reason_of(form),
            booking_key=form.booking_key.data or None,
            kind=form.kind.data,
            patient_id=whose(),
            title=form.title.data or "",
            type_id=form.type_id.data,
            color=form.color.data or None,
            notes=form.notes.data or "",
            **slot,
        )
        if write.changes:  # a form that is sent twice books once, and is told once
            write.about = rows[0]
        if form.from_clipboard.data:
            clipboard.let_go(current_user.session_id)
    words = ngettext(
        "Booked: %(label)s, %(num)d entry from %(when)s.",
        "Booked: %(label)s, %(num)d entries from %(when)s.",
        len(rows),
        label=services.label(rows[0]),
        when=when(rows[0].start),
    )
    toast(words, undo=way_back(write))
    return _finished(rows[0])


def change_many(row: Event, form: EventForm) -> Response:
    """What the form of an entry says, for it and those that follow."""
    with transaction("event_series.change", actor=current_user, about=row) as write:
        rows = series.change_following(
            row,
            seen=form.version.data or 0,
            ticks=form.ticks(),
            overbook_reason=reason_of(form),
            patient_id=form.patient_id.data if row.kind is Kind.VISIT else None,
            title=form.title.data or "",
            type_id=form.type_id.data,
            color=form.color.data or None,
            notes=form.notes.data or "",
            **form.slot(),
        )
    return _changed(row, len(rows), write)


def move_many(row: Event, form: MoveForm) -> Response:
    with transaction("event_series.move", actor=current_user, about=row) as write:
        rows = series.change_following(
            row,
            seen=form.version.data or 0,
            ticks=form.ticks(),
            overbook_reason=reason_of(form),
            **form.slot(),
        )
        clipboard.let_go(current_user.session_id, moved=row.id)
    return _changed(row, len(rows), write)


def cancel_many(row: Event, form: StatusForm) -> Response:
    reason = form.reason.data or None
    with transaction("event_series.cancel", actor=current_user, about=row, reason=reason) as write:
        rows = series.cancel_following(row, seen=form.version.data or 0, reason=reason, ticks=form.ticks())
    words = ngettext("%(label)s: %(num)d visit cancelled.", "%(label)s: %(num)d visits cancelled.", len(rows),
                     label=services.label(row))  # fmt: skip
    toast(words, undo=way_back(write))
    return _finished(row)


def delete_many(row: Event, form: DeleteForm) -> Response:
    with transaction("event_series.delete", actor=current_user, about=row) as write:
        rows = series.delete_following(row, seen=form.version.data or 0, ticks=form.ticks())
    words = ngettext("Taken off the calendar: %(label)s, %(num)d entry.",
                     "Taken off the calendar: %(label)s, %(num)d entries.", len(rows),
                     label=services.label(row))  # fmt: skip
    toast(words, undo=way_back(write))
    return _finished(row)


def _changed(row: Event, number: int, write: Any) -> Response:
    if number:
        words = ngettext("Saved: %(label)s, %(num)d entry from %(when)s.", "Saved: %(label)s, %(num)d entries from "
                         "%(when)s.", number, label=services.label(row), when=when(row.start))  # fmt: skip
        toast(words, undo=way_back(write))
    return _finished(row)


def _finished(row: Event) -> Response:
    return finished(url_for("calendar.day", day=row.start.date()), CHANGED, VISITS_CHANGED)


def plan_page(problem: LookAtThis, form: Any, *, event: Event | None, verb: str) -> Response:
    """The dates of a plan with what is known of each, to be ticked and sent to the same address once more."""
    if problem.field == "overbook_reason" and form.overbook_reason.data and not can(P.CALENDAR_OVERBOOK):
        raise Forbidden(_("Your role does not include booking over another entry."))
    reason = getattr(form, "overbook_reason", None)
    if problem.field and reason is not None and problem.message:
        form.refuse("overbook_reason", problem.message)
    asked = reason is not None and can(P.CALENDAR_OVERBOOK) and problem.plan.taken
    patient_id = form.patient_id.data if isinstance(form, EventForm) else event and event.patient_id
    return page(
        "calendar/plan_dialog.html",
        status=problem.status,
        plan=problem.plan,
        problem=None if problem.field else problem.message,
        form=form,
        event=event,
        label=_label(form, event, patient_id),
        chosen=whom(patient_id),
        verb=verb,
        rule=series_queries.rule_words(problem.plan.rule, list(map(str, WEEKDAYS))) if problem.plan.rule else "",
        reason=reason if asked else None,
        may_overbook=can(P.CALENDAR_OVERBOOK),
        carried=[(name, value) for name, value in request.form.items(multi=True) if name not in OF_THE_PLAN],
        action=request.path,
        can_go_back=verb in {"book", "change", "move"},
    )


def _label(form: Any, event: Event | None, patient_id: int | None) -> str:
    if event is not None:
        return services.label(event)
    patient = whom(patient_id)
    if patient is not None:
        return patient.name
    names = f"{form.first_name.data or ''} {form.last_name.data or ''}".strip() if form.new_patient.data else ""
    return names or form.title.data or ""


@bp.get("/events/<int:event_id>/delete")
@require(P.CALENDAR_WRITE)
def ask_delete(event_id: int) -> ResponseReturnValue:
    """Whether only this entry of a series leaves the calendar, or those that follow as well."""
    row = queries.event(event_id)
    form = DeleteForm(request.args if request.args.get("scope") else None, version=row.row_version)
    form.version.data = row.row_version
    return delete_page(row, form)


def delete_page(row: Event, form: DeleteForm, *, problem: DomainError | None = None, status: int = 200) -> Response:
    if problem is not None:
        form.refuse(None, sentence(problem))
    return page(
        "calendar/delete_dialog.html",
        status=status,
        event=row,
        form=form,
        label=services.label(row),
        chosen=row.patient,
        follow=series_queries.following(row),
    )


@bp.get("/events/<int:event_id>/series")
@require(P.CALENDAR_READ)
def series_of(event_id: int) -> ResponseReturnValue:
    """The sheet of a series: its rule and its entries. Of a visit that is a look at the patient."""
    row = queries.event(event_id)
    if row.series_id is None:
        abort(404)
    if row.patient_id is not None:
        with transaction("event.view", actor=current_user, about=row):
            pass
    return _series_page(row, ExtendForm(None, version=row.row_version))


def _series_page(row: Event, form: ExtendForm, *, status: int = 200) -> Response:
    assert row.series_id is not None
    rule, entries = series_queries.series(row.series_id), series_queries.entries(row.series_id)
    form.version.data = row.row_version
    return page(
        "calendar/series_dialog.html",
        status=status,
        event=row,
        series=rule,
        rule=series_queries.rule_words(series_queries.rule_of(rule), list(map(str, WEEKDAYS))),
        entries=entries,
        apart={each.id for each in entries if rules.is_apart(each)},
        form=form,
        label=services.label(row),
        words=queries.status_words(),
        Status=Status,
    )


@bp.post("/events/<int:event_id>/series")
@require(P.CALENDAR_WRITE)
def extend_series(event_id: int) -> ResponseReturnValue:
    """More entries after the last one."""
    row = queries.event(event_id)
    form = ExtendForm(request.form)
    if row.series_id is None:
        abort(404)
    if not form.validate() or form.back.data:
        return _series_page(row, form, status=422)
    try:
        with transaction("event_series.extend", actor=current_user, about=row) as write:
            rows = series.extend_series(
                row,
                seen=form.version.data or 0,
                **form.end(),
                ticks=form.ticks(),
                overbook_reason=reason_of(form),
            )
    except LookAtThis as plan:
        return plan_page(plan, form, event=row, verb="extend")
    except DomainError as problem:
        form.refuse(problem.field, sentence(problem))
        return _series_page(row, form, status=problem.status)
    words = ngettext("Booked: %(label)s, %(num)d more entry.", "Booked: %(label)s, %(num)d more entries.", len(rows),
                     label=services.label(row))  # fmt: skip
    toast(words, undo=way_back(write))
    return _finished(row)


def asked_to_delete() -> DeleteForm:
    """The form of a deletion; a toast sends only the version, in its address."""
    version = request.values.get("version", "")
    form = DeleteForm(request.form or None)
    form.version.data = int(version) if is_whole(version) else 0
    return form
