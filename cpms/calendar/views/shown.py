"""What an address asks the calendar to show, and the address of what is shown."""

from datetime import date
from typing import Any

from flask import abort, request, url_for
from werkzeug.datastructures import MultiDict

from cpms.calendar import rules
from cpms.calendar.forms import ids_in
from cpms.calendar.models import By
from cpms.calendar.shown import Shown

VIEWS = ("week", "day", "month", "list")
NAMES = ("provider", "chair", "type", "cancelled", "by")


def shown_of(view: str, day: str, given: "MultiDict[str, str] | None" = None) -> Shown:
    """What the address, or a form with the same names, asks for; a day that does not exist is a 404."""
    given = request.args if given is None else given
    try:
        asked = date.fromisoformat(day)
    except ValueError:
        abort(404)
    if view not in VIEWS or not rules.is_on_calendar(asked):
        abort(404)
    providers, chairs, types = (frozenset(ids_in(",".join(given.getlist(name)))) for name in NAMES[:3])
    by = By.PROVIDER if given.get("by") == By.PROVIDER else By.CHAIR
    return Shown(view, asked, providers, chairs, bool(given.get("cancelled")), types, by)


def is_explicit() -> bool:
    """True when the address says what to show; one that says nothing means what the person chose last."""
    return any(name in request.args for name in (*NAMES, "rev"))


def address(shown: Shown, **more: Any) -> str:
    return url_for(f"calendar.{shown.view}", day=shown.day, **shown.filters(), **more)
