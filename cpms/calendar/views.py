"""The calendar on the screen."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from jinja2_fragments.flask import render_block
from wtforms.fields import SelectChoice

from cpms.auth import queries as auth
from cpms.calendar import queries, rules, services
from cpms.calendar.forms import ChairForm, DropForm, EventForm, MoveForm, SlotFields, StatusForm, TypeForm
from cpms.calendar.models import AppointmentType, Chair, Event, Kind, Status
from cpms.calendar.queries import Shown
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import DomainError, Forbidden, Stale
from cpms.core.permissions import P
from cpms.patients import queries as patients
from cpms.patients import services as patient_services
from cpms.settings import queries as settings
from cpms.web.access import can, polled, require
from cpms.web.errors import sentence
from cpms.web.filters import when
from cpms.web.htmx import closed, done, finished, is_htmx, nothing_new, page, partial, target_block
from cpms.web.toasts import toast

bp = Blueprint("calendar", __name__, url_prefix="/calendar")

CHANGED = "calendar-changed"
GRID, DIALOG = "calendar/week.html", "calendar/event_dialog.html"

MOST_DRAWN = 48  # grids that are kept as they were drawn last


# --- the grid -------------------------------------------------------------------------------------------------------


@bp.get("/")
@require(P.CALENDAR_READ)
def home() -> ResponseReturnValue:
    """Today: the week, or on a telephone the day."""
    view = "calendar.day" if "Mobi" in request.headers.get("User-Agent", "") else "calendar.week"
    return done(url_for(view, day=clock.today()))


@bp.get("/week/<day>")
@require(P.CALENDAR_READ)
@polled
def week(day: str) -> ResponseReturnValue:
    return _show(_shown("week", day))


@bp.get("/day/<day>")
@require(P.CALENDAR_READ)
@polled
def day(day: str) -> ResponseReturnValue:
    return _show(_shown("day", day))


@bp.get("/go")
@require(P.CALENDAR_READ)
def go() -> ResponseReturnValue:
    """Where the date field of the toolbar leads."""
    view = "day" if request.args.get("view") == "day" else "week"
    return done(_address(_shown(view, request.args.get("day") or clock.today().isoformat())))


def _shown(view: str, day: str) -> Shown:
    """What the address asks for; a day that does not exist is a 404."""
    try:
        asked = date.fromisoformat(day)
    except ValueError:
        abort(404)
    if not date(1900, 1, 1) <= asked <= date(2200, 1, 1):
        abort(404)
    ids = {
        name: frozenset(int(each) for each in request.args.getlist(name) if each.isdecimal() and len(each) < 10)
        for name in ("provider", "chair")
    }
    return Shown(view, asked, ids["provider"], ids["chair"], bool(request.args.get("cancelled")))


def _address(shown: Shown, **more: Any) -> str:
    return url_for(f"calendar.{shown.view}", day=shown.day, **shown.filters(), **more)


def _show(shown: Shown, *, status: int = 200, fire: str | None = None, dialog: str = "") -> Response:
    """The grid as it stands now: 204 to a poll that has it already, the grid alone to htmx, else the whole page."""
    if status == 200 and request.method == "GET" and target_block() == "week_grid":
        if request.args.get("rev") == str(queries.revision()):
            return nothing_new()
    if target_block() == "week_grid":
        answer = Response(_drawn_grid(shown) + dialog, status, mimetype="text/html")
        if fire:
            answer.headers["HX-Trigger"] = fire
        return answer
    if is_htmx() and request.method == "POST":
        # The way back, sent from a toast: there is no grid to swap, so every calendar on the page asks anew.
        answer = Response(dialog, status, mimetype="text/html")
        answer.headers["HX-Trigger"] = ", ".join(filter(None, (CHANGED, fire)))
        return answer
    return page(GRID, status=status, **_grid_context(shown), **_tools(shown))


def _drawn_grid(shown: Shown) -> str:
    """The grid as HTML; drawn anew only when something changed that it depends on."""
    drawn: dict[tuple[Any, ...], str] = current_app.extensions.setdefault("calendar_drawn", {})
    key = (queries.revision(), shown, clock.today(), str(get_locale()), can(P.CALENDAR_WRITE))
    html = drawn.get(key)
    if html is None:
        html = render_block(GRID, "week_grid", **_grid_context(shown))
        while len(drawn) >= MOST_DRAWN:
            drawn.pop(next(iter(drawn)), None)
        drawn[key] = html
    return html


def _grid_context(shown: Shown) -> dict[str, Any]:
    grid = queries.grid(shown)
    return {
        "grid": grid,
        "shown": shown,
        "grid_url": _address(shown),
        "may_write": can(P.CALENDAR_WRITE),
        "words": queries.status_words(),
        "new_url": url_for("calendar.new"),
        "day_urls": {column.day: _address(shown.at(column.day, "day")) for column in grid.columns},
    }


def _tools(shown: Shown) -> dict[str, Any]:
    """The toolbar around the grid."""
    step = timedelta(days=1 if shown.view == "day" else 7)
    return {
        "previous_url": _address(shown.at(shown.day - step)),
        "next_url": _address(shown.at(shown.day + step)),
        "today_url": _address(shown.at(clock.today())),
        "week_url": _address(shown.at(shown.day, "week")),
        "day_url": _address(shown.at(shown.day, "day")),
        "go_url": url_for("calendar.go"),
        "now": clock.clinic_now(),
        "provider_chips": [
            {
                "label": each.display_name,
                "on": each.id in shown.providers,
                "swatch": rules.swatch(each.color),
                "url": _address(
                    Shown(shown.view, shown.day, shown.providers ^ {each.id}, shown.chairs, shown.cancelled)
                ),
            }
            for each in auth.providers()
        ],
        "chair_chips": [
            {
                "label": each.name,
                "on": each.id in shown.chairs,
                "swatch": None,
                "url": _address(
                    Shown(shown.view, shown.day, shown.providers, shown.chairs ^ {each.id}, shown.cancelled)
                ),
            }
            for each in queries.chairs()
        ],
        "cancelled_chip": {
            "label": _("Cancelled too"),
            "on": shown.cancelled,
            "swatch": None,
            "url": _address(Shown(shown.view, shown.day, shown.providers, shown.chairs, not shown.cancelled)),
        },
    }


@bp.post("/events/move")
@require(P.CALENDAR_WRITE)
def drop() -> ResponseReturnValue:
    """A drag ended on the grid. The answer is always the true grid, with the reason when nothing was stored."""
    form = DropForm(request.values)
    if not form.validate():
        abort(400)
    shown = _shown_with(form)
    event = queries.event(form.event.data)
    try:
        with transaction("event.move", actor=current_user, about=event):
            before = _slot(event)
            start = form.starts
            services.move_event(
                event,
                seen=form.version.data,
                start=start,
                end=start + timedelta(minutes=form.minutes.data),
                chair_id=form.chair.data or event.chair_id,
                provider_id=form.provider_back.data or event.provider_id,
                confirmed="provider_back" in request.values,
            )
    except (services.SlotTaken, services.Unconfirmed) as problem:
        return _show(shown, status=problem.status, dialog=_ask_about_move(event, form, problem))
    except DomainError as problem:
        toast(sentence(problem), "error")
        return _show(shown, status=problem.status)
    _say_moved(event, before, shown)
    return _show(shown, fire="visits-changed")


def _shown_with(form: DropForm) -> Shown:
    def ids(words: str | None) -> frozenset[int]:
        return frozenset(int(each) for each in (words or "").split(",") if each.isdecimal())

    day = form.day.data or form.starts.date()
    return Shown(form.view.data, day, ids(form.provider.data), ids(form.chair_filter.data), bool(form.cancelled.data))


def _slot(event: Event) -> tuple[datetime, int, int, int | None]:
    return event.start, event.minutes, event.chair_id, event.provider_id


def _say_moved(event: Event, before: tuple[datetime, int, int, int | None], shown: Shown) -> None:
    if _slot(event) == before:
        return
    start, minutes, chair_id, provider_id = before
    back = url_for(
        "calendar.drop",
        event=event.id,
        version=event.row_version,
        start=f"{start:%Y-%m-%dT%H:%M}",
        minutes=minutes,
        chair=chair_id,
        provider_back=provider_id or "",
        view=shown.view,
        day=shown.day,
    )
    toast(
        _(
            "%(label)s: %(when)s, %(chair)s.",
            label=services.label(event),
            when=when(event.start),
            chair=event.chair.name,
        ),
        undo=back,
    )


def _ask_about_move(event: Event, form: DropForm, problem: DomainError) -> str:
    """The dialog "Move" filled with what the drag asked for, to be sent along with the true grid."""
    ask = MoveForm(
        None,
        day=form.starts.date(),
        start_time=form.starts.time(),
        minutes=form.minutes.data,
        chair_id=form.chair.data or event.chair_id,
        provider_id=event.provider_id,
        version=event.row_version,
    )
    return partial(
        "calendar/move_dialog.html",
        "dialog",
        target="#dialog",
        swap="innerHTML",
        **_dialog_context(ask, event=event, problem=problem),
    )


# --- an entry -------------------------------------------------------------------------------------------------------


@bp.get("/events/<int:event_id>")
@require(P.CALENDAR_READ)
def event(event_id: int) -> ResponseReturnValue:
    """The sheet of an entry: what it is, and what can be done with it."""
    return page("calendar/sheet_dialog.html", **_sheet(queries.event(event_id)))


def _sheet(event: Event) -> dict[str, Any]:
    return {
        "event": event,
        "label": services.label(event),
        "words": queries.status_words(),
        "usual": rules.next_step(event.status),
        "others": rules.other_steps(event.status),
        "back": [each for each in Status if rules.is_back(event.status, each)],
        "finished": event.status in rules.FINISHED,
        "swatch": rules.swatch(event.color),
        "calendar_url": url_for("calendar.day", day=event.start.date()),
        "late": event.created_at > clock.to_instant(event.end),
        "Kind": Kind,
        "Status": Status,
    }


@bp.get("/events/new")
@require(P.CALENDAR_WRITE)
def new() -> ResponseReturnValue:
    """The form of a new entry, with the time, chair and person that are known from where it was opened."""
    asked = request.args
    start = _moment(asked.get("start")) or _next_quarter()
    kind = Kind.BLOCK if asked.get("kind") == Kind.BLOCK else Kind.VISIT
    patient = patients.patient(int(asked["patient"])) if asked.get("patient", "").isdecimal() else None
    types, chairs, providers = queries.types(), queries.chairs(), auth.providers()
    minutes = int(asked["minutes"]) if asked.get("minutes", "").isdecimal() else None
    usual = minutes or (types[0].minutes if types and kind is Kind.VISIT else 30)
    chair_id = int(asked["chair"]) if asked.get("chair", "").isdecimal() else None
    if chair_id is None:
        free = queries.free_chair(start, start + timedelta(minutes=usual), chairs)
        chair_id = free.id if free else (chairs[0].id if chairs else None)
    form = EventForm.empty(
        start=start,
        chair_id=chair_id,
        provider_id=_usual_provider(asked.get("provider"), patient, providers, kind),
        kind=kind,
        type_=types[0] if types else None,
        patient=patient,
        minutes=minutes,
    )
    return _event_page(form)


def _usual_provider(asked: str | None, patient: Any, providers: list[Any], kind: Kind) -> int | None:
    """Whom the address names; else the person at the screen; else whom the patient saw last; else the first."""
    known = [each.id for each in providers]
    if asked and asked.isdecimal() and int(asked) in known:
        return int(asked)
    if kind is Kind.BLOCK or not known:
        return None
    if current_user.id in known:
        return int(current_user.id)
    last = queries.last_provider(patient.id) if patient else None
    return last if last in known else known[0]


def _moment(words: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(words) if words else None
    except ValueError:
        abort(404)
    return found if found and found.tzinfo is None else None


def _next_quarter() -> datetime:
    """The next quarter of an hour in which the clinic is open: nobody means half past eleven at night."""
    now = clock.clinic_now()
    quarter = now - timedelta(minutes=now.minute % rules.LINE) + timedelta(minutes=rules.LINE)
    for ahead in range(8):
        day = quarter.date() + timedelta(days=ahead)
        if hours := settings.current().hours(day.weekday()):
            opens, closes = datetime.combine(day, hours.opens), datetime.combine(day, hours.closes)
            if quarter < closes:
                return max(quarter, opens)
    return quarter


@bp.post("/events/draft")
@require(P.CALENDAR_WRITE, P.PATIENT_WRITE)
def draft() -> ResponseReturnValue:
    """The form again with the fields of a new patient, or without them. Stores nothing."""
    form = EventForm(request.form)
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
    form = EventForm(request.form)
    _offer(form)
    if not _is_whole(form):
        return _event_page(form, status=422)
    try:
        _check_overbooking(form)
        with transaction("event.create", actor=current_user):
            patient_id = form.patient_id.data
            if form.new_patient.data and form.kind.data is Kind.VISIT:
                patient_id = _register(form)
            row = services.book(
                kind=form.kind.data,
                patient_id=patient_id,
                title=form.title.data or "",
                type_id=form.type_id.data,
                color=form.color.data or None,
                notes=form.notes.data or "",
                booking_key=form.booking_key.data or None,
                **form.slot(),
                **form.excuses(),
            )
    except DomainError as problem:
        return _event_page(form, problem=problem, status=problem.status)
    toast(
        _("Booked: %(label)s, %(when)s.", label=services.label(row), when=when(row.start)),
        undo=url_for("calendar.delete", event_id=row.id, version=row.row_version),
    )
    return finished(url_for("calendar.day", day=row.start.date()), CHANGED, "visits-changed")


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


def _check_overbooking(form: SlotFields) -> None:
    if form.overbook_reason.data and not can(P.CALENDAR_OVERBOOK):
        raise Forbidden(_("Your role does not include booking over another entry."))


@bp.get("/events/<int:event_id>/edit")
@require(P.CALENDAR_WRITE)
def edit(event_id: int) -> ResponseReturnValue:
    row = queries.event(event_id)
    return _event_page(EventForm.of(row), event=row)


@bp.post("/events/<int:event_id>/edit")
@require(P.CALENDAR_WRITE)
def change(event_id: int) -> ResponseReturnValue:
    row = queries.event(event_id)
    form = EventForm(request.form)
    _offer(form, row)
    if not form.validate():
        return _event_page(form, event=row, status=422)
    try:
        _check_overbooking(form)
        with transaction("event.change", actor=current_user, about=row):
            services.change_event(
                row,
                seen=form.version.data or 0,
                patient_id=form.patient_id.data,
                title=form.title.data or "",
                type_id=form.type_id.data,
                color=form.color.data or None,
                notes=form.notes.data or "",
                **form.slot(),
                **form.excuses(),
            )
    except DomainError as problem:
        return _event_page(form, event=row, problem=problem, status=problem.status)
    toast(_("Stored: %(label)s, %(when)s.", label=services.label(row), when=when(row.start)))
    return finished(url_for("calendar.day", day=row.start.date()), CHANGED, "visits-changed")


@bp.get("/events/<int:event_id>/move")
@require(P.CALENDAR_WRITE)
def move(event_id: int) -> ResponseReturnValue:
    """What a finger does by dragging, as a dialog."""
    row = queries.event(event_id)
    return page("calendar/move_dialog.html", **_dialog_context(MoveForm.of(row), event=row))


@bp.post("/events/<int:event_id>/move")
@require(P.CALENDAR_WRITE)
def store_move(event_id: int) -> ResponseReturnValue:
    row = queries.event(event_id)
    form = MoveForm(request.form)
    _offer(form, row)
    if not form.validate():
        return page("calendar/move_dialog.html", status=422, **_dialog_context(form, event=row))
    try:
        _check_overbooking(form)
        with transaction("event.move", actor=current_user, about=row):
            before = _slot(row)
            services.move_event(row, seen=form.version.data or 0, **form.slot(), **form.excuses())
    except DomainError as problem:
        return page(
            "calendar/move_dialog.html",
            status=problem.status,
            **_dialog_context(form, event=row, problem=problem),
        )
    _say_moved(row, before, Shown("day", row.start.date()))
    return finished(url_for("calendar.day", day=row.start.date()), CHANGED, "visits-changed")


def _offer(form: SlotFields, event: Event | None = None) -> None:
    """Fill the selects of a form; what the entry has already may stay, in use or not."""
    chairs, providers = queries.chairs(), auth.providers()
    if event is not None:
        chairs += [event.chair] if event.chair not in chairs else []
        providers += [event.provider] if event.provider is not None and event.provider not in providers else []
    form.offer(chairs, providers)
    if isinstance(form, EventForm):
        types = queries.types()
        types += [event.type] if event is not None and event.type is not None and event.type not in types else []
        form.offer_types(types)


def _dialog_context(
    form: SlotFields, *, event: Event | None = None, problem: DomainError | None = None
) -> dict[str, Any]:
    """Everything that a dialog about a slot shows. A refusal finds its field, a question its place."""
    _offer(form, event)
    taken, warnings, stored, same = None, [], None, []
    match problem:
        case services.SlotTaken():
            taken = problem.message
        case services.Unconfirmed():
            warnings = problem.warnings
            form.confirmed.data = problem.key
        case Stale():
            stored = event  # read again after the rollback: what the other one stored
            form.version.data = event.row_version if event is not None else None
        case patient_services.LooksKnown():
            same = problem.candidates
            form.shown_ids.data = ",".join(str(each.id) for each in same)
        case DomainError():
            form.refuse(problem.field, sentence(problem))
    if not warnings and not isinstance(problem, services.SlotTaken | patient_services.LooksKnown):
        form.confirmed.data = ""
    return {
        "form": form,
        "event": event,
        "label": services.label(event) if event is not None else "",
        "taken": taken,
        "warnings": warnings,
        "stored": stored,
        "same": same,
        "may_overbook": can(P.CALENDAR_OVERBOOK),
        "may_register": can(P.PATIENT_WRITE),
        "block_url": _block_url(form),
        "swatches": queries.swatch_words(),
        "words": queries.status_words(),
        "Kind": Kind,
    }


def _block_url(form: SlotFields) -> str:
    """The form of a block at the same time and chair."""
    known = {"chair": form.chair_id.data}
    if form.day.data and form.start_time.data:
        known["start"] = f"{form.day.data}T{form.start_time.data:%H:%M}"
    return url_for("calendar.new", kind=Kind.BLOCK, **known)


def _event_page(
    form: EventForm,
    *,
    event: Event | None = None,
    problem: DomainError | None = None,
    status: int = 200,
) -> Response:
    return page(DIALOG, status=status, **_dialog_context(form, event=event, problem=problem))


@bp.get("/patients/find")
@require(P.CALENDAR_WRITE, P.PATIENT_READ)
def find_patient() -> ResponseReturnValue:
    """The list under the patient field of a form."""
    words = request.args.get("patient_name", "")
    hits = patients.search(words, limit=8) if words.strip() else []
    return Response(
        render_template("calendar/_patient_options.html", hits=hits, words=words.strip(), new=request.args.get("new"))
    )


# --- the walk of a visit --------------------------------------------------------------------------------------------


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
        abort(400) if not form.reason.errors else None
        return _status_page(row, form, status=422)
    before = row.status
    try:
        if form.overbook_reason.data and not can(P.CALENDAR_OVERBOOK):
            raise Forbidden(_("Your role does not include booking over another entry."))
        with transaction("event.status", actor=current_user, about=row, reason=form.reason.data or None):
            services.set_status(
                row,
                form.status.data,
                seen=form.version.data,
                reason=form.reason.data or None,
                overbook_reason=form.overbook_reason.data or None,
            )
    except (Stale, Forbidden):
        raise
    except DomainError as problem:
        return _status_page(row, form, problem=problem, status=problem.status)
    if row.status is not before:
        back = url_for(
            "calendar.set_status",
            event_id=row.id,
            status=before,
            version=row.row_version,
            reason=_("Taken back at once"),
        )
        words = queries.status_words()
        toast(_("%(label)s: %(status)s.", label=services.label(row), status=words[row.status]), undo=back)
    return finished(url_for("calendar.day", day=row.start.date()), CHANGED, "visits-changed")


def _status_page(event: Event, form: StatusForm, *, problem: DomainError | None = None, status: int = 200) -> Response:
    taken = None
    if isinstance(problem, services.SlotTaken):
        taken = problem.message
    elif problem is not None:
        form.refuse(problem.field, sentence(problem))
    return page(
        "calendar/status_dialog.html",
        status=status,
        event=event,
        form=form,
        label=services.label(event),
        taken=taken,
        words=queries.status_words(),
        may_overbook=can(P.CALENDAR_OVERBOOK),
        Status=Status,
    )


@bp.post("/events/<int:event_id>/delete")
@require(P.CALENDAR_WRITE)
def delete(event_id: int) -> ResponseReturnValue:
    row = queries.event(event_id)
    seen = request.values.get("version", "")
    with transaction("event.delete", actor=current_user, about=row):
        services.delete_event(row, seen=int(seen) if seen.isdecimal() else 0)
    toast(
        _("Taken off the calendar: %(label)s.", label=services.label(row)),
        undo=url_for("calendar.undelete", event_id=row.id),
    )
    return finished(url_for("calendar.day", day=row.start.date()), CHANGED, "visits-changed")


@bp.post("/events/<int:event_id>/undelete")
@require(P.CALENDAR_WRITE)
def undelete(event_id: int) -> ResponseReturnValue:
    row = queries.event(event_id)
    with transaction("event.undelete", actor=current_user, about=row):
        services.undelete_event(row)
    toast(_("Back on the calendar: %(label)s, %(when)s.", label=services.label(row), when=when(row.start)))
    return finished(url_for("calendar.day", day=row.start.date()), CHANGED, "visits-changed")


# --- what a patient's chart shows -----------------------------------------------------------------------------------


@bp.get("/patients/<int:patient_id>/visits")
@require(P.CALENDAR_READ, P.PATIENT_READ)
def patient_visits(patient_id: int) -> ResponseReturnValue:
    """The tab "Visits" of a chart; opening it is opening the chart."""
    patient = patients.patient(patient_id)
    with transaction("patient.view", actor=current_user, about=patient):
        pass
    return page("calendar/visits.html", patient=patient, **_visits(patient_id, limit=500))


@bp.get("/patients/<int:patient_id>/visits-panel")
@require(P.CALENDAR_READ, P.PATIENT_READ)
def patient_visits_panel(patient_id: int) -> ResponseReturnValue:
    """The last and the coming visits, for the overview of a chart."""
    patients.patient(patient_id)
    return Response(render_template("calendar/_visits.html", patient_id=patient_id, **_visits(patient_id, limit=12)))


@bp.get("/patients/<int:patient_id>/next")
@require(P.CALENDAR_READ, P.PATIENT_READ)
def next_visit_badge(patient_id: int) -> ResponseReturnValue:
    """The next visit, for the head of a chart."""
    patients.patient(patient_id)
    return Response(
        render_template(
            "calendar/_next.html",
            patient_id=patient_id,
            start=queries.next_visits([patient_id]).get(patient_id),
        )
    )


def _visits(patient_id: int, *, limit: int) -> dict[str, Any]:
    return {"visits": queries.of_patient(patient_id, limit=limit), "words": queries.status_words()}


@bp.get("/visits-of")
@require(P.CALENDAR_READ, P.PATIENT_READ)
def visits_of_list() -> ResponseReturnValue:
    """Last and next visit of each patient of a list, each sent to its own place."""
    ids = [int(each) for each in request.args.get("ids", "").split(",") if each.isdecimal() and len(each) < 10][:100]
    return Response(
        render_template(
            "calendar/_visits_of.html", ids=ids, last=queries.last_visits(ids), next=queries.next_visits(ids)
        )
    )


# --- chairs and appointment types -----------------------------------------------------------------------------------


@bp.get("/chairs")
@require(P.CALENDAR_SETUP)
def chairs() -> ResponseReturnValue:
    return page("calendar/chairs.html", chairs=queries.chairs(every=True))


@bp.get("/types")
@require(P.CALENDAR_SETUP)
def types() -> ResponseReturnValue:
    return page("calendar/types.html", types=queries.types(every=True), swatch=rules.swatch)


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
            with transaction(action, actor=current_user, about=row):
                store()
        except DomainError as problem:
            status = problem.status
            form.refuse(problem.field, sentence(problem))
            if isinstance(problem, Stale):
                form.version.data = row.row_version  # saving again is then a decision, not an accident
    if status != 200:
        return page(template, status=status, form=form, **context)
    toast(_("Stored: %(name)s.", name=form.name.data))
    return finished(url_for(endpoint), "furniture-changed")


def _switch(row: Chair | AppointmentType, word: str, retire: Callable[[int], None], endpoint: str) -> Response:
    seen = request.values.get("version", "")
    version = int(seen) if seen.isdecimal() else 0
    with transaction(f"{word}.{'retire' if row.active else 'reuse'}", actor=current_user, about=row):
        if row.active:
            retire(version)
        else:
            services.change_row(row, seen=version, active=True)
    toast(_("%(name)s is in use again.", name=row.name) if row.active else _("%(name)s is given up.", name=row.name))
    if not is_htmx():
        return done(url_for(endpoint))
    return closed("furniture-changed")
