"""What is booked outside the hours: after hours changed, these visits want another time, or a yes."""

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from cpms.auth import queries as auth
from cpms.calendar import slots
from cpms.calendar.forms import is_whole
from cpms.calendar.views.blueprint import bp
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.permissions import P
from cpms.web.access import require
from cpms.web.htmx import page


@bp.get("/outside")
@require(P.CALENDAR_READ)
def outside() -> ResponseReturnValue:
    """The visits to come that lie outside the hours, with the reason of each. A look at the names leaves a trace."""
    provider_id = _provider()
    whose = auth.user(provider_id) if provider_id is not None else None  # also somebody who left
    with transaction("calendar.outside_list", actor=current_user, reason=str(clock.today())):
        pass
    return page("calendar/outside.html", found=slots.outside(provider_id=provider_id), whose=whose)


@bp.get("/outside/note")
@require(P.CALENDAR_READ)
def outside_note() -> ResponseReturnValue:
    """How many they are, for the pages about hours."""
    provider_id = _provider()
    count = slots.how_many_outside(provider_id=provider_id)
    return Response(render_template("calendar/_outside_note.html", count=count, provider_id=provider_id))


def _provider() -> int | None:
    words = request.args.get("provider", "")
    if words and not is_whole(words):
        abort(404)
    return int(words) if words else None
