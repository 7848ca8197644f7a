"""Reading feeds, and what they tell."""

import hashlib
from datetime import datetime, time

from flask_babel import gettext as _
from sqlalchemy import select

from cpms.auth import queries as auth
from cpms.auth.models import User
from cpms.calendar.models import Event, Kind, Status
from cpms.core import clock
from cpms.core.db import db
from cpms.core.errors import NotFound
from cpms.core.text import full_name
from cpms.feeds import rules
from cpms.feeds.models import Feed
from cpms.settings import queries as settings

OFF = {Status.CANCELLED, Status.NO_SHOW}


def of_user(user_id: int) -> Feed | None:
    found: Feed | None = db.session.scalar(select(Feed).where(Feed.user_id == user_id))
    return found


def by_user() -> dict[int, Feed]:
    """Every feed, by its provider's id."""
    return {feed.user_id: feed for feed in db.session.scalars(select(Feed))}


def opened_by(token: str) -> Feed:
    """The feed that this secret opens. Raises NotFound, whatever the reason is."""
    feed = db.session.scalar(select(Feed).where(Feed.token_hash == auth.token_hash(token)))
    if feed is None or not settings.current().feeds_on or not (feed.user.active and feed.user.is_provider):
        raise NotFound
    return feed


def entries(feed: Feed) -> list[rules.Entry]:
    """What the feed tells, in order of time: never more than who, what kind and where."""
    first, until = (datetime.combine(day, time.min) for day in rules.window(clock.today()))
    query = (
        select(Event)
        .where(Event.provider_id == feed.user_id, Event.start >= first, Event.start < until)
        .where(Event.deleted_at.is_(None))
        .order_by(Event.start, Event.id)
    )
    return [_entry(event, with_names=feed.with_names) for event in db.session.scalars(query)]


def _entry(event: Event, *, with_names: bool) -> rules.Entry:
    made = hashlib.sha256(f"{event.id} {event.created_at.isoformat()}".encode()).hexdigest()
    return rules.Entry(
        uid=f"{made[:32]}@cpms",
        start=clock.to_instant(event.start),
        end=clock.to_instant(event.end),
        changed=event.updated_at,
        version=event.row_version,
        summary=_summary(event, with_names=with_names),
        place=event.chair.name,
        cancelled=event.status in OFF,
    )


def _summary(event: Event, *, with_names: bool) -> str:
    """What somebody typed as a title may be a name: it is told like one."""
    if event.kind is Kind.BLOCK:
        return (event.title if with_names else "") or _("Blocked")
    kind = event.type.name if event.type else _("Visit")
    if event.patient is None:
        who = event.title if with_names else ""
    elif with_names:
        who = event.patient.name
    else:
        who = full_name(event.patient.first_name[:1], event.patient.last_name[:1]).replace(" ", "").upper()
    return " · ".join(filter(None, (who, kind)))


def providers() -> list[User]:
    """Those who may have one."""
    return auth.providers()
