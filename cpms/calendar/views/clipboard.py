"""Cut and copy: a visit is taken up here and put down elsewhere; the strip under the toolbar says what is in hand."""

from typing import Any

from flask import abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.calendar import clipboard, queries, services
from cpms.calendar.forms import is_whole
from cpms.calendar.models import Held
from cpms.calendar.views.blueprint import CLIPBOARD_CHANGED, bp
from cpms.core.db import transaction
from cpms.core.permissions import P
from cpms.web.access import require
from cpms.web.htmx import done, finished, page, target_block
from cpms.web.toasts import toast


@bp.get("/clipboard")
@require(P.CALENDAR_WRITE)
def strip() -> ResponseReturnValue:
    return page("calendar/_clipboard.html", **hand())


def hand() -> dict[str, Any]:
    """What the strip shows."""
    held = clipboard.in_hand(current_user.session_id)
    return {"in_hand": held, "held_label": services.label(held.event) if held else "", "Held": Held}


@bp.post("/clipboard")
@require(P.CALENDAR_WRITE)
def take_up() -> ResponseReturnValue:
    """Cut or copy an entry; from its sheet, which closes, or by a key on its card."""
    number, held = request.form.get("event", ""), request.form.get("held", "")
    if not is_whole(number) or held not in set(Held):
        abort(400)
    row = queries.event(int(number))
    with transaction("calendar.take_up", actor=current_user):
        services.check_can_be_held(row, to_move=held == Held.CUT)
        clipboard.take_up(current_user.session_id, row.id, Held(held))
    if target_block() == "clipboard":
        return page("calendar/_clipboard.html", **hand())
    if held == Held.CUT:
        toast(_("%(label)s is cut. Tap a free time in the calendar to move it there.", label=services.label(row)))
    else:
        toast(_("%(label)s is copied. Tap a free time in the calendar to book it there.", label=services.label(row)))
    return finished(url_for("calendar.week", day=row.start.date()), CLIPBOARD_CHANGED)


@bp.post("/clipboard/let-go")
@require(P.CALENDAR_WRITE)
def let_go() -> ResponseReturnValue:
    with transaction("calendar.let_go", actor=current_user):
        clipboard.let_go(current_user.session_id)
    if target_block() == "clipboard":
        return page("calendar/_clipboard.html", **hand())
    return done(url_for("calendar.home"))
