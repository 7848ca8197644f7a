"""Short sentences at the foot of the screen; they survive one redirect."""

from typing import Any

from flask import Response, flash, get_flashed_messages, render_template

from cpms.web.htmx import is_htmx


def toast(text: str, kind: str = "ok", *, undo: str | None = None, action: dict[str, str] | None = None) -> None:
    """Show `text` with the next answer. `undo` is an address to post to, `action` a dialog's `label` and `url`."""
    flash({"text": text, "kind": kind, "undo": undo, "action": action})


def toasts() -> list[dict[str, Any]]:
    """The sentences that wait, and they wait no longer."""
    return [
        message if isinstance(message, dict) else {"text": message, "kind": "ok", "undo": None, "action": None}
        for message in get_flashed_messages()
    ]


def append_toasts(answer: Response) -> Response:
    """Add what waits to an htmx answer, out of band."""
    carries = answer.mimetype == "text/html" and answer.status_code != 204 and "HX-Redirect" not in answer.headers
    if not is_htmx() or not carries or answer.direct_passthrough or "HX-Refresh" in answer.headers:
        return answer
    if waiting := toasts():
        html = render_template("layouts/_toasts.html", toasts=waiting)
        answer.set_data(
            answer.get_data(as_text=True) + f'<hx-partial hx-target="#toasts" hx-swap="beforeend">{html}</hx-partial>'
        )
    return answer
