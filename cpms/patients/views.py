"""Pages about patients: the list, the search, and the chart's first tabs."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import Stale
from cpms.core.permissions import P
from cpms.patients import queries, rules, services
from cpms.patients.forms import SEXES, ArchiveForm, DetailsForm, EditForm, MedicalForm, NewPatientForm, born
from cpms.patients.models import Patient
from cpms.patients.queries import Chart, PatientDeleted
from cpms.web import actions, errors, nav
from cpms.web.access import can, require
from cpms.web.htmx import done, is_htmx, page, partial
from cpms.web.numbers import whole
from cpms.web.toasts import toast, way_back

bp = Blueprint("patients", __name__, url_prefix="/patients")
bp.add_app_template_global(nav.chart_tabs)
bp.add_app_template_filter(rules.dial)


# --- the list and the search ----------------------------------------------------------------------------------------


@bp.get("/")
@require(P.PATIENT_READ)
def index() -> ResponseReturnValue:
    typed = " ".join(request.args.get("q", "").split())
    archived = request.args.get("archived") == "1"
    found = queries.listing(typed, archived=archived, page=request.args.get("page", 1, type=whole))
    here = url_for(".index", q=typed or None, archived=1 if archived else None)
    return page("patients/index.html", found=found, typed=typed, archived=archived, here=here, most=queries.MOST_HITS)


@bp.get("/find")
@require(P.PATIENT_READ)
def find() -> ResponseReturnValue:
    """The answers under the search field of every page: patients, then what can be done."""
    typed = " ".join(request.args.get("q", "").split())
    if not is_htmx():
        return redirect(url_for(".index", q=typed))
    return Response(
        render_template(
            "patients/_found.html",
            typed=typed,
            hits=queries.search(typed, archived=True),
            base=url_for(".index"),
            new=rules.names_meant(typed) if can(P.PATIENT_WRITE) else None,
            day=_day_meant(typed) if can(P.CALENDAR_READ) else None,
            actions=actions.matching(typed),
        )
    )


def _day_meant(typed: str) -> date | None:
    to, today = actions.destination(typed), clock.today()
    return rules.day_near(to, today) or actions.day_said(to, today)


# --- a new patient --------------------------------------------------------------------------------------------------


@bp.get("/new")
@require(P.PATIENT_READ, P.PATIENT_WRITE)
def new() -> ResponseReturnValue:
    return _new_page(NewPatientForm(request.args))


@bp.post("/new")
@require(P.PATIENT_READ, P.PATIENT_WRITE)
def create() -> ResponseReturnValue:
    form = NewPatientForm.posted()
    if not form.validate():
        return _new_page(form, status=422)
    try:
        with transaction("patient.create", actor=current_user) as write:
            patient = services.register_patient(**form.columns(), different_from=form.different_from())
    except services.LooksKnown as known:
        form.shown_ids.data = ",".join(str(each.id) for each in known.candidates)
        form.different_person.data = False
        form.refuse("different_person", _("Please look whether it is the same person. If not, tick this."))
        return _new_page(form, same=known.candidates, status=422)
    said = _("%(name)s is saved with chart number %(number)d.", name=patient.name, number=patient.chart_no)
    toast(said, undo=way_back(write) if can(P.PATIENT_ARCHIVE) else None)
    return done(url_for(".patient", patient_id=patient.id))


def _new_page(form: NewPatientForm, *, same: Any = (), status: int = 200) -> Response:
    return page("patients/new_dialog.html", form=form, same=same, status=status)


# --- the chart ------------------------------------------------------------------------------------------------------


@bp.get("/<int:patient_id>")
@require(P.PATIENT_READ)
def patient(patient_id: int) -> ResponseReturnValue:
    return page("patients/overview.html", patient=_opened(patient_id))


@bp.get("/<int:patient_id>/medical")
@require(P.PATIENT_READ, P.MEDICAL_READ)
def medical(patient_id: int) -> ResponseReturnValue:
    chart = _opened(patient_id, "patient.view_medical")
    return page("patients/medical.html", patient=chart, form=MedicalForm(data=queries.medical(patient_id)))


def _opened(patient_id: int, action: str = "patient.view") -> Chart:
    """The chart of a patient, and the trail's entry that somebody looked at it."""
    chart = queries.chart(patient_id)
    with transaction(action, actor=current_user, about=chart.row):
        pass
    return chart


@bp.get("/<int:patient_id>/edit")
@require(P.PATIENT_READ, P.PATIENT_WRITE)
def edit(patient_id: int) -> ResponseReturnValue:
    return _edit_page("patients/edit.html", _opened(patient_id), _form_of(queries.patient(patient_id), DetailsForm))


@bp.post("/<int:patient_id>/edit")
@require(P.PATIENT_READ, P.PATIENT_WRITE)
def update(patient_id: int) -> ResponseReturnValue:
    chart, form = queries.chart(patient_id), DetailsForm.posted()
    seen = form.what_was_seen()
    if not form.validate():
        return _edit_page("patients/edit.html", chart, form, status=422)
    try:
        with transaction("patient.update", actor=current_user, about=chart.row) as write:
            services.update_patient(queries.patient(patient_id), seen=seen, changes=form.changes())
    except Stale:
        return _both_edits("patients/edit.html", chart.id, form)
    toast(_what_was_saved(form, seen), undo=way_back(write))
    return done(url_for(".patient", patient_id=patient_id))


