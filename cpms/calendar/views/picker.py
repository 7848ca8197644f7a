"""The month picker under the title: a small month, from which a day is chosen."""

from datetime import date

from flask import Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cpms.calendar import agenda, choices, rules
from cpms.calendar.shown import Shown
from cpms.calendar.views.blueprint import bp
from cpms.calendar.views.shown import address, shown_of
from cpms.core import clock
from cpms.core.permissions import P
from cpms.web.access import require
from cpms.web.htmx import done, is_htmx


@bp.get("/pick")
@require(P.CALENDAR_READ)
def picker() -> ResponseReturnValue:
    """One month of it. Days lead to the view that the picker was opened over, with its filters. As a page it is the
    month itself."""
    here = choices.known(
        shown_of(request.args.get("view", "week"), request.args.get("day") or clock.today().isoformat())
    )
    try:
        month = date.fromisoformat(f"{request.args.get('month') or here.day.isoformat()[:7]}-01")
    except ValueError:
        abort(404)
    if not rules.is_on_calendar(month):
        abort(404)
    if not is_htmx():
        return done(address(here.at(month, "month")))
    picked = agenda.picker(here.at(month))
    html = render_template(
        "calendar/_picker.html",
        picker=picked,
        here=here,
        urls={
            each.day: address(here.at(each.day))
            for week in picked.weeks
            for each in week
            if rules.is_on_calendar(each.day)
        },
        before_url=_turned(here, rules.month_ahead(month, -1)),
        after_url=_turned(here, rules.month_ahead(month, 1)),
        go_url=url_for("calendar.go"),
    )
    return Response(html)


def _turned(here: Shown, month: date) -> str:
    return url_for("calendar.picker", view=here.view, day=here.day, month=f"{month:%Y-%m}", **here.filters())


@bp.get("/go")
@require(P.CALENDAR_READ)
def go() -> ResponseReturnValue:
    """Where the date field of the picker leads."""
    return done(
        address(shown_of(request.args.get("view", "week"), request.args.get("day") or clock.today().isoformat()))
    )
