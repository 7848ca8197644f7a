"""On which days a repeated entry falls. Wall-clock days: a change of the clocks moves none of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count as counting
from itertools import islice

from cpms.calendar.models import Event, Monthly, Status, Unit
from cpms.calendar.rules import monday, on_calendar

MOST_ENTRIES, MOST_YEARS = 200, 5  # of what is booked in one go
MOST_WEEKS, MOST_MONTHS = 52, 24  # from one entry to the next
OPEN = frozenset({Status.SCHEDULED, Status.CONFIRMED})  # nobody came yet: these may follow a change
_FIFTH = 5  # many months have none: the last one is meant


@dataclass(frozen=True, slots=True)
class Rule:
    """Every so many weeks on some weekdays, or every so many months. `anchor` is the day that it is counted from."""

    unit: Unit
    every: int
    anchor: date
    weekdays: tuple[int, ...] = ()  # Monday is 0; none: the anchor's
    monthly: Monthly = Monthly.DAY


def days(rule: Rule, *, since: date | None = None) -> Iterator[date]:
    """The days of the rule without end, from the anchor on, or from a later day on."""
    since = max(since or rule.anchor, rule.anchor)
    walk = _weekly(rule) if rule.unit is Unit.WEEK else _monthly(rule)
    return (day for day in walk if day >= since)


def chosen(rule: Rule, *, until: date | None, number: int | None, since: date | None = None) -> list[date]:
    """The days up to a last one or so many, whichever comes first; one more than may be booked tells that it is too
    much."""
    found = []
    for day in islice(days(rule, since=since), min(number or MOST_ENTRIES + 1, MOST_ENTRIES + 1)):
        if until is not None and day > until:
            break
        found.append(day)
    return found


def latest(first: date) -> date:
    """The last day that a series beginning on `first` may reach."""
    return same_day_of_month(first, MOST_YEARS * 12)


def first_day(rule: Rule) -> date:
    """The first day of the rule on or after its anchor."""
    return next(days(rule))


def same_day_of_month(day: date, months: int) -> date:
    """So many months later; where the month is shorter, its last day."""
    first = _first_of_month(day, months)
    return first.replace(day=min(day.day, _last_of_month(first).day))


def shifted(rule: Rule, by: timedelta) -> Rule:
    """The rule of a series whose days all move by so many days."""
    weekdays = tuple(sorted((day + by.days) % 7 for day in rule.weekdays))
    return Rule(rule.unit, rule.every, on_calendar(rule.anchor, by.days), weekdays, rule.monthly)


def _weekly(rule: Rule) -> Iterator[date]:
    weekdays = sorted(rule.weekdays) or [rule.anchor.weekday()]
    begins = next(day for day in (rule.anchor + timedelta(days=n) for n in range(7)) if day.weekday() in weekdays)
    for week in counting(0, rule.every):
        for weekday in weekdays:
            day = monday(begins) + timedelta(weeks=week, days=weekday)
            if day >= begins:
                yield day


def _monthly(rule: Rule) -> Iterator[date]:
    nth = (rule.anchor.day - 1) // 7 + 1
    for months in counting(0, rule.every):
        if rule.monthly is Monthly.DAY:
            yield same_day_of_month(rule.anchor, months)
        elif rule.monthly is Monthly.LAST or nth == _FIFTH:
            last = _last_of_month(_first_of_month(rule.anchor, months))
            yield last - timedelta(days=(last.weekday() - rule.anchor.weekday()) % 7)
        else:
            first = _first_of_month(rule.anchor, months)
            yield first + timedelta(days=(rule.anchor.weekday() - first.weekday()) % 7, weeks=nth - 1)


def _first_of_month(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def _last_of_month(first: date) -> date:
    return _first_of_month(first, 1) - timedelta(days=1)


def slot_words(event: Event) -> str:
    """Where a series puts an entry, to be compared with where it is: the columns of its slot as one word."""
    return f"{event.start:%Y-%m-%dT%H:%M} {event.minutes} {event.chair_id} {event.provider_id or 0}"


def is_apart(event: Event) -> bool:
    """True when the entry does not lie where its series put it: somebody moved this one alone."""
    return event.series_slot is not None and event.series_slot != slot_words(event)
