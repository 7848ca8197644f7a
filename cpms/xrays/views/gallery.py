"""Pictures among others: all of the clinic, and what is said and done about one of them."""

from datetime import date
from typing import Any

from flask import Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.core.db import Writing, transaction
from cpms.core.errors import DomainError
from cpms.core.permissions import P
from cpms.patients import queries as patients
from cpms.web.access import require
from cpms.web.errors import sentence
from cpms.web.filters import full_day
from cpms.web.htmx import finished, page
from cpms.web.numbers import whole
from cpms.web.toasts import toast, way_back
from cpms.xrays import queries, services
from cpms.xrays.forms import DeleteForm, FactsForm, MoveForm
from cpms.xrays.models import Xray
from cpms.xrays.views.blueprint import CHANGED, bp

OFFERED = 8  # patients below the field of a search


@bp.get("/")
@require(P.XRAY_READ, P.PATIENT_READ)
def shelf() -> ResponseReturnValue:
    """All pictures of the clinic, the newest first. Who leafed through them stands in the trail."""
    typed = {name: request.args.get(name, "")[:100] for name in ("q", "since", "until", "open")}
    found = queries.listing(
        typed["q"],
        since=_day(typed["since"]),
        until=_day(typed["until"]),
        without_findings=typed["open"] == "1",
        page=request.args.get("page", 1, type=whole),
    )
    asked = ", ".join(f"{name} {value}" for name, value in typed.items() if value)
    with transaction("xray.list", actor=current_user, reason=(asked or "all")[:300]):
        pass
    here = url_for(".shelf", **{name: value for name, value in typed.items() if value})
    return page(
        "xrays/shelf.html",
        found=found,
        typed=typed,
        here=here,
        kinds=queries.kind_words(),
        lacking=queries.how_many_without_findings(),
    )


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        abort(400)


@bp.get("/<int:xray_id>/facts")
@require(P.XRAY_READ, P.XRAY_WRITE)
def facts(xray_id: int) -> ResponseReturnValue:
    xray = queries.xray(xray_id)
    return _facts(xray, FactsForm.of(xray))


def _facts(xray: Xray, form: FactsForm, status: int = 200) -> Response:
    return page("xrays/facts_dialog.html", status=status, xray=xray, form=form)


@bp.post("/<int:xray_id>/facts")
@require(P.XRAY_READ, P.XRAY_WRITE)
def change_facts(xray_id: int) -> ResponseReturnValue:
    xray = queries.xray(xray_id)
    form = FactsForm.posted(was=xray.taken_by_id)
    if not form.validate():
        return _facts(xray, form, 422)
    try:
        with transaction("xray.update", actor=current_user, about=xray) as write:
            services.update_facts(queries.xray(xray_id), seen=form.version.data, **form.given())
    except DomainError as refusal:
        return _refused(refusal, xray_id, form, _facts)
    return _done(_("Saved."), queries.xray(xray_id).patient_id, write)


@bp.get("/<int:xray_id>/move")
@require(P.XRAY_READ, P.XRAY_WRITE, P.PATIENT_READ)
def ask_move(xray_id: int) -> ResponseReturnValue:
    xray = queries.xray(xray_id)
    return _move(xray, MoveForm(data={"version": xray.row_version}))


def _move(xray: Xray, form: MoveForm, status: int = 200) -> Response:
    chosen = patients.patient(form.patient_id.data) if form.patient_id.data else None
    return page("xrays/move_dialog.html", status=status, xray=xray, form=form, chosen=chosen, **_about(xray))


@bp.post("/<int:xray_id>/move")
@require(P.XRAY_READ, P.XRAY_WRITE, P.PATIENT_READ)
def move(xray_id: int) -> ResponseReturnValue:
    """Into the chart of whom it is of."""
    xray, form = queries.xray(xray_id), MoveForm.posted()
    if not form.validate():
        return _move(xray, form, 422)
    here = xray.patient_id
    try:
        with transaction("xray.move", actor=current_user, about=xray, reason=form.reason.data or None) as write:
            to = patients.patient(form.patient_id.data)
            services.move_to_patient(queries.xray(xray_id), to, seen=form.version.data)
            name = to.name
    except DomainError as refusal:
        return _refused(refusal, xray_id, form, _move)
    return _done(_("The picture is in the chart of %(name)s now.", name=name), here, write)


@bp.get("/find-patient")
@require(P.XRAY_READ, P.XRAY_WRITE, P.PATIENT_READ)
def find_patient() -> ResponseReturnValue:
    """Whom the field of the move dialog may mean."""
    typed = request.args.get("patient_name", "")
    hits = patients.search(typed, limit=OFFERED, archived=True) if typed.strip() else []
    return Response(render_template("xrays/_patient_options.html", hits=hits, words=typed.strip()))


@bp.get("/chosen-patient")
@require(P.XRAY_READ, P.XRAY_WRITE, P.PATIENT_READ)
def chosen_patient() -> ResponseReturnValue:
    """The lines under the field of the move dialog, when somebody is chosen."""
    patient_id = request.args.get("patient_id", type=whole)
    chosen = patients.patient(patient_id) if patient_id else None
    return Response(render_template("xrays/_chosen.html", chosen=chosen, wrong=()))


@bp.get("/<int:xray_id>/delete")
@require(P.XRAY_READ, P.XRAY_WRITE)
def ask_delete(xray_id: int) -> ResponseReturnValue:
    xray = queries.xray(xray_id)
    return _delete(xray, DeleteForm(data={"version": xray.row_version}))


def _delete(xray: Xray, form: DeleteForm, status: int = 200) -> Response:
    return page("xrays/delete_dialog.html", status=status, xray=xray, form=form, **_about(xray))


@bp.post("/<int:xray_id>/delete")
@require(P.XRAY_READ, P.XRAY_WRITE)
def delete(xray_id: int) -> ResponseReturnValue:
    """Into the trash."""
    xray, form = queries.xray(xray_id), DeleteForm.posted()
    if not form.validate():
        return _delete(xray, form, 422)
    here = xray.patient_id
    try:
        with transaction("xray.delete", actor=current_user, about=xray, reason=form.reason.data or None) as write:
            services.delete_xray(queries.xray(xray_id), seen=form.version.data)
    except DomainError as refusal:
        return _refused(refusal, xray_id, form, _delete)
    return _done(_("The picture is in the trash."), here, write)


def _about(xray: Xray) -> dict[str, Any]:
    label = f"{queries.kind_words()[xray.kind]}, {full_day(xray.date_performed)}"
    return {"label": label, "kinds": queries.kind_words()}


def _refused(refusal: DomainError, xray_id: int, form: Any, again: Any) -> Response:
    """The same dialog with the sentence; a picture that somebody else changed is looked at anew."""
    xray = queries.xray(xray_id)
    form.refuse(refusal.field, sentence(refusal))
    if refusal.status == 409:
        form.version.renew(xray.row_version)
    answer: Response = again(xray, form, refusal.status)
    return answer


def _done(words: str, patient_id: int, write: Writing) -> Response:
    toast(words, undo=way_back(write))
    return finished(url_for(".of_patient", patient_id=patient_id), CHANGED)
