"""Who may open what. A route without `@require(...)` or `@public` is closed."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from flask import abort, current_app, g, request, session
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user
from sqlalchemy.exc import DBAPIError

from cpms.core.db import transaction
from cpms.core.errors import DomainError
from cpms.core.permissions import P

log = logging.getLogger("cpms")

View = TypeVar("View", bound=Callable[..., Any])

login_manager = LoginManager()
login_manager.session_protection = None  # the session row is the protection; a tablet that roams keeps its session


def require(*needed: P) -> Callable[[View], View]:
    """Mark a view with the permissions that it needs."""

    def mark(view: View) -> View:
        view.needs = needed  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Mark a view that answers without signing in."""
    view.public = True  # type: ignore[attr-defined]
    return view


def passive(view: View) -> View:
    """Mark a view that a screen calls by itself: it does not count as somebody being there."""
    view.passive = True  # type: ignore[attr-defined]
    return view


def polled(view: View) -> View:
    """Mark a view that a screen calls by itself when the address carries the revision that it has: `?rev=`."""
    view.polled = True  # type: ignore[attr-defined]
    return view


def is_passive() -> bool:
    """True when nobody need be at the screen for this request."""
    view = view_of_request()
    return getattr(view, "passive", False) or ("rev" in request.args and getattr(view, "polled", False))


def view_of_request() -> Any:
    return current_app.view_functions.get(request.endpoint or "")


def gate() -> ResponseReturnValue | None:
    """Before every request, after the CSRF check: signed in, and with the right."""
    view = view_of_request()
    if view is None or getattr(view, "public", False):
        return None  # an unknown address is a 404, which follows
    if not current_user.is_authenticated:
        return login_manager.unauthorized()
    if not hasattr(view, "needs") or not current_user.permissions.issuperset(view.needs):
        abort(403)
    return None


def is_shut_out() -> bool:
    """True when nobody is signed in, and this is only for those who are."""
    return not (current_user.is_authenticated or getattr(view_of_request(), "public", False))


def note_denial() -> None:
    """Write down that somebody tried what their role does not include."""
    if not current_user.is_authenticated:
        return
    try:
        with transaction("access.denied", actor=current_user, reason=f"{request.method} {request.path}"[:300]):
            pass
    except (DomainError, DBAPIError):
        log.exception("a denial is missing in the trail: user %s, %s", current_user.id, request.endpoint)


def can(permission: P) -> bool:
    """For menus and buttons: convenience, not protection."""
    user = current_user._get_current_object()  # a page asks a dozen times, and the proxy looks it up at every dot
    return user.is_authenticated and permission in user.permissions


def let_in(token: str, *, same_person: bool) -> None:
    """Give this browser a session. Its pages stay usable only when the same person comes back to them."""
    csrf = session.get("csrf_token") if same_person else None
    session.clear()
    g.pop("csrf_token", None)
    session["_user_id"] = token
    if csrf:
        session["csrf_token"] = csrf
