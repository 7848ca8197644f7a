"""The calendar that a telephone reads, and who may have one."""

import hashlib
import logging
from collections import deque
from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, current_app, make_response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.exc import OperationalError

from cpms.auth import queries as auth
from cpms.auth.models import User
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import CannotWrite, NotFound
from cpms.core.permissions import P
from cpms.feeds import queries, rules, services
from cpms.feeds.models import Feed
from cpms.settings import queries as settings
from cpms.settings import services as setting_services
from cpms.web.access import public, require
from cpms.web.htmx import done, page
from cpms.web.language import first_spoken
from cpms.web.toasts import toast

bp = Blueprint("feeds", __name__, url_prefix="/feeds")
log = logging.getLogger("cpms")

WITHIN = timedelta(minutes=10)
MOST_WRONG = 30  # addresses that are none, from one machine
MOST_READ = 60  # times that one feed is read
MOST_KNOWN = 2000  # machines and feeds that are counted


@bp.get("/")
@require(P.PROFILE)
def index() -> Response:
    return page(
        "feeds/index.html",
        me=auth.user(current_user.id),
        providers=queries.providers(),
        feeds=queries.by_user(),
    )


@bp.post("/switch")
@require(P.SETTINGS_WRITE)
def switch() -> ResponseReturnValue:
    on = request.form.get("on") == "y"
    with transaction("settings.change", actor=current_user):
        setting_services.change_settings(feeds_on=on)
    toast(_("Calendar feeds are switched on.") if on else _("Calendar feeds are switched off; none can be read."))
    return done(url_for("feeds.index"))


@bp.post("/renew")
@require(P.PROFILE)
def renew() -> ResponseReturnValue:
    return _renew(auth.user(current_user.id))


@bp.post("/<int:user_id>/renew")
@require(P.USERS_MANAGE)
def renew_for(user_id: int) -> ResponseReturnValue:
    return _renew(auth.user(user_id))


@bp.post("/revoke")
@require(P.PROFILE)
def revoke() -> ResponseReturnValue:
    return _revoke(auth.user(current_user.id))


@bp.post("/<int:user_id>/revoke")
@require(P.USERS_MANAGE)
def revoke_for(user_id: int) -> ResponseReturnValue:
    return _revoke(auth.user(user_id))


@bp.post("/<int:user_id>/names")
@require(P.USERS_MANAGE)
def show_names(user_id: int) -> ResponseReturnValue:
    user, on = auth.user(user_id), request.form.get("on") == "y"
    with transaction("feed.names", actor=current_user, about=user):
        services.show_names(user, on=on)
    toast(_("Saved."))
    return done(url_for("feeds.index"))


def _renew(user: User) -> Response:
    """The only time that the address is on a screen: only the hash of its secret is kept."""
    with transaction("feed.renew", actor=current_user, about=user):
        token = services.renew(user)
    answer = page("feeds/address.html", user=user, address=url_for("feeds.feed", token=token, _external=True))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _revoke(user: User) -> ResponseReturnValue:
    with transaction("feed.revoke", actor=current_user, about=user):
        services.revoke(user)
    toast(_("The address is revoked. Nobody can read it any more."))
    return done(url_for("feeds.index"))


@bp.get("/<token>.ics")
@public
def feed(token: str) -> Response:
    """Whoever has the address reads it. One that is unknown, revoked or of somebody who left is no address at all."""
    try:
        row = queries.opened_by(token)
    except NotFound:
        _not_too_often(f"wrong {request.remote_addr}", MOST_WRONG)
        raise
    _not_too_often(f"feed {row.id}", MOST_READ)
    wishes = settings.current()
    with force_locale(first_spoken(row.user.language, wishes.language)):
        name = _("%(person)s · %(clinic)s", person=row.user.display_name, clinic=wishes.clinic_name)
        content = rules.written(name, queries.entries(row))
    _note(row)
    answer = make_response(content)
    answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
    answer.headers["Content-Disposition"] = 'inline; filename="calendar.ics"'
    answer.headers["Cache-Control"] = "private, max-age=300"
    answer.set_etag(hashlib.sha256(content).hexdigest())
    return answer.make_conditional(request)


def _note(row: Feed) -> None:
    if not services.is_first_today(row):
        return
    try:
        with transaction("feed.read", actor=None, about=row.user):
            services.note_read(row)
    except (CannotWrite, OperationalError) as error:  # reading must go on when nothing can be written
        log.warning("the reading of feed %s is missing in the trail: %s", row.id, type(error).__name__)


def _not_too_often(key: str, most: int) -> None:
    """A secret cannot be found by trying; this is so that nobody keeps a small machine busy. Each process counts."""
    times: dict[str, deque[datetime]] = current_app.extensions.setdefault("feed_times", {})
    if len(times) > MOST_KNOWN:
        times.clear()
    now, seen = clock.now(), times.setdefault(key, deque(maxlen=most))
    if len(seen) == most and timedelta(0) <= now - seen[0] < WITHIN:
        abort(429)
    seen.append(now)
