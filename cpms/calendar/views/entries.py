"""An entry of the calendar: its sheet, booking, editing, moving."""

from datetime import date, datetime, timedelta
from typing import Any

from flask import Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.auth import queries as auth
from cpms.calendar import clipboard, queries, rules, services
from cpms.calendar.forms import EventForm, MoveForm, is_whole
from cpms.calendar.models import Event, Kind, Status
from cpms.calendar.series import queries as series_queries
from cpms.calendar.series import rules as series_rules
from cpms.calendar.series.services import LookAtThis
from cpms.calendar.shown import Shown
from cpms.calendar.views.blueprint import CHANGED, VISITS_CHANGED, bp
from cpms.calendar.views.dialogs import dialog_context, excuses, offer, say_booked, say_moved, slot_of, told, whom
from cpms.calendar.views.series import book_many, change_many, move_many, plan_page
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import DomainError, Forbidden
from cpms.core.permissions import P
from cpms.hours import queries as working_hours
from cpms.hours.rules import midnight
from cpms.patients import queries as patients
from cpms.patients import services as patient_services
from cpms.web.access import can, require
from cpms.web.filters import when
from cpms.web.htmx import finished, page
from cpms.web.toasts import toast, way_back

DAYS_TO_OPEN = 60  # that are looked at for the next one on which the clinic opens


@bp.get("/events/<int:event_id>")
@require(P.CALENDAR_READ)
def event(event_id: int) -> ResponseReturnValue:
    """The sheet of an entry: what it is, and what can be done with it. Of a visit that is a look at the patient."""
    return page("calendar/sheet_dialog.html", **sheet(_looked_at(event_id)))


def _looked_at(event_id: int) -> Event:
    """An entry that somebody reads; a patient's leaves a trace, as opening the chart does."""
    row = queries.event(event_id)
    if row.patient_id is not None:
        with transaction("event.view", actor=current_user, about=row):
            pass
    return row


def sheet(event: Event) -> dict[str, Any]:
    return {
        "event": event,
        "label": services.label(event),
        "words": queries.status_words(),
        "steps": queries.step_words(),
        "usual": rules.next_step(event.status),
        "others": rules.other_steps(event.status),
        "back": [each for each in Status if rules.is_back(event.status, each)],
        "finished": event.status in rules.FINISHED,
        "calendar_url": url_for("calendar.day", day=event.start.date()),
        "place": series_queries.places([event.id]).get(event.id) if event.series_id else None,
        "apart": series_rules.is_apart(event),
        "late": event.created_at > clock.to_instant(event.end),
        "Kind": Kind,
        "Status": Status,
    }


@bp.get("/events/new")
@require(P.CALENDAR_WRITE)
def new() -> ResponseReturnValue:
    """The form of a new entry, with the time, chair and person that are known from where it was opened; or with what
    an earlier entry was about, when that is booked again."""
    asked = request.args
    start = _moment(asked.get("start")) or _first_time(_day(asked.get("day")))
    kind = Kind.BLOCK if asked.get("kind") == Kind.BLOCK else Kind.VISIT
    again = queries.event(number) if (number := _number(asked.get("again"))) else None
    if again is not None:
        kind = again.kind
    patient_id = again.patient_id if again is not None else _number(asked.get("patient"))
    patient = patients.patient(patient_id) if patient_id is not None else None
    types, chairs, providers = queries.types(), queries.chairs(), auth.providers()
    minutes = again.minutes if again is not None else _number(asked.get("minutes"))
    if minutes is not None and not rules.SHORTEST <= minutes <= rules.longest(kind):
        abort(404)
    type_id = _number(asked.get("type"))
    type_ = next((each for each in types if each.id == type_id), types[0] if types else None)
    usual = minutes or (type_.minutes if type_ and kind is Kind.VISIT else 30)
    chair_id = _number(asked.get("chair"))
    if chair_id is None:
        free = queries.free_chair(start, start + timedelta(minutes=usual), chairs)
        chair_id = free.id if free else (chairs[0].id if chairs else None)
    form = EventForm.empty(
        start=start,
        chair_id=chair_id,
        provider_id=_usual_provider(
            str(again.provider_id) if again is not None and again.provider_id else asked.get("provider"),
            patient,
            providers,
            kind,
            chair_id,
            start.date(),
        ),
        kind=kind,
        type_=type_,
        patient=patient,
        minutes=minutes,
    )
    if again is not None:
        form.title.data, form.color.data = again.title, again.color
        form.type_id.data = again.type_id if again.type in types else None
    return _event_page(form)


