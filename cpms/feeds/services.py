"""Making, renewing and revoking the addresses of feeds."""

import secrets

from flask_babel import gettext as _

from cpms.auth import queries as auth
from cpms.auth.models import User
from cpms.core import clock
from cpms.core.db import db
from cpms.core.errors import Refused
from cpms.feeds import queries
from cpms.feeds.models import Feed
from cpms.settings import queries as settings

SECRET = 32  # bytes: nobody finds it by trying


def renew(user: User) -> str:
    """The secret of a new address; an earlier one opens nothing from now on. It is kept nowhere."""
    if not settings.current().feeds_on:
        raise Refused(_("The clinic has not switched calendar feeds on."))
    if not (user.active and user.is_provider):
        raise Refused(_("Only somebody who takes visits has a calendar feed."))
    feed = queries.of_user(user.id)
    if feed is None:
        feed = Feed(user_id=user.id)
        db.session.add(feed)
    token = secrets.token_urlsafe(SECRET)
    feed.token_hash, feed.made_at, feed.read_at = auth.token_hash(token), clock.now(), None
    return token


def revoke(user: User) -> None:
    """Nobody can read it any more."""
    feed = queries.of_user(user.id)
    if feed is not None:
        feed.token_hash = feed.made_at = feed.read_at = None


def revoke_all() -> None:
    """Of all providers: what comes back with a backup may have been revoked since."""
    for user_id in queries.by_user():
        revoke(auth.user(user_id))


def show_names(user: User, *, on: bool) -> None:
    """Whether it tells whole names, or initials. Raises Refused when there is none."""
    feed = queries.of_user(user.id)
    if feed is None:
        raise Refused(_("There is no feed yet."))
    feed.with_names = on


def is_first_today(feed: Feed) -> bool:
    """Whether nobody has read it on this day of the clinic yet: one entry of the trail a day is enough."""
    return feed.read_at is None or clock.to_wall(feed.read_at).date() != clock.today()


def note_read(feed: Feed) -> None:
    feed.read_at = clock.now()
