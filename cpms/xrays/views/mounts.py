"""Mounts: pictures side by side, as a series is read."""

from typing import Any

from flask import Response, abort, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.core.db import look, transaction
from cpms.core.errors import Conflict, DomainError
from cpms.core.permissions import P
from cpms.patients import queries as patients
from cpms.web.access import require
from cpms.web.errors import sentence
from cpms.web.htmx import done, page
from cpms.web.toasts import toast, way_back
from cpms.xrays import queries, rules, services
from cpms.xrays.forms import CellForm, FillForm, MountForm, PlaceForm, TitleForm
from cpms.xrays.models import MountLayout, XrayMount
from cpms.xrays.views.blueprint import bp


@bp.get("/of/<int:patient_id>/mounts")
@require(P.XRAY_READ, P.PATIENT_READ)
def mounts(patient_id: int) -> ResponseReturnValue:
    chart = patients.chart(patient_id)
    look("patient.view", actor=current_user, about=chart.row)
    there = {each.id for each in queries.of_patient(patient_id)}
    rows = queries.mounts_of(patient_id)
    return page(
        "xrays/mounts.html",
        patient=chart,
        mounts=rows,
        placed={row.id: len(rules.present(row.cells, there)) for row in rows},
        layouts=queries.layout_words(),
        cells=rules.LAYOUTS,
    )


@bp.post("/of/<int:patient_id>/mounts")
@require(P.XRAY_READ, P.XRAY_WRITE, P.PATIENT_READ)
def create_mount(patient_id: int) -> ResponseReturnValue:
    form = MountForm.posted()
    patients.chart(patient_id)
    if not form.validate():
        abort(400)
    with transaction("xray_mount.create", actor=current_user):
        row = services.create_mount(patients.patient(patient_id), MountLayout(form.layout.data))
        mount_id = row.id
    return done(url_for(".mount", mount_id=mount_id))


@bp.get("/mounts/<int:mount_id>")
@require(P.XRAY_READ, P.PATIENT_READ)
def mount(mount_id: int) -> ResponseReturnValue:
    row = queries.mount(mount_id)
    look("xray_mount.view", actor=current_user, about=row)
    return _mount(queries.mount(mount_id))


def _mount(row: XrayMount, *, status: int = 200, title: TitleForm | None = None) -> Response:
    return page(
        "xrays/mount.html",
        status=status,
        patient=patients.chart(row.patient_id),
        mount=row,
        title=title or TitleForm(data={"title": row.title, "version": row.row_version}),
        **_laid_out(row),
    )


def _laid_out(row: XrayMount) -> dict[str, Any]:
    """Every cell with its picture, and the pictures that are in none. A deleted picture leaves its cell empty."""
    cards = {each.id: each for each in queries.of_patient(row.patient_id)}
    cells = [
        (cell, cards.get(content["xray"]) if content else None, content["turn"] if content else 0)
        for cell, content in ((cell, row.cells.get(cell.name)) for cell in rules.LAYOUTS[row.layout])
    ]
    placed = {card.id for _cell, card, _turn in cells if card}
    tray = [each for each in cards.values() if each.id not in placed and not each.is_document and not each.problem]
    return {
        "cells": cells,
        "tray": tray,
        "layout": queries.layout_words()[row.layout],
        "kinds": queries.kind_words(),
    }


@bp.post("/mounts/<int:mount_id>/place")
@require(P.XRAY_READ, P.XRAY_WRITE, P.PATIENT_READ)
def place(mount_id: int) -> ResponseReturnValue:
    form = _valid(PlaceForm.posted())
    return _changed(
        mount_id,
        lambda row: services.place(row, form.cell.data, form.xray_id.data, seen=form.version.data),
    )


@bp.post("/mounts/<int:mount_id>/turn")
@require(P.XRAY_READ, P.XRAY_WRITE, P.PATIENT_READ)
def turn(mount_id: int) -> ResponseReturnValue:
    form = _valid(CellForm.posted())
    return _changed(mount_id, lambda row: services.turn(row, form.cell.data, seen=form.version.data))


@bp.post("/mounts/<int:mount_id>/fill")
@require(P.XRAY_READ, P.XRAY_WRITE, P.PATIENT_READ)
def fill(mount_id: int) -> ResponseReturnValue:
    form = _valid(FillForm.posted())
    return _changed(mount_id, lambda row: services.fill(row, seen=form.version.data))


def _valid(form: Any) -> Any:
    if not form.validate() or form.version.data is None:
        abort(400)
    return form


def _changed(mount_id: int, change: Any) -> Response:
    """The mount as it is now, and the way back. Somebody else's change is shown instead of being overwritten."""
    row = queries.mount(mount_id)
    try:
        with transaction("xray_mount.change", actor=current_user, about=row) as write:
            change(queries.mount(mount_id))
    except Conflict as stale:
        toast(sentence(stale), "error")
        return _mount(queries.mount(mount_id), status=stale.status)
    if write.changes:
        toast(_("The mount is changed."), undo=way_back(write))
    return _mount(queries.mount(mount_id))


@bp.post("/mounts/<int:mount_id>/title")
@require(P.XRAY_READ, P.XRAY_WRITE, P.PATIENT_READ)
def rename(mount_id: int) -> ResponseReturnValue:
    row, form = queries.mount(mount_id), TitleForm.posted()
    if not form.validate() or form.version.data is None:
        return _mount(row, status=422, title=form)
    try:
        with transaction("xray_mount.change", actor=current_user, about=row):
            services.rename_mount(queries.mount(mount_id), form.title.data, seen=form.version.data)
    except DomainError as refusal:
        form.refuse("title", sentence(refusal))
        form.version.renew(queries.mount(mount_id).row_version)
        return _mount(queries.mount(mount_id), status=refusal.status, title=form)
    toast(_("Saved."))
    return done(url_for(".mount", mount_id=mount_id))


@bp.post("/mounts/<int:mount_id>/delete")
@require(P.XRAY_READ, P.XRAY_WRITE, P.PATIENT_READ)
def delete_mount(mount_id: int) -> ResponseReturnValue:
    row, form = queries.mount(mount_id), _valid(FillForm.posted())
    patient_id = row.patient_id
    with transaction("xray_mount.delete", actor=current_user, about=row) as write:
        services.delete_mount(queries.mount(mount_id), seen=form.version.data)
    toast(_("The mount is taken away; its pictures stay."), undo=way_back(write))
    return done(url_for(".mounts", patient_id=patient_id))


@bp.post("/mounts/<int:mount_id>/undelete")
@require(P.XRAY_READ, P.XRAY_WRITE, P.PATIENT_READ)
def undelete_mount(mount_id: int) -> ResponseReturnValue:
    """Out of the trash."""
    with transaction("xray_mount.undelete", actor=current_user, about=queries.mount_ever(mount_id)):
        services.undelete_mount(queries.mount_ever(mount_id))
    toast(_("The mount is back."))
    return done(url_for(".mount", mount_id=mount_id))


@bp.get("/mounts/<int:mount_id>/print")
@require(P.XRAY_READ, P.PATIENT_READ)
def print_mount(mount_id: int) -> ResponseReturnValue:
    """All of it on one page."""
    row = queries.mount(mount_id)
    with transaction("xray_mount.print", actor=current_user, about=row):
        pass
    row = queries.mount(mount_id)
    return page("xrays/mount_print.html", patient=patients.chart(row.patient_id), mount=row, **_laid_out(row))