def _usual_provider(
    asked: str | None, patient: Any, providers: list[Any], kind: Kind, chair_id: int | None, day: date
) -> int | None:
    """Whom the address names; else the person at the screen; else whom the patient saw last; else who works at that
    chair on that day; else the first."""
    known = [each.id for each in providers]
    if (chosen := _number(asked)) in known:
        return chosen
    if kind is Kind.BLOCK or not known:
        return None
    if current_user.id in known:
        return int(current_user.id)
    last = queries.last_provider(patient.id) if patient else None
    there = queries.provider_at(chair_id, day) if chair_id is not None and last is None else None
    return next((each for each in (last, there) if each in known), known[0])


def _number(words: str | None) -> int | None:
    """A number of the address; what cannot be one is a 404."""
    if words and not is_whole(words):
        abort(404)
    return int(words) if words else None


def _moment(words: str | None) -> datetime | None:
    """A time of the address; one that no calendar shows is a 404."""
    try:
        found = datetime.fromisoformat(words) if words else None
    except ValueError:
        abort(404)
    if found and (found.tzinfo or found.second or found.microsecond or not rules.is_on_calendar(found.date())):
        abort(404)
    return found


def _day(words: str | None) -> date | None:
    """A day of the address; one that no calendar shows is a 404."""
    moment = _moment(words)
    return moment.date() if moment else None


def _first_time(day: date | None) -> datetime:
    """When the clinic opens on the day; today, or without a day, the next quarter of an hour in which it is open.

    Nobody means half past eleven at night.
    """
    now = clock.clinic_now()
    quarter = now - timedelta(minutes=now.minute % rules.LINE) + timedelta(minutes=rules.LINE)
    first = day or quarter.date()
    table = working_hours.timetable(first, first + timedelta(days=DAYS_TO_OPEN), of_people=False)
    if day is not None:
        spans = table.spans_of(day)
        opens = midnight(day) + timedelta(minutes=spans[0][0]) if spans else datetime.combine(day, rules.USUAL_OPENING)
        return max(opens, quarter) if quarter.date() == day else opens
    for ahead in range(DAYS_TO_OPEN):
        day = first + timedelta(days=ahead)
        for opens, closes in table.spans_of(day):
            if quarter < midnight(day) + timedelta(minutes=closes):
                return max(quarter, midnight(day) + timedelta(minutes=opens))
    return quarter


def _event_form() -> EventForm:
    """What was sent. No screen sends a kind that does not exist."""
    form = EventForm(request.form)
    if form.kind.process_errors:
        abort(400)
    return form


@bp.post("/events/draft")
@require(P.CALENDAR_WRITE, P.PATIENT_WRITE)
def draft() -> ResponseReturnValue:
    """The form again with the fields of a new patient, or without them. Stores nothing."""
    form = _event_form()
    words = (form.patient_name.data or "").split()
    if form.new_patient.data and words and not (form.first_name.data or form.last_name.data):
        form.first_name.data = " ".join(words[:-1]) or words[0]
        form.last_name.data = words[-1] if len(words) > 1 else ""
    if form.new_patient.data:
        form.patient_id.data = None
    return _event_page(form)


@bp.post("/events")
@require(P.CALENDAR_WRITE)
def create() -> ResponseReturnValue:
    form = _event_form()
    offer(form)
    if not _is_whole(form) or form.back.data:
        return _event_page(form, status=422)  # on the way back as well: what was typed is not stored yet
    try:
        if form.repeats:
            return book_many(form, lambda: _whose(form))
        with transaction("event.create", actor=current_user):
            row = services.book(
                kind=form.kind.data,
                patient_id=_whose(form),
                title=form.title.data or "",
                type_id=form.type_id.data,
                color=form.color.data or None,
                notes=form.notes.data or "",
                booking_key=form.booking_key.data or None,
                **form.slot(),
                **excuses(form),
            )
            if form.from_clipboard.data:
                clipboard.let_go(current_user.session_id)
    except LookAtThis as plan:
        return plan_page(plan, form, event=None, verb="book")
    except DomainError as refused:
        problem = told(refused, form)
        return _event_page(form, problem=problem, status=problem.status)
    say_booked(row)
    return finished(url_for("calendar.day", day=row.start.date()), CHANGED, VISITS_CHANGED)


def _is_whole(form: EventForm) -> bool:
    """Valid, and with the names of a new patient when there is one."""
    valid = form.validate()
    if form.new_patient.data and form.kind.data is Kind.VISIT:
        if not can(P.PATIENT_WRITE):
            raise Forbidden
        for field in (form.first_name, form.last_name, form.date_of_birth):
            if not field.data and not field.errors:
                form.refuse(field.name, _("Please fill this in."))
                valid = False
    return bool(valid)


def _whose(form: EventForm) -> int | None:
    """Whose visit it is; a new patient is entered with it."""
    if form.new_patient.data and form.kind.data is Kind.VISIT:
        return _register(form)
    chosen: int | None = form.patient_id.data
    return chosen