@bp.get("/<int:patient_id>/medical/edit")
@require(P.PATIENT_READ, P.MEDICAL_READ, P.MEDICAL_WRITE)
def edit_medical(patient_id: int) -> ResponseReturnValue:
    chart = _opened(patient_id, "patient.view_medical")
    return _edit_page("patients/medical_edit.html", chart, _form_of(queries.patient(patient_id), MedicalForm))


@bp.post("/<int:patient_id>/medical/edit")
@require(P.PATIENT_READ, P.MEDICAL_READ, P.MEDICAL_WRITE)
def update_medical(patient_id: int) -> ResponseReturnValue:
    chart, form = queries.chart(patient_id), MedicalForm.posted()
    seen = form.what_was_seen()
    if not form.validate():
        return _edit_page("patients/medical_edit.html", chart, form, status=422)
    try:
        with transaction("patient.update_medical", actor=current_user, about=chart.row) as write:
            services.update_medical(queries.patient(patient_id), seen=seen, changes=form.changes())
    except Stale:
        return _both_edits("patients/medical_edit.html", chart.id, form)
    toast(_what_was_saved(form, seen), undo=way_back(write))
    return done(url_for(".medical", patient_id=patient_id))


def _form_of(row: Patient, form: type[EditForm]) -> EditForm:
    return form.of(row.row_version, services.values(row, form.COLUMNS))


def _edit_page(template: str, chart: Chart, form: EditForm, *, status: int = 200, **context: Any) -> Response:
    shown = {"elsewhere": {}, "changed_at": None} | context
    answer = page(template, patient=chart, form=form, status=status, **shown)
    if context and is_htmx():  # the head of the chart shows what somebody else saved, too
        answer.set_data(answer.get_data(as_text=True) + partial("patients/layout.html", "chart_head", patient=chart))
    return answer


def _both_edits(template: str, patient_id: int, form: EditForm) -> Response:
    """Somebody else stored meanwhile. The form again: what was typed here, and beside it what is stored now."""
    row = queries.patient(patient_id)
    stored = services.values(row, form.COLUMNS)
    seen = form.what_was_seen()
    both = rules.meet(seen, typed=form.changes(), stored=stored)
    again = type(form).of(row.row_version, stored)
    for name in form.COLUMNS:
        again[name].data = both[name]
    elsewhere = {}
    for name, value in seen.changed(stored).items():
        if both[name] == value:
            elsewhere[name] = _("Changed meanwhile: this is what is saved now.")
            continue
        again.refuse(name, _("Somebody else changed this meanwhile."))
        elsewhere[name] = _("Saved now: %(value)s", value=_in_words(value) or _("nothing"))
    chart = queries.chart(patient_id)
    return _edit_page(template, chart, again, status=409, elsewhere=elsewhere, changed_at=row.updated_at)


def _what_was_saved(form: EditForm, seen: rules.Seen) -> str:
    names = ", ".join(str(form[name].label.text) for name in seen.changed(form.changes()))
    return _("Saved: %(names)s.", names=names) if names else _("Nothing was changed.")


def _in_words(value: Any) -> str:
    """A stored value as the form would show it."""
    if hasattr(value, "isoformat"):
        return born(value)
    return str(SEXES.get(value, value))


# --- out of the lists, and back -------------------------------------------------------------------------------------


@bp.get("/<int:patient_id>/archive")
@require(P.PATIENT_READ, P.PATIENT_ARCHIVE)
def ask_archive(patient_id: int) -> ResponseReturnValue:
    return page("patients/archive_dialog.html", patient=queries.chart(patient_id), form=ArchiveForm())


@bp.post("/<int:patient_id>/archive")
@require(P.PATIENT_READ, P.PATIENT_ARCHIVE)
def archive(patient_id: int) -> ResponseReturnValue:
    chart, form = queries.chart(patient_id), ArchiveForm.posted()
    if not form.validate():
        return page("patients/archive_dialog.html", patient=chart, form=form, status=422)
    with transaction("patient.archive", actor=current_user, about=chart.row, reason=form.reason.data):
        services.archive_patient(queries.patient(patient_id))
    toast(_("%(name)s is archived.", name=chart.name), undo=url_for(".restore", patient_id=patient_id))
    return done(url_for(".patient", patient_id=patient_id))


@bp.post("/<int:patient_id>/restore")
@require(P.PATIENT_READ, P.PATIENT_ARCHIVE)
def restore(patient_id: int) -> ResponseReturnValue:
    chart = queries.chart(patient_id)
    with transaction("patient.restore", actor=current_user, about=chart.row):
        services.restore_patient(queries.patient(patient_id))
    toast(_("%(name)s is active again.", name=chart.name))
    return done(url_for(".patient", patient_id=patient_id))


@bp.app_errorhandler(PatientDeleted)
def deleted(error: PatientDeleted) -> Response:
    """A link to a patient in the trash still says so, and how to get them back."""
    if is_htmx():
        return errors.answer(404, _("This patient was deleted."))
    return page("patients/deleted.html", patient=error.chart, status=404)
