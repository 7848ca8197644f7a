"""A patient goes into the trash with the visits to come, and comes back with them."""

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from cpms.calendar import queries, services
from cpms.calendar.forms import ids_in
from cpms.calendar.views.blueprint import bp
from cpms.core.db import transaction
from cpms.core.permissions import P
from cpms.core.text import clean_line
from cpms.patients import queries as patients
from cpms.web.access import can, require
from cpms.web.filters import when
from cpms.web.htmx import done, is_htmx, page, partial, target_block
from cpms.web.toasts import toast


@bp.get("/patients/<int:patient_id>/delete")
@require(P.PATIENT_READ, P.PATIENT_ARCHIVE, P.CALENDAR_WRITE)
def ask_delete_patient(patient_id: int) -> ResponseReturnValue:
    return page(
        "calendar/delete_patient_dialog.html", patient=patients.chart(patient_id), coming=queries.coming(patient_id)
    )


@bp.post("/patients/<int:patient_id>/delete")
@require(P.PATIENT_READ, P.PATIENT_ARCHIVE, P.CALENDAR_WRITE)
def delete_patient(patient_id: int) -> ResponseReturnValue:
    chart = patients.chart(patient_id)
    reason = clean_line(request.form.get("reason", ""))[:300] or None
    with transaction("patient.delete", actor=current_user, about=chart.row, reason=reason):
        number = len(services.delete_patient(patients.patient(patient_id)))
    said = _("%(name)s is deleted.", name=chart.name)
    if number:
        said += " " + ngettext(
            "%(num)d coming visit is off the calendar.", "%(num)d coming visits are off the calendar.", number
        )
    toast(said, undo=url_for(".undelete_patient", patient_id=patient_id))
    return done(url_for("patients.index"))


@bp.post("/patients/<int:patient_id>/undelete")
@require(P.PATIENT_READ, P.PATIENT_ARCHIVE, P.CALENDAR_WRITE)
def undelete_patient(patient_id: int) -> ResponseReturnValue:
    """Out of the trash. When a visit's time was given away, that is said, and what can be done."""
    row = patients.patient(patient_id)
    without = frozenset(ids_in(request.form.get("without")))
    try:
        with transaction("patient.undelete", actor=current_user, about=row):
            back, left = services.undelete_patient(row, may_overbook=can(P.CALENDAR_OVERBOOK), without=without)
            numbers = len(back), len(left)
    except services.VisitsInTheWay as problem:
        return _ask_without(patient_id, problem)
    said = _("%(name)s is back.", name=row.name)
    if numbers[0]:
        said += " " + ngettext(
            "%(num)d visit is on the calendar again.", "%(num)d visits are on the calendar again.", numbers[0]
        )
    if numbers[1]:
        said += " " + ngettext("%(num)d visit stays in the trash.", "%(num)d visits stay in the trash.", numbers[1])
    toast(said)
    return done(url_for("patients.patient", patient_id=patient_id))


def _ask_without(patient_id: int, problem: services.VisitsInTheWay) -> Response:
    """Which visits cannot come back and why; the chart can without them."""
    context = {
        "patient": patients.patient(patient_id),
        "visits": [(when(visit.start), words) for visit, words in problem.visits],
        "without": ",".join(str(visit.id) for visit, _words in problem.visits),
    }
    template = "calendar/undelete_patient_dialog.html"
    if is_htmx() and target_block() != "dialog":  # from a toast, which has no place for a question
        return Response(
            partial(template, "dialog", target="#dialog", swap="innerHTML", **context),
            problem.status,
            mimetype="text/html",
        )
    return page(template, status=problem.status, **context)
