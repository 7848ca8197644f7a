"""The tools around a calendar: where to, which view, whom and what of it."""

from datetime import date, timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from cpms.calendar import rules
from cpms.calendar.choices import Thing, Things
from cpms.calendar.models import By
from cpms.calendar.shown import Shown
from cpms.calendar.views.shown import address
from cpms.core import clock
from cpms.settings import queries as settings

MOST_CHIPS = 8  # beside the title; more of them are found behind "Filter" only


def tools(shown: Shown, things: Things) -> dict[str, Any]:
    """What the toolbar needs besides the calendar itself."""
    groups = [
        (_("With whom"), _chips("provider", things, shown.providers)),
        (_("Chairs"), _chips("chair", things, shown.chairs)),
        (_("Types"), _chips("type", things, shown.types)),
    ]
    beside = [(label, chips) for label, chips in groups[:2] if chips]
    today = shown.at(clock.today())
    return {
        "previous_url": address(shown.turned(-1)),
        "next_url": address(shown.turned(1)),
        "today_url": address(today),
        "turn_words": _turn_words(shown),
        "views": [
            (view, label, address(shown.at(_day_of(shown) if view == "day" else shown.day, view)), key)
            for view, label, key in (
                ("week", _("Week"), "w"),
                ("day", _("Day"), "d"),
                ("month", _("Month"), "o"),
                ("list", _("List"), "l"),
            )
        ],
        "by_words": [(By.CHAIR, _("By chair")), (By.PROVIDER, _("By dentist"))],
        "picker_url": url_for(
            "calendar.picker", view=shown.view, day=shown.day, month=f"{shown.day:%Y-%m}", **shown.filters()
        ),
        "print_url": None
        if shown.view == "month"
        else url_for("calendar.print_sheet", view=shown.view, day=shown.day, **shown.filters()),
        "now": clock.clinic_now(),
        "chips": beside if sum(len(chips) for _label, chips in beside) <= MOST_CHIPS else [],
        "groups": [(label, chips) for label, chips in groups if chips],
        "filters_on": len(shown.providers) + len(shown.chairs) + len(shown.types) + shown.cancelled,
    }


def _turn_words(shown: Shown) -> tuple[str, str]:
    return {
        "day": (_("Previous day"), _("Next day")),
        "month": (_("Previous month"), _("Next month")),
    }.get(shown.view, (_("Previous week"), _("Next week")))


def _chips(kind: str, things: Things, chosen: frozenset[int]) -> list[tuple[Thing, str | None, bool]]:
    """What can be chosen, the swatch of whoever has a colour, and whether it is."""
    return [
        (each, rules.swatch(each.color) if each.color else None, each.id in chosen)
        for each in things.offered(kind, chosen)
    ]


def first_open(first: date, days: int = 7) -> date:
    """The first day from there on which the clinic opens."""
    found = [day for day in (first + timedelta(days=ahead) for ahead in range(days)) if rules.is_on_calendar(day)]
    return next((day for day in found if settings.current().hours(day.weekday())), found[0])


def _day_of(shown: Shown) -> date:
    """Which day "Day" leads to: the one asked for; in a week or month where that one is closed today, or the first."""
    first, end = shown.days
    if shown.view in {"day", "list"} or settings.current().hours(shown.day.weekday()):
        return shown.day
    if shown.view == "month":
        first, end = shown.day.replace(day=1), rules.month_ahead(shown.day, 1)
    return clock.today() if first <= clock.today() < end else first_open(first)