def _register(form: EventForm) -> int:
    """A new patient with the first visit. A form that is sent twice finds the patient of its first time."""
    first = queries.event_with_key(form.booking_key.data) if form.booking_key.data else None
    if first is not None and first.patient_id is not None:
        return first.patient_id
    return patient_services.register_patient(
        first_name=form.first_name.data,
        last_name=form.last_name.data,
        date_of_birth=form.date_of_birth.data,
        mobile_phone=form.mobile_phone.data or "",
        different_from=form.different_from(),
    ).id


@bp.get("/events/<int:event_id>/edit")
@require(P.CALENDAR_WRITE)
def edit(event_id: int) -> ResponseReturnValue:
    row = _looked_at(event_id)
    return _event_page(EventForm.of(row), event=row)


@bp.post("/events/<int:event_id>/edit")
@require(P.CALENDAR_WRITE)
def change(event_id: int) -> ResponseReturnValue:
    row = queries.event(event_id)
    form = _event_form()
    offer(form, row)
    if not form.validate() or form.back.data:
        return _event_page(form, event=row, status=422)
    try:
        if form.takes_following:
            return change_many(row, form)
        with transaction("event.change", actor=current_user, about=row) as write:
            services.change_event(
                row,
                seen=form.version.data or 0,
                patient_id=form.patient_id.data,
                title=form.title.data or "",
                type_id=form.type_id.data,
                color=form.color.data or None,
                notes=form.notes.data or "",
                **form.slot(),
                **excuses(form),
            )
    except LookAtThis as plan:
        return plan_page(plan, form, event=row, verb="change")
    except DomainError as refused:
        problem = told(refused, form)
        return _event_page(form, event=row, problem=problem, status=problem.status)
    back = way_back(write)
    toast(_("Saved: %(label)s, %(when)s.", label=services.label(row), when=when(row.start)), undo=back)
    return finished(url_for("calendar.day", day=row.start.date()), CHANGED, VISITS_CHANGED)


@bp.get("/events/<int:event_id>/move")
@require(P.CALENDAR_WRITE)
def move(event_id: int) -> ResponseReturnValue:
    """What a finger does by dragging, as a dialog; with another time and place filled in when the address has them."""
    row = queries.event(event_id)
    form = MoveForm.of(row)
    if start := _moment(request.args.get("start")):
        form.day.data, form.start_time.data = start.date(), start.time()
        form.minutes.data = _number(request.args.get("minutes")) or row.minutes
        form.chair_id.data = _number(request.args.get("chair")) or row.chair_id
        form.provider_id.data = _number(request.args.get("provider")) or row.provider_id
    return page("calendar/move_dialog.html", **dialog_context(form, event=row))


@bp.post("/events/<int:event_id>/move")
@require(P.CALENDAR_WRITE)
def store_move(event_id: int) -> ResponseReturnValue:
    row = queries.event(event_id)
    form = MoveForm(request.form)
    offer(form, row)
    if not form.validate() or form.back.data:
        return page("calendar/move_dialog.html", status=422, **dialog_context(form, event=row))
    try:
        if form.takes_following:
            return move_many(row, form)
        with transaction("event.move", actor=current_user, about=row):
            before = slot_of(row)
            services.move_event(row, seen=form.version.data or 0, **form.slot(), **excuses(form))
            clipboard.let_go(current_user.session_id, moved=row.id)
    except LookAtThis as plan:
        return plan_page(plan, form, event=row, verb="move")
    except DomainError as refused:
        problem = told(refused, form)
        return page(
            "calendar/move_dialog.html",
            status=problem.status,
            **dialog_context(form, event=row, problem=problem),
        )
    say_moved(row, before, Shown("day", row.start.date()))
    return finished(url_for("calendar.day", day=row.start.date()), CHANGED, VISITS_CHANGED)


def _event_page(
    form: EventForm,
    *,
    event: Event | None = None,
    problem: DomainError | None = None,
    status: int = 200,
) -> Response:
    return page("calendar/event_dialog.html", status=status, **dialog_context(form, event=event, problem=problem))


@bp.get("/patients/find")
@require(P.CALENDAR_WRITE, P.PATIENT_READ)
def find_patient() -> ResponseReturnValue:
    """The list under the patient field of a form."""
    words = request.args.get("patient_name", "")
    hits = patients.search(words, limit=8, archived=True) if words.strip() else []
    return Response(
        render_template("calendar/_patient_options.html", hits=hits, words=words.strip(), new=request.args.get("new"))
    )


@bp.get("/patients/chosen")
@require(P.CALENDAR_WRITE, P.PATIENT_READ)
def chosen_patient() -> ResponseReturnValue:
    """The line under the patient field, when somebody else was chosen."""
    chosen = whom(_number(request.args.get("patient_id")))
    return Response(render_template("calendar/_chosen_patient.html", chosen=chosen, live=True))
