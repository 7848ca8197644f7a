"""Looking for a free time: the first ten answers, one tap books."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from babel.dates import get_day_names
from flask import Response, abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from cpms.auth import queries as auth
from cpms.calendar import queries, rules, services, slots
from cpms.calendar.forms import FreeForm, TakeForm, is_whole
from cpms.calendar.models import Kind
from cpms.calendar.views.blueprint import CHANGED, VISITS_CHANGED, bp
from cpms.calendar.views.dialogs import whom
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import DomainError
from cpms.core.permissions import P
from cpms.web.access import require
from cpms.web.errors import sentence
from cpms.web.filters import when
from cpms.web.htmx import finished, page
from cpms.web.toasts import toast

ANSWERED = "calendar/free_dialog.html"


@bp.get("/free")
@require(P.CALENDAR_WRITE)
def free() -> ResponseReturnValue:
    """The search with its first answers: for a new visit, for one that is moved, or for the form that asked."""
    form = _asked()
    return _free_page(form)


@bp.post("/free")
@require(P.CALENDAR_WRITE)
def book_free() -> ResponseReturnValue:
    """One tap on an answer, for a patient who is chosen already."""
    form, taken = _asked(), TakeForm(request.form)
    if not (form.validate() and taken.validate()) or form.patient_id.data is None:
        abort(400)
    start = taken.starts
    try:
        with transaction("event.create", actor=current_user):
            row = services.book(
                start=start,
                end=start + timedelta(minutes=form.minutes.data),
                chair_id=taken.chair_id.data,
                provider_id=taken.provider_id.data,
                patient_id=form.patient_id.data,
                type_id=form.type_id.data,
                booking_key=taken.booking_key.data,
            )
    except DomainError as problem:
        toast(sentence(problem), "error")
        return _free_page(form, status=problem.status)
    toast(
        _("Booked: %(label)s, %(when)s.", label=services.label(row), when=when(row.start)),
        undo=url_for("calendar.delete", event_id=row.id, version=row.row_version),
    )
    return finished(url_for("calendar.day", day=row.start.date()), CHANGED, VISITS_CHANGED)


def _asked() -> FreeForm:
    """What the address asks for; what it leaves open is usual, or as it is with the visit that is to be moved."""
    form = FreeForm(_with_usual(request.args))
    if form.patient_id.process_errors or form.event_id.process_errors:
        abort(404)
    types = queries.types()
    form.offer(types, queries.chairs(), auth.providers())
    _let_go_of_what_is_gone(form)
    return form


def _let_go_of_what_is_gone(form: FreeForm) -> None:
    """A visit may have a dentist, a type or a chair that is not in use any more: then anyone, or any, will do."""
    every: tuple[tuple[Any, Callable[[], list[Any]]], ...] = (
        (form.type_id, lambda: queries.types(every=True)),
        (form.chair_id, lambda: queries.chairs(every=True)),
        (form.provider_id, auth.users),
    )
    for field, known in every:
        offered = {choice.value for choice in field.choices}
        if field.data is not None and field.data not in offered and field.data in {each.id for each in known()}:
            field.data = None


def _with_usual(asked: MultiDict[str, str]) -> MultiDict[str, str]:
    filled = MultiDict(asked)
    usual: dict[str, Any] = {"day": clock.today(), "part": rules.Part.ANY}
    event_id = filled.get("event_id", "")
    if is_whole(event_id):
        event = queries.event(int(event_id))
        if event.kind is Kind.BLOCK:
            abort(404)
        usual |= {"minutes": event.minutes, "type_id": event.type_id or "", "provider_id": event.provider_id}
        usual |= {"patient_id": event.patient_id or ""}
    elif "minutes" not in filled:
        types = queries.types()
        usual |= {"minutes": types[0].minutes, "type_id": types[0].id} if types else {"minutes": 30}
    for name, value in usual.items():
        filled.setdefault(name, str(value))
    return filled


def _free_page(form: FreeForm, status: int = 200) -> Response:
    after = _moment(form.after.data)
    found = None
    if form.validate():
        found = slots.free(_wanted(form), after=after)
    elif status == 200:
        status = 422
    event = queries.event(form.event_id.data) if form.event_id.data else None
    search = form.search()
    return page(
        ANSWERED,
        status=status,
        form=form,
        found=found,
        event=event,
        label=services.label(event) if event else "",
        chosen=None if form.fill.data else whom(form.patient_id.data),
        answers=[_answer(slot, form) for slot in found.slots] if found else [],
        search=search,
        later_url=_later(search, found) if found else "",
        short=get_day_names("abbreviated", locale=get_locale()),
        booking_key=secrets.token_hex(16),
    )


def _wanted(form: FreeForm) -> slots.Wanted:
    return slots.Wanted(
        minutes=form.minutes.data,
        first=form.day.data,
        provider_id=form.provider_id.data,
        chair_id=form.chair_id.data,
        part=form.part.data,
        weekdays=frozenset(form.weekday.data or ()),
        patient_id=form.patient_id.data,
        event_id=form.event_id.data,
    )


def _answer(slot: rules.FreeSlot, form: FreeForm) -> dict[str, Any]:
    """A free time in words, with where a tap on it leads and what it fills in."""
    chairs = {each.id: each.name for each in queries.chairs()}
    people = {each.id: each.display_name for each in auth.providers()}
    place: dict[str, Any] = {
        "start": f"{slot.start:%Y-%m-%dT%H:%M}",
        "chair": slot.chair_id,
        "provider": slot.provider_id,
        "minutes": form.minutes.data,
    }
    if form.event_id.data:
        url = url_for("calendar.move", event_id=form.event_id.data, **place)
    else:
        url = url_for("calendar.new", type=form.type_id.data, **place)
    return {
        "slot": slot,
        "until": slot.start + timedelta(minutes=form.minutes.data),
        "who": people[slot.provider_id],
        "where": chairs[slot.chair_id],
        "url": url,
        "fills": {
            "day": str(slot.start.date()),
            "start_time": f"{slot.start:%H:%M}",
            "minutes": form.minutes.data,
            "chair_id": slot.chair_id,
            "provider_id": slot.provider_id,
        },
    }


def _later(search: dict[str, Any], found: slots.Found) -> str:
    """More answers of these days, or the days that follow them."""
    if found.has_more:
        return url_for("calendar.free", **search, after=f"{found.slots[-1].start:%Y-%m-%dT%H:%M}")
    if found.until >= rules.LAST_DAY:
        return ""
    return url_for("calendar.free", **(search | {"day": found.until}))


def _moment(words: str | None) -> datetime | None:
    if not words:
        return None
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        abort(404)
    if found.tzinfo or not rules.is_on_calendar(found.date()):
        abort(404)
    return found
