"""The grid of a week or of a day, and what a drag does to it."""

from datetime import date, timedelta
from typing import Any

from flask import Response, abort, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from jinja2_fragments.flask import render_block

from cpms.auth import queries as auth
from cpms.calendar import queries, rules, services
from cpms.calendar.forms import DropForm, MoveForm, ids_in
from cpms.calendar.models import Event
from cpms.calendar.queries import Shown
from cpms.calendar.views.blueprint import CHANGED, VISITS_CHANGED, bp
from cpms.calendar.views.dialogs import dialog_context, reason_of, say_moved, slot_of
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import DomainError
from cpms.core.permissions import P
from cpms.settings import queries as settings
from cpms.web.access import can, polled, require
from cpms.web.errors import sentence
from cpms.web.htmx import done, is_htmx, nothing_new, page, partial, target_block
from cpms.web.toasts import toast

GRID = "calendar/week.html"
MOST_DRAWN = 48  # grids that are kept as they were drawn last


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


@bp.get("/print/<view>/<day>")
@require(P.CALENDAR_READ)
def print_sheet(view: str, day: str) -> ResponseReturnValue:
    """A day or a week on paper, with the filters of the screen. What leaves the screen stands in the trail."""
    if view not in {"day", "week"}:
        abort(404)
    shown = _shown(view, day)
    with transaction("calendar.print", actor=current_user, reason=f"{view} {shown.days[0]}"):
        pass
    return page(
        "calendar/sheet_print.html",
        shown=shown,
        paper=queries.paper(shown),
        printed_at=clock.clinic_now(),
        back_url=_address(shown),
    )


def _shown(view: str, day: str) -> Shown:
    """What the address asks for; a day that does not exist is a 404."""
    try:
        asked = date.fromisoformat(day)
    except ValueError:
        abort(404)
    if not rules.is_on_calendar(asked):
        abort(404)
    ids = {name: frozenset(ids_in(",".join(request.args.getlist(name)))) for name in ("provider", "chair")}
    return Shown(view, asked, ids["provider"], ids["chair"], bool(request.args.get("cancelled")))


def _address(shown: Shown, **more: Any) -> str:
    return url_for(f"calendar.{shown.view}", day=shown.day, **shown.filters(), **more)


def _show(shown: Shown, *, status: int = 200, fire: str | None = None, dialog: str = "") -> Response:
    """The grid as it stands now: 204 to a poll that has it already, the grid alone to htmx, else the whole page."""
    number = queries.revision()
    if target_block() == "week_grid":
        newest = request.args.get("rev") == str(number) and request.args.get("on") in {None, str(clock.today())}
        if status == 200 and request.method == "GET" and newest:
            return nothing_new()
        answer = Response(_drawn_grid(shown, number) + dialog, status, mimetype="text/html")
        if fire:
            answer.headers["HX-Trigger"] = fire
        return answer
    if is_htmx() and request.method == "POST":
        # The way back, sent from a toast: there is no grid to swap, so every calendar on the page asks anew.
        answer = Response(dialog, status, mimetype="text/html")
        answer.headers["HX-Trigger"] = ", ".join(filter(None, (CHANGED, fire)))
        return answer
    return page(GRID, status=status, **_grid_context(shown, number), **_tools(shown))


def _drawn_grid(shown: Shown, number: int) -> str:
    """The grid as HTML; drawn anew only when something changed that it depends on."""
    drawn: dict[tuple[Any, ...], str] = current_app.extensions.setdefault("calendar_drawn", {})
    key = (number, shown, clock.today(), str(get_locale()), can(P.CALENDAR_WRITE))
    html = drawn.get(key)
    if html is None:
        html = render_block(GRID, "week_grid", **_grid_context(shown, number))
        while len(drawn) >= MOST_DRAWN:
            drawn.pop(next(iter(drawn)), None)
        drawn[key] = html
    return html


