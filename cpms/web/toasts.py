"""Short sentences at the foot of the screen. They survive a redirect; one that can be taken back is also on the next
pages, for as long as its time runs."""

import math
from typing import Any

from flask import Blueprint, Flask, Response, flash, get_flashed_messages, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from cpms.core import clock
from cpms.core.db import Writing
from cpms.core.permissions import P
from cpms.web.access import require
from cpms.web.htmx import is_htmx, nothing_new

bp = Blueprint("toasts", __name__)

SECONDS = 5
SECONDS_TO_UNDO = 10
SECONDS_TO_WAIT = 60  # for the page that shows it: after that nobody knows any more what it was about
_KEPT = "toasts"  # in the session's cookie, which has little room
_MOST_KEPT = 3
_LONGEST_KEPT = 700  # characters


def toast(text: str, kind: str = "ok", *, undo: str | None = None, action: dict[str, str] | None = None) -> None:
    """Show `text` with the next answer. `undo` is an address to post to, `action` a dialog's `label` and `url`."""
    flash({"text": text, "kind": kind, "undo": undo, "action": action, "said": clock.now().timestamp()})


def way_back(write: Writing) -> str | None:
    """The address that takes a write back, once it is stored; None when it changed nothing."""
    return url_for("audit.undo", entry_id=write.entry_id) if write.changes else None


def toasts() -> list[dict[str, Any]]:
    """The sentences for a whole page: those of the last pages that can still be taken back, and those that wait."""
    still = _still_there()
    return still + _waiting()


def _waiting() -> list[dict[str, Any]]:
    """What waits to be shown, and waits no longer. What has waited too long is not shown, unless it is an error."""
    now = clock.now().timestamp()
    messages = [
        message if isinstance(message, dict) else {"text": message, "kind": "ok", "undo": None, "action": None}
        for message in get_flashed_messages()
    ]
    messages = [each for each in messages if each["kind"] == "error" or now - each.get("said", now) < SECONDS_TO_WAIT]
    until = now + SECONDS_TO_UNDO
    keep = [
        {"text": each["text"], "undo": each["undo"], "until": until}
        for each in messages
        if each["undo"] and each["kind"] != "error" and len(each["text"] + each["undo"]) <= _LONGEST_KEPT
    ]
    if keep:
        session[_KEPT] = [*session.get(_KEPT, ()), *keep][-_MOST_KEPT:]
    return [{**each, "seconds": SECONDS_TO_UNDO if each["undo"] else SECONDS} for each in messages]


def _still_there() -> list[dict[str, Any]]:
    now = clock.now().timestamp()
    kept = [each for each in session.get(_KEPT, ()) if each["until"] > now]
    if _KEPT in session and len(kept) != len(session[_KEPT]):
        _keep_only(kept)
    return [{**each, "kind": "ok", "action": None, "seconds": math.ceil(each["until"] - now)} for each in kept]


def _keep_only(kept: list[dict[str, Any]]) -> None:
    session[_KEPT] = kept
    if not kept:
        del session[_KEPT]


def _forget(undo: str) -> None:
    if any(each["undo"] == undo for each in session.get(_KEPT, ())):
        _keep_only([each for each in session[_KEPT] if each["undo"] != undo])


def forget_all() -> None:
    """The session is over: what waits or is kept may name a patient, and whoever comes next reads none of it."""
    for name in (_KEPT, "_flashes"):
        session.pop(name, None)


@bp.post("/toasts/dismiss")
@require(P.PROFILE)
def dismiss() -> ResponseReturnValue:
    """Somebody has put a sentence away: it is not on the next page either."""
    _forget(request.form.get("undo", ""))
    return nothing_new()


def append_toasts(answer: Response) -> Response:
    """Add what waits to an htmx answer, out of band."""
    if request.method == "POST" and answer.status_code < 400:
        _forget(request.full_path.removesuffix("?"))
    carries = answer.mimetype == "text/html" and answer.status_code != 204 and "HX-Redirect" not in answer.headers
    if not is_htmx() or not carries or answer.direct_passthrough or "HX-Refresh" in answer.headers:
        return answer
    if waiting := _waiting():
        html = render_template("layouts/_toasts.html", toasts=waiting)
        answer.set_data(
            answer.get_data(as_text=True) + f'<hx-partial hx-target="#toasts" hx-swap="beforeend">{html}</hx-partial>'
        )
    return answer


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.after_request(append_toasts)
