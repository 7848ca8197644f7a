"""Today: who comes, who waits, and what else needs a person. Each panel has an address of its own."""

import logging
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.exc import OperationalError

from cpms.auth.models import User
from cpms.backups import queries as backups
from cpms.backups import rules as backup_rules
from cpms.calendar import queries as calendar
from cpms.calendar import rebooking, slots
from cpms.calendar.models import Status
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import CannotWrite
from cpms.core.permissions import P
from cpms.hours import queries as hours
from cpms.patients import queries as patients
from cpms.today import queries, rules
from cpms.web.access import passive, polled, require
from cpms.web.htmx import nothing_new, page, target_block
from cpms.xrays import queries as xrays

bp = Blueprint("today", __name__, url_prefix="/today")
log = logging.getLogger("cpms")

CHANGED = "today-changed"  # the page event that the panels beside the board listen to
SHOWN = 5  # lines of a panel, as long as nobody asks for all of them


@bp.get("/")
@require(P.CALENDAR_READ, P.PATIENT_READ)
@polled
def home() -> ResponseReturnValue:
    """The day's visits and the waiting room; 204 to a poll that has them already."""
    number, today = calendar.revision(), clock.today()
    is_board = target_block() == "today_board"
    if is_board and request.args.get("rev") == str(number) and request.args.get("on") == str(today):
        return nothing_new()
    answer = page("today/board.html", **_board(today, number))
    _trace(today)
    if is_board:
        answer.headers["HX-Trigger"] = CHANGED
    return answer


def _board(today: date, number: int) -> dict[str, Any]:
    of_all = queries.visits(today)
    takes_visits = queries.takes_visits(current_user.id)
    is_mine = takes_visits and request.args.get("mine") != "0"
    mine = [visit for visit in of_all if visit.provider_id == current_user.id] if takes_visits else []
    visits = mine if is_mine else of_all
    here = url_for("today.home", mine=request.args.get("mine"))
    open_days = hours.open_days(today, rules.DAYS_AHEAD)
    return {
        "visits": visits,
        "waiting": sorted(
            (visit for visit in visits if visit.status is Status.ARRIVED), key=lambda visit: -visit.minutes
        ),
        "counts": {"all": len(of_all), "mine": len(mine)},
        "takes_visits": takes_visits,
        "is_mine": is_mine,
        "is_closed": today not in open_days,
        "today": today,
        "now": clock.now(),
        "board_url": url_for("today.home", mine=request.args.get("mine"), on=today, rev=number),
        "here": here,
        "last_day": rules.next_working_day(today, open_days),
        **_words(),
    }


@bp.get("/sheet")
@require(P.CALENDAR_READ, P.PATIENT_READ)
@polled
def sheet() -> ResponseReturnValue:
    """The day's visits to read, by time. A device keeps a copy until the headers say, for whom they say: worker.js."""
    today = clock.today()
    answer = page(
        "today/sheet.html",
        visits=queries.visits(today),
        words=calendar.status_words(),
        today=today,
        read_at=clock.clinic_now(),
    )
    midnight = clock.to_instant(datetime.combine(today + timedelta(days=1), time()))
    answer.headers["X-Sheet-Until"] = str(int(midnight.timestamp()))
    answer.headers["X-Sheet-For"] = str(current_user.id)
    _trace(today)
    return answer


def _words() -> dict[str, Any]:
    return {
        "words": calendar.status_words(),
        "steps": calendar.step_words(),
        "ways": rules.STEPS,
        "LONG_WAIT": rules.LONG_WAIT,
        "Status": Status,
    }


def _trace(today: date) -> None:
    """Once a day and person the trail says that they saw who comes. It is shown also when nothing can be written."""
    if queries.viewed_on(current_user.id) == str(today):
        return
    try:
        with transaction("today.view", actor=current_user, about=User(id=current_user.id), reason=str(today)):
            pass
    except (CannotWrite, OperationalError) as error:
        log.warning(
            "request %s: a look at the day is missing in the trail: %s", g.get("request_id", ""), type(error).__name__
        )


@bp.get("/unconfirmed")
@require(P.CALENDAR_READ, P.PATIENT_READ)
@passive
def unconfirmed() -> ResponseReturnValue:
    """Who is to be called: the visits until the next working day that nobody confirmed."""
    today = clock.today()
    last = rules.next_working_day(today, hours.open_days(today, rules.DAYS_AHEAD))
    found = queries.unconfirmed(today + timedelta(days=1), last)
    return _panel(
        "unconfirmed",
        found,
        why=_why_outside(found, last),
        last_day=last,
        is_tomorrow=last == today + timedelta(days=1),
        **_words(),
    )


def _why_outside(visits: list[queries.Visit], last: date) -> dict[int, str]:
    """Of those at a time when nobody works the reason: whoever calls does not confirm what cannot take place."""
    if not visits:
        return {}
    table = hours.timetable(visits[0].start.date(), last + timedelta(days=1))
    return {
        visit.id: " ".join(hours.why_words(each, visit.provider or "") for each in reasons)
        for visit in visits
        if (reasons := table.reasons(visit.provider_id, visit.start, visit.end))
    }


@bp.get("/unfinished")
@require(P.CALENDAR_READ, P.PATIENT_READ)
@passive
def unfinished() -> ResponseReturnValue:
    """Visits of the past days of which nobody said how they ended."""
    today = clock.today()
    return _panel("unfinished", queries.unfinished(today - timedelta(days=rules.DAYS_BACK), today), **_words())


@bp.get("/rebook")
@require(P.CALENDAR_READ, P.PATIENT_READ)
@passive
def rebook() -> ResponseReturnValue:
    """How many visits want another date."""
    return Response(render_template("today/_rebook.html", count=sum(rebooking.counts())))


@bp.get("/outside")
@require(P.CALENDAR_READ)
@passive
def outside() -> ResponseReturnValue:
    """How many visits lie at a time when nobody works."""
    return Response(render_template("today/_outside.html", count=slots.how_many_outside()))


@bp.get("/unasked")
@require(P.CALENDAR_READ, P.PATIENT_READ, P.MEDICAL_READ)
@passive
def unasked() -> ResponseReturnValue:
    """Who of today's patients was never asked about illnesses and medicines."""
    return _panel("unasked", patients.never_asked(queries.expected(clock.today())))


@bp.get("/unreported")
@require(P.XRAY_READ, P.XRAY_REPORT)
@passive
def unreported() -> ResponseReturnValue:
    """How many X-rays nobody has described yet."""
    return Response(render_template("today/_unreported.html", count=xrays.how_many_without_findings()))


@bp.get("/backup")
@require(P.PROFILE)
@passive
def backup() -> ResponseReturnValue:
    """Whether the clinic's data is safe: for everybody, because everybody's work is in it."""
    last = backups.last_good()
    limit = backup_rules.WORRY_AFTER
    is_old = backup_rules.is_old(last.created_at if last else None, now=clock.now(), limit=limit)
    return Response(render_template("today/_backup.html", last=last, is_old=is_old))


def _panel(name: str, found: list[Any], **context: Any) -> Response:
    """The first lines of what was found, or all of them."""
    every = request.args.get("every") == "1"
    shown = found if every else found[:SHOWN]
    html = render_template(f"today/_{name}.html", lines=shown, count=len(found), every=every, **context)
    return Response(html)
