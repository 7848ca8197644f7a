"""The views of the calendar, and what a drag on a grid does."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from flask import Response, abort, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_login import current_user
from jinja2_fragments.flask import render_block

from cpms.calendar import agenda, choices, clipboard, queries, rules, services
from cpms.calendar.forms import DropForm, EventForm, MoveForm, ids_in
from cpms.calendar.grid import drawn
from cpms.calendar.models import By, Event
from cpms.calendar.paper import printed
from cpms.calendar.series import queries as series_queries
from cpms.calendar.shown import Shown
from cpms.calendar.views.blueprint import CHANGED, CLIPBOARD_CHANGED, VISITS_CHANGED, bp
from cpms.calendar.views.clipboard import hand
from cpms.calendar.views.dialogs import dialog_context, reason_of, say_booked, say_moved, slot_of
from cpms.calendar.views.shown import address, is_explicit, shown_of
from cpms.calendar.views.toolbar import first_open, tools
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import DomainError, Refused
from cpms.core.permissions import P
from cpms.web.access import can, polled, require
from cpms.web.errors import sentence
from cpms.web.htmx import done, is_htmx, nothing_new, page, partial, target_block
from cpms.web.toasts import toast

SCREENS = {  # the template of each view, and the block that is drawn anew
    "week": ("calendar/week.html", "week_grid"),
    "day": ("calendar/week.html", "week_grid"),
    "month": ("calendar/month.html", "month_grid"),
    "list": ("calendar/list.html", "visit_list"),
}
READS: dict[str, Callable[[Shown, int], Any]] = {
    "week": drawn,
    "day": drawn,
    "month": agenda.month,
    "list": agenda.listing,
}
MOST_DRAWN = 48  # grids that are kept as they were drawn last
_keeping = threading.Lock()  # the oldest is looked for while no other thread keeps one


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
    return show(_asked("week", day))


@bp.get("/day/<day>")
@require(P.CALENDAR_READ)
@polled
def day(day: str) -> ResponseReturnValue:
    return show(_asked("day", day))


@bp.get("/month/<day>")
@require(P.CALENDAR_READ)
@polled
def month(day: str) -> ResponseReturnValue:
    return show(_asked("month", day))


@bp.get("/list/<day>", endpoint="list")
@require(P.CALENDAR_READ)
@polled
def list_(day: str) -> ResponseReturnValue:
    return show(_asked("list", day))


def _asked(view: str, day: str) -> Shown:
    """What the address says, or what the person chose last when it says nothing."""
    shown = shown_of(view, day)
    return shown if is_explicit() else choices.chosen(shown, current_user.id)


@bp.get("/print/<view>/<day>")
@require(P.CALENDAR_READ)
def print_sheet(view: str, day: str) -> ResponseReturnValue:
    """A day or a week on paper, with the filters of the screen. What leaves the screen stands in the trail."""
    if view == "month":
        abort(404)
    shown = shown_of(view, day)
    with transaction("calendar.print", actor=current_user, reason=f"{view} {shown.days[0]}"):
        pass
    things = choices.things(shown) if shown.is_filtered else None
    shown = things.known(shown) if things else shown
    return page(
        "calendar/sheet_print.html",
        shown=shown,
        by_person=shown.view == "day" and shown.by is By.PROVIDER,
        paper=printed(shown),
        narrowed=things.names(shown) if things else [],
        total=things.total if things else None,
        printed_at=clock.clinic_now(),
        back_url=address(shown),
    )


def show(shown: Shown, *, status: int = 200, fire: str | None = None, dialog: str = "") -> Response:
    """The view as it stands now: 204 to a poll that has it already, the view alone to htmx, else the whole page."""
    number = queries.revision()
    template, block = SCREENS[shown.view]
    if target_block() == block:
        newest = request.args.get("rev") == str(number) and request.args.get("on") in {None, str(clock.today())}
        if status == 200 and request.method == "GET" and newest:
            return nothing_new()
        answer = Response(_drawn(shown, number) + dialog, status, mimetype="text/html")
        if fire:
            answer.headers["HX-Trigger"] = fire
        return answer
    if is_htmx() and request.method == "POST" and target_block() != "calendar":
        # The way back, sent from a toast: there is no grid to swap, so every calendar on the page asks anew.
        answer = Response(dialog, status, mimetype="text/html")
        answer.headers["HX-Trigger"] = ", ".join(filter(None, (CHANGED, fire)))
        return answer
    things = choices.things(shown, current_user.session_id)
    shown = things.known(shown)
    held = hand() if can(P.CALENDAR_WRITE) and things.is_hand_full else {}
    return page(template, status=status, **_context(shown, number, things), **tools(shown, things), **held)


def _drawn(shown: Shown, number: int) -> str:
    """The view as HTML; drawn anew only when something changed that it depends on."""
    drawn: dict[tuple[Any, ...], str] = current_app.extensions.setdefault("calendar_drawn", {})
    key = (number, shown, clock.today(), str(get_locale()), can(P.CALENDAR_WRITE))
    html = drawn.get(key)
    if html is None:
        template, block = SCREENS[shown.view]
        things = choices.things(shown) if shown.is_filtered else None
        context = _context(things.known(shown) if things else shown, number, things)
        html = render_block(template, block, **context)
        if shown.is_filtered:
            html += partial("calendar/_note.html", "shown_note", **context)
        keep_drawn(drawn, key, html)
    return html


def keep_drawn(drawn: dict[tuple[Any, ...], str], key: tuple[Any, ...], html: str) -> None:
    """Keep a view in the place of the oldest one."""
    with _keeping:
        while len(drawn) >= MOST_DRAWN:
            del drawn[next(iter(drawn))]
        drawn[key] = html


def _context(shown: Shown, number: int, things: choices.Things | None) -> dict[str, Any]:
    """What a view shows. `things` may be missing when nothing of it is left out."""
    grid = READS[shown.view](shown, number)
    return {
        "grid": grid,
        "shown": shown,
        "grid_url": address(shown),
        "drawn_on": clock.today(),  # over midnight another day is today, though nothing was changed
        "may_write": can(P.CALENDAR_WRITE),
        "words": queries.status_words(),
        "new_url": _new_url(grid),
        "day_urls": {
            column.day: address(shown.at(column.day, "day"))
            for column in grid.columns
            if rules.is_on_calendar(column.day)
        },
        "narrowed": things.names(shown) if things and shown.is_filtered else [],
        "total": things.total if things else None,
    }


def _new_url(grid: Any) -> str:
    """The form of a new entry on a day that is on the screen, with whom and where when only one is shown."""
    shown = grid.shown
    known: dict[str, Any] = {
        name: min(ids) for name, ids in (("provider", shown.providers), ("chair", shown.chairs)) if len(ids) == 1
    }
    first, end = shown.days
    if shown.view == "day":
        return url_for("calendar.new", day=shown.day, **known)
    if first <= clock.today() < end:
        return url_for("calendar.new", **known)
    open_day = getattr(grid, "first_open", None) or first_open(shown.day if shown.view == "month" else first)
    return url_for("calendar.new", day=open_day, **known)


@bp.post("/events/move")
@require(P.CALENDAR_WRITE)
def drop() -> ResponseReturnValue:
    """A drag ended on the grid. The answer is always the true grid, with the reason when nothing was saved."""
    form = DropForm(request.values)
    if not form.validate():
        abort(400)
    shown = _shown_with(form)
    event = queries.event(form.event.data)
    if form.copied.data:
        return _put_copy(event, form, shown)
    goes = (event.start, event.minutes, event.chair_id, event.provider_id) != (
        form.starts,
        form.minutes.data,
        form.chair.data or event.chair_id,
        _provider_of(form, event),
    )
    asks = goes and event.row_version == form.version.data and "provider_back" not in request.values
    if asks and series_queries.following(event):
        return show(shown, status=422, dialog=_ask_about_move(event, form, None))  # this one, or those after it, too?
    try:
        with transaction("event.move", actor=current_user, about=event):
            clipboard.let_go(current_user.session_id, moved=event.id)
            before = slot_of(event)
            start = form.starts
            services.move_event(
                event,
                seen=form.version.data,
                start=start,
                end=start + timedelta(minutes=form.minutes.data),
                chair_id=form.chair.data or event.chair_id,
                provider_id=_provider_of(form, event),
                overbook_reason=reason_of(form),
                confirmed="provider_back" in request.values,
            )
    except (services.SlotTaken, services.Unconfirmed) as problem:
        return show(shown, status=problem.status, dialog=_ask_about_move(event, form, problem))
    except DomainError as problem:
        toast(sentence(problem), "error")
        return show(shown, status=problem.status, fire=CLIPBOARD_CHANGED)
    say_moved(event, before, shown, back="provider_back" in request.values)
    return show(shown, fire=f"{VISITS_CHANGED}, {CLIPBOARD_CHANGED}")


def _put_copy(event: Event, form: DropForm, shown: Shown) -> Response:
    """Book another entry like the copied one, where the person tapped; what is unusual is asked in its form."""
    provider_id = _provider_of(form, event)
    start, chair_id = form.starts, form.chair.data or event.chair_id
    try:
        with transaction("event.create", actor=current_user):
            services.check_can_be_held(event, to_move=False)
            event.expect_version(form.version.data or 0)  # the strip says whose visit it is: it must be that one still
            row = services.book(
                kind=event.kind,
                start=start,
                end=start + timedelta(minutes=event.minutes),
                chair_id=chair_id,
                provider_id=provider_id,
                patient_id=event.patient_id,
                title=event.title,
                type_id=event.type_id,
                color=event.color,
                notes=event.notes,
            )
            clipboard.let_go(current_user.session_id)
    except (services.SlotTaken, Refused) as problem:
        ask = EventForm.again(event, start=start, chair_id=chair_id, provider_id=provider_id)
        ask.from_clipboard.data = "1"
        context = dialog_context(ask, problem=problem)
        dialog = partial("calendar/event_dialog.html", "dialog", target="#dialog", swap="innerHTML", **context)
        return show(shown, status=problem.status, dialog=dialog)
    except DomainError as problem:
        toast(sentence(problem), "error")
        return show(shown, status=problem.status, fire=CLIPBOARD_CHANGED)
    say_booked(row)
    return show(shown, fire=f"{VISITS_CHANGED}, {CLIPBOARD_CHANGED}")


def _provider_of(form: DropForm, event: Event) -> int | None:
    """With whom it is after the drop: as before, or whose column the card was let go in."""
    if "provider_back" in request.values:
        return cast("int | None", form.provider_back.data)
    return event.provider_id if form.to_provider.data is None else form.to_provider.data or None


def _shown_with(form: DropForm) -> Shown:
    ids = [frozenset(ids_in(field.data)) for field in (form.provider, form.chair_filter, form.type_filter)]
    day = form.day.data or form.starts.date()
    by = By.PROVIDER if form.by.data == By.PROVIDER else By.CHAIR
    return Shown(form.view.data, day, ids[0], ids[1], bool(form.cancelled.data), ids[2], by)


def _ask_about_move(event: Event, form: DropForm, problem: DomainError | None) -> str:
    """The dialog "Move" filled with what the drag asked for, to be sent along with the true grid."""
    ask = MoveForm.of(event)
    ask.day.data, ask.start_time.data, ask.minutes.data = form.starts.date(), form.starts.time(), form.minutes.data
    ask.chair_id.data = form.chair.data or event.chair_id
    ask.provider_id.data = _provider_of(form, event)
    return partial(
        "calendar/move_dialog.html",
        "dialog",
        target="#dialog",
        swap="innerHTML",
        **dialog_context(ask, event=event, problem=problem),
    )