def _grid_context(shown: Shown, number: int) -> dict[str, Any]:
    grid = queries.grid(shown, number)
    return {
        "grid": grid,
        "shown": shown,
        "grid_url": _address(shown),
        "drawn_on": clock.today(),  # over midnight another day is today, though nothing was changed
        "may_write": can(P.CALENDAR_WRITE),
        "words": queries.status_words(),
        "new_url": _new_url(grid),
        "day_urls": {column.day: _address(shown.at(column.day, "day")) for column in grid.columns},
    }


def _new_url(grid: queries.Grid) -> str:
    """The form of a new entry on a day that is on the screen; in this week that is now."""
    shown = grid.shown
    first, end = shown.days
    if shown.view == "day":
        return url_for("calendar.new", day=shown.day)
    if first <= clock.today() < end:
        return url_for("calendar.new")
    return url_for("calendar.new", day=grid.first_open or _first_open(first))


def _first_open(monday: date) -> date:
    """The first day of a week on which the clinic opens."""
    days = [monday + timedelta(days=ahead) for ahead in range(7)]
    return next((day for day in days if settings.current().hours(day.weekday())), monday)


def _day_of(shown: Shown) -> date:
    """Which day "Day" leads to: the one asked for; in a week where that one is closed today, or else the first."""
    first, end = shown.days
    if shown.view == "day" or settings.current().hours(shown.day.weekday()):
        return shown.day
    return clock.today() if first <= clock.today() < end else _first_open(first)


def _tools(shown: Shown) -> dict[str, Any]:
    """The toolbar around the grid."""
    step = 1 if shown.view == "day" else 7
    return {
        "previous_url": _address(shown.at(rules.on_calendar(shown.day, -step))),
        "next_url": _address(shown.at(rules.on_calendar(shown.day, step))),
        "today_url": _address(shown.at(clock.today())),
        "week_url": _address(shown.at(shown.day, "week")),
        "day_url": _address(shown.at(_day_of(shown), "day")),
        "go_url": url_for("calendar.go"),
        "print_url": url_for("calendar.print_sheet", view=shown.view, day=shown.day, **shown.filters()),
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
    """A drag ended on the grid. The answer is always the true grid, with the reason when nothing was saved."""
    form = DropForm(request.values)
    if not form.validate():
        abort(400)
    shown = _shown_with(form)
    event = queries.event(form.event.data)
    try:
        with transaction("event.move", actor=current_user, about=event):
            before = slot_of(event)
            start = form.starts
            services.move_event(
                event,
                seen=form.version.data,
                start=start,
                end=start + timedelta(minutes=form.minutes.data),
                chair_id=form.chair.data or event.chair_id,
                provider_id=form.provider_back.data if "provider_back" in request.values else event.provider_id,
                overbook_reason=reason_of(form),
                confirmed="provider_back" in request.values,
            )
    except (services.SlotTaken, services.Unconfirmed) as problem:
        return _show(shown, status=problem.status, dialog=_ask_about_move(event, form, problem))
    except DomainError as problem:
        toast(sentence(problem), "error")
        return _show(shown, status=problem.status)
    say_moved(event, before, shown, back="provider_back" in request.values)
    return _show(shown, fire=VISITS_CHANGED)


def _shown_with(form: DropForm) -> Shown:
    providers, chairs = frozenset(ids_in(form.provider.data)), frozenset(ids_in(form.chair_filter.data))
    day = form.day.data or form.starts.date()
    return Shown(form.view.data, day, providers, chairs, bool(form.cancelled.data))


def _ask_about_move(event: Event, form: DropForm, problem: DomainError) -> str:
    """The dialog "Move" filled with what the drag asked for, to be sent along with the true grid."""
    ask = MoveForm.of(event)
    ask.day.data, ask.start_time.data, ask.minutes.data = form.starts.date(), form.starts.time(), form.minutes.data
    ask.chair_id.data = form.chair.data or event.chair_id
    if "provider_back" in request.values:
        ask.provider_id.data = form.provider_back.data
    return partial(
        "calendar/move_dialog.html",
        "dialog",
        target="#dialog",
        swap="innerHTML",
        **dialog_context(ask, event=event, problem=problem),
    )
