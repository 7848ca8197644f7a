"""Chairs and appointment types."""

from collections.abc import Callable
from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from wtforms.fields import SelectChoice

from cpms.calendar import queries, rules, services
from cpms.calendar.forms import ChairForm, TypeForm, is_whole
from cpms.calendar.models import AppointmentType, Chair
from cpms.calendar.views.blueprint import FURNITURE_CHANGED, bp
from cpms.core.db import transaction
from cpms.core.errors import DomainError, Stale
from cpms.core.permissions import P
from cpms.web.access import require
from cpms.web.errors import sentence
from cpms.web.htmx import closed, done, finished, is_htmx, page
from cpms.web.toasts import toast, way_back


@bp.get("/chairs")
@require(P.CALENDAR_SETUP)
def chairs() -> ResponseReturnValue:
    return page("calendar/chairs.html", chairs=queries.chairs(every=True))


@bp.get("/types")
@require(P.CALENDAR_SETUP)
def types() -> ResponseReturnValue:
    return page("calendar/types.html", types=queries.types(every=True))


@bp.get("/chairs/new")
@require(P.CALENDAR_SETUP)
def new_chair() -> ResponseReturnValue:
    return page("calendar/chair_dialog.html", form=ChairForm(), chair=None)


@bp.post("/chairs")
@require(P.CALENDAR_SETUP)
def create_chair() -> ResponseReturnValue:
    form = ChairForm(request.form)
    return _store_row(
        form,
        "chair.create",
        None,
        lambda: services.add_chair(name=form.name.data),
        "calendar/chair_dialog.html",
        "calendar.chairs",
        chair=None,
    )


@bp.get("/chairs/<int:chair_id>")
@require(P.CALENDAR_SETUP)
def edit_chair(chair_id: int) -> ResponseReturnValue:
    row = queries.chair(chair_id)
    return page("calendar/chair_dialog.html", form=ChairForm(None, name=row.name, version=row.row_version), chair=row)


@bp.post("/chairs/<int:chair_id>")
@require(P.CALENDAR_SETUP)
def change_chair(chair_id: int) -> ResponseReturnValue:
    row, form = queries.chair(chair_id), ChairForm(request.form)
    return _store_row(
        form,
        "chair.change",
        row,
        lambda: services.change_row(row, seen=form.version.data or 0, name=form.name.data),
        "calendar/chair_dialog.html",
        "calendar.chairs",
        chair=row,
    )


@bp.post("/chairs/<int:chair_id>/use")
@require(P.CALENDAR_SETUP)
def use_chair(chair_id: int) -> ResponseReturnValue:
    """Give a chair up, or take it back into use."""
    row = queries.chair(chair_id)
    return _switch(row, "chair", lambda seen: services.retire_chair(row, seen=seen), "calendar.chairs")


@bp.get("/types/new")
@require(P.CALENDAR_SETUP)
def new_type() -> ResponseReturnValue:
    return page(
        "calendar/type_dialog.html",
        form=_type_form(None, minutes=30, color=rules.SWATCHES["teal"]),
        type=None,
    )


@bp.post("/types")
@require(P.CALENDAR_SETUP)
def create_type() -> ResponseReturnValue:
    form = _type_form(request.form)
    return _store_row(
        form,
        "type.create",
        None,
        lambda: services.add_type(name=form.name.data, minutes=form.minutes.data, color=form.color.data),
        "calendar/type_dialog.html",
        "calendar.types",
        type=None,
    )


@bp.get("/types/<int:type_id>")
@require(P.CALENDAR_SETUP)
def edit_type(type_id: int) -> ResponseReturnValue:
    row = queries.type_(type_id)
    form = _type_form(None, row, name=row.name, minutes=row.minutes, color=row.color, version=row.row_version)
    return page("calendar/type_dialog.html", form=form, type=row)


@bp.post("/types/<int:type_id>")
@require(P.CALENDAR_SETUP)
def change_type(type_id: int) -> ResponseReturnValue:
    row = queries.type_(type_id)
    form = _type_form(request.form, row)
    return _store_row(
        form,
        "type.change",
        row,
        lambda: services.change_row(
            row,
            seen=form.version.data or 0,
            name=form.name.data,
            minutes=form.minutes.data,
            color=form.color.data,
        ),
        "calendar/type_dialog.html",
        "calendar.types",
        type=row,
    )


@bp.post("/types/<int:type_id>/use")
@require(P.CALENDAR_SETUP)
def use_type(type_id: int) -> ResponseReturnValue:
    """Give a type up, or take it back into use."""
    row = queries.type_(type_id)
    return _switch(row, "type", lambda seen: services.change_row(row, seen=seen, active=False), "calendar.types")


def _type_form(data: Any, row: AppointmentType | None = None, **values: Any) -> TypeForm:
    form = TypeForm(data, **values)
    form.color.choices = [SelectChoice(*each) for each in queries.swatch_words().items()]
    if row is not None and row.color not in rules.SWATCHES.values():
        form.color.choices.append(SelectChoice(row.color, row.color))
    return form


def _store_row(
    form: Any, action: str, row: Any, store: Callable[[], Any], template: str, endpoint: str, **context: Any
) -> Response:
    """Store the form of a chair or of a type, or show it again with what is wrong."""
    status = 200 if form.validate() else 422
    if status == 200:
        try:
            with transaction(action, actor=current_user, about=row) as write:
                store()
        except DomainError as problem:
            status = problem.status
            form.refuse(problem.field, sentence(problem))
            if isinstance(problem, Stale):
                form.version.data = row.row_version  # saving again is then a decision, not an accident
    if status != 200:
        return page(template, status=status, form=form, **context)
    back = way_back(write) if row is not None else None
    toast(_("Saved: %(name)s.", name=form.name.data), undo=back)
    return finished(url_for(endpoint), FURNITURE_CHANGED)


def _switch(row: Chair | AppointmentType, word: str, retire: Callable[[int], None], endpoint: str) -> Response:
    seen = request.values.get("version", "")
    version = int(seen) if is_whole(seen) else 0
    with transaction(f"{word}.{'retire' if row.active else 'reuse'}", actor=current_user, about=row):
        if row.active:
            retire(version)
        else:
            services.change_row(row, seen=version, active=True)
    toast(_("%(name)s is in use again.", name=row.name) if row.active else _("%(name)s is out of use.", name=row.name))
    if not is_htmx():
        return done(url_for(endpoint))
    return closed(FURNITURE_CHANGED)
