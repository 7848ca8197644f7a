"""Every change of hours. What is booked already stays where it is, whatever the hours become."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import gettext as _

from cpms.auth.models import User
from cpms.core import clock
from cpms.core.db import db
from cpms.core.errors import Conflict, Refused, Stale
from cpms.hours import queries, rules
from cpms.hours.models import OffKind, TimeOff, WorkWeek
from cpms.hours.rules import DayPlan
from cpms.settings import queries as settings
from cpms.settings import services as setting_services


def set_days(provider: User, *, seen: int, weekdays: Collection[int], plan: DayPlan) -> WorkWeek:
    """Give a provider the same hours and breaks on some weekdays; `seen` is 0 when there was no week of their own."""
    row = queries.work_week(provider.id)
    if (row.row_version if row else 0) != seen:
        raise Stale
    week = rules.load_week(row.days) if row else rules.USUAL_WEEK
    stored = rules.dump_week(tuple(plan if day in weekdays else week[day] for day in range(7)))
    if row is None:
        row = WorkWeek(provider_id=provider.id, days=stored)
        db.session.add(row)
    elif row.days != stored:
        row.days = stored
    db.session.flush()
    return row


def add_time_off(
    *,
    kind: OffKind,
    first: date,
    last: date,
    starts: time | None,
    ends: time | None,
    name: str,
    provider_id: int | None,
) -> TimeOff:
    """Close the clinic, or let a provider be away, from the first day to the last; with times for a part of them."""
    start, end = _span(first, last, starts, ends)
    row = TimeOff(kind=kind, name=name, start=start, end=end, provider_id=provider_id)
    db.session.add(row)
    db.session.flush()
    return row


def change_time_off(
    row: TimeOff,
    *,
    seen: int,
    kind: OffKind,
    first: date,
    last: date,
    starts: time | None,
    ends: time | None,
    name: str,
) -> None:
    row.expect_version(seen)
    _check_there(row)
    row.start, row.end = _span(first, last, starts, ends)
    row.kind, row.name = kind, name


def delete_time_off(row: TimeOff, *, seen: int) -> None:
    row.expect_version(seen)
    _check_there(row)
    row.deleted_at = clock.now()


def set_open(day: date, *, is_open: bool) -> TimeOff:
    """Say whether the clinic is open on a public holiday."""
    name = queries.holidays(day.year).get(day)
    row = queries.open_on(day)
    if name is None and row is None:
        raise Refused(_("There is no public holiday on that day."))
    if row is None:
        start = rules.midnight(day)
        row = TimeOff(kind=OffKind.OPEN, name=name or "", start=start, end=start + timedelta(days=1))
        db.session.add(row)
        db.session.flush()
    row.deleted_at = None if is_open else row.deleted_at or clock.now()
    return row


def set_country(*, country: str, region: str) -> None:
    """Whose public holidays close the clinic; an empty country: none do."""
    now = settings.current()
    wanted = {"holiday_country": country, "holiday_region": region}
    changed = {key: value for key, value in wanted.items() if getattr(now, key) != value}
    if changed:
        setting_services.change_settings(**changed)


def put_back(row: TimeOff | WorkWeek, columns: Mapping[str, Any]) -> None:
    """Earlier values of the trail."""
    if isinstance(row, TimeOff) and "deleted_at" not in columns:
        _check_there(row)
    for name, value in columns.items():
        setattr(row, name, value)


def unmake(row: TimeOff | WorkWeek) -> None:
    """Take back that it was made: a time off goes; a week of one's own becomes the clinic's again."""
    if isinstance(row, TimeOff):
        delete_time_off(row, seen=row.row_version)
    else:
        row.days = rules.dump_week(rules.USUAL_WEEK)


def _check_there(row: TimeOff) -> None:
    if row.is_deleted:
        raise Conflict(_("This was taken away meanwhile. Nothing was saved."))


def _span(first: date, last: date, starts: time | None, ends: time | None) -> tuple[datetime, datetime]:
    if last < first:
        raise Refused(_("The last day is before the first one."), field="last")
    start = datetime.combine(first, starts or time())
    end = datetime.combine(last, ends) if ends else rules.midnight(last) + timedelta(days=1)
    check_span(start, end)
    return start, end


def check_span(start: datetime, end: datetime) -> None:
    last = end.date() - timedelta(days=1) if end == rules.midnight(end.date()) else end.date()
    if (last - start.date()).days > rules.LONGEST_OFF:
        raise Refused(_("That is more than a year. Please look at the dates again."), field="last")
    if end <= start:
        raise Refused(_("It must end after it begins."), field="ends")
