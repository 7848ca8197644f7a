"""Choosing whom and what a calendar shows; it is remembered for every device of that person."""

import logging
from dataclasses import replace

from flask import abort, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.exc import OperationalError

from cpms.calendar import choices
from cpms.calendar.forms import is_whole
from cpms.calendar.models import By
from cpms.calendar.shown import Shown
from cpms.calendar.views.blueprint import bp
from cpms.calendar.views.grid import show
from cpms.calendar.views.shown import address, shown_of
from cpms.core.db import transaction
from cpms.core.errors import CannotWrite
from cpms.core.permissions import P
from cpms.web.access import require
from cpms.web.htmx import done, is_htmx

log = logging.getLogger("cpms")


@bp.post("/choose")
@require(P.CALENDAR_READ)
def choose() -> ResponseReturnValue:
    """A chip was tapped: the same days without what it took away, or with what it brought back."""
    sent = request.form
    asked = _toggled(shown_of(sent.get("view", ""), sent.get("day", ""), sent), sent.get("toggle", ""))
    shown = choices.known(asked)
    try:
        with transaction("calendar.choose", actor=current_user):
            choices.keep(shown, current_user.id)
    except (CannotWrite, OperationalError) as error:
        log.warning("a choice of the calendar is not remembered: %s", type(error).__name__)
    if not is_htmx():
        return done(address(shown))
    answer = show(shown)
    answer.headers["HX-Push-Url"] = address(shown)
    return answer


def _toggled(shown: Shown, toggle: str) -> Shown:
    kind, _colon, value = toggle.partition(":")
    if kind in {"provider", "chair", "type"} and is_whole(value):
        name = f"{kind}s"
        return replace(shown, **{name: getattr(shown, name) ^ {int(value)}})
    if kind == "by" and value in set(By):
        return replace(shown, by=By(value))
    if kind == "cancelled":
        return replace(shown, cancelled=not shown.cancelled)
    if toggle != "all":
        abort(400)
    return replace(shown, providers=frozenset(), chairs=frozenset(), types=frozenset())
