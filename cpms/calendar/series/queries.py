"""What is asked about series."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select

from cpms.calendar.models import Event, EventSeries, Monthly, Unit
from cpms.calendar.series import rules
from cpms.core.db import db


@dataclass(frozen=True, slots=True)
class Place:
    """Which entry of its series one is; those taken off the calendar do not count."""

    number: int
    total: int
    rule: str  # "every 2 weeks"

    def __str__(self) -> str:
        return _("%(number)d of %(total)d, %(rule)s", number=self.number, total=self.total, rule=self.rule)


def places(event_ids: Iterable[int]) -> dict[int, Place]:
    """The places of those entries that belong to a series, in one question."""
    ids = list(event_ids)
    if not ids:
        return {}
    meant = select(Event.series_id).where(Event.id.in_(ids), Event.series_id.is_not(None))
    numbered = (
        select(
            Event.id,
            Event.series_id,
            func.row_number().over(partition_by=Event.series_id, order_by=(Event.start, Event.id)).label("number"),
            func.count().over(partition_by=Event.series_id).label("total"),
        )
        .where(Event.series_id.in_(meant), Event.deleted_at.is_(None))
        .subquery()
    )
    query = (
        select(numbered.c.id, numbered.c.number, numbered.c.total, EventSeries.unit, EventSeries.every)
        .join(EventSeries, EventSeries.id == numbered.c.series_id)
        .where(numbered.c.id.in_(ids))
    )
    return {row.id: Place(row.number, row.total, rhythm(row.unit, row.every)) for row in db.session.execute(query)}


def rhythm(unit: Unit, every: int) -> str:
    """How often, in words."""
    if unit is Unit.WEEK:
        return ngettext("every week", "every %(num)d weeks", every)
    return ngettext("every month", "every %(num)d months", every)


def rule_words(rule: rules.Rule, weekday_names: list[str]) -> str:
    """How often and on which days: "every 2 weeks on Monday, Thursday"."""
    often, day = rhythm(rule.unit, rule.every), weekday_names[rule.anchor.weekday()]
    if rule.unit is Unit.WEEK:
        names = ", ".join(weekday_names[each] for each in rule.weekdays or (rule.anchor.weekday(),))
        return _("%(often)s on %(days)s", often=often, days=names)
    if rule.monthly is Monthly.DAY:
        if rule.anchor.day > 28:
            return _("%(often)s on day %(day)d, or the last day of a shorter month", often=often, day=rule.anchor.day)
        return _("%(often)s on day %(day)d", often=often, day=rule.anchor.day)
    nth = (rule.anchor.day - 1) // 7
    if rule.monthly is Monthly.LAST or nth > 3:
        return _("%(often)s on the last %(day)s", often=often, day=day)
    which = [_("the first %(day)s", day=day), _("the second %(day)s", day=day)]
    which += [_("the third %(day)s", day=day), _("the fourth %(day)s", day=day)]
    return _("%(often)s on %(which)s", often=often, which=which[nth])


def series(series_id: int) -> EventSeries:
    found = db.session.get(EventSeries, series_id)
    assert found is not None, "entries point at their series by a foreign key"
    return found


def rule_of(row: EventSeries) -> rules.Rule:
    weekdays = tuple(int(day) for day in row.weekdays.split(",") if day)
    return rules.Rule(row.unit, row.every, row.anchor, weekdays, row.monthly)


def entries(series_id: int) -> list[Event]:
    """Those that are on the calendar, by start."""
    query = select(Event).where(Event.series_id == series_id, Event.deleted_at.is_(None))
    return list(db.session.scalars(query.order_by(Event.start, Event.id)))


def from_on(event: Event) -> list[Event]:
    """The entry and those of its series that begin later, by start; on its own when it has no series."""
    if event.series_id is None:
        return [event]
    query = select(Event).where(
        Event.series_id == event.series_id,
        Event.deleted_at.is_(None),
        Event.id != event.id,
        Event.start >= event.start,
    )
    return [event, *db.session.scalars(query.order_by(Event.start, Event.id))]


def following(event: Event) -> int:
    """How many later entries of the series a change could take along."""
    if event.series_id is None or event.is_deleted:
        return 0
    query = select(func.count()).where(
        Event.series_id == event.series_id,
        Event.deleted_at.is_(None),
        Event.id != event.id,
        Event.start >= event.start,
        Event.status.in_(rules.OPEN),
    )
    return db.session.scalar(query) or 0


def last_slot(series_id: int) -> datetime | None:
    """Where the series put its last entry that is on the calendar."""
    query = select(func.max(Event.series_slot)).where(Event.series_id == series_id, Event.deleted_at.is_(None))
    slot = db.session.scalar(query)
    return datetime.fromisoformat(slot.split(" ")[0]) if slot else None
