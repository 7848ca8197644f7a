"""Reads of the calendar that draw no grid: the month, the list, and the days of the month picker."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from flask_babel import format_date, get_locale
from flask_babel import gettext as _
from sqlalchemy import Select, String, func, select, type_coerce

from cpms.calendar import queries, rules
from cpms.calendar.models import AppointmentType, Event
from cpms.calendar.shown import Shown, Values, entries, narrowed, span_title
from cpms.core import clock
from cpms.core.db import db
from cpms.core.text import NO_NAME, listed_name
from cpms.hours import queries as working_hours
from cpms.patients.models import Patient

IN_WORDS = 4  # entries of a day that a month tells by name; the others are counted


class Named(NamedTuple):
    """One of the first entries of a day."""

    css: str
    time: str
    name: str
    alert: bool


@dataclass(frozen=True, slots=True)
class MonthDay:
    day: date
    called: str  # a holiday, or why the clinic is closed
    is_today: bool
    is_outside: bool  # of the month before or after
    is_closed: bool
    count: int
    first: tuple[Named, ...]

    @property
    def more(self) -> int:
        return self.count - len(self.first)


@dataclass(frozen=True, slots=True)
class Month:
    shown: Shown
    revision: int
    title: str
    weekdays: tuple[tuple[str, str], ...]  # short and whole
    columns: tuple[MonthDay, ...]  # day by day

    @property
    def weeks(self) -> list[tuple[MonthDay, ...]]:
        return [self.columns[n : n + 7] for n in range(0, len(self.columns), 7)]

    @property
    def count(self) -> int:
        return sum(day.count for day in self.columns)


def month(shown: Shown, number: int) -> Month:
    """Every day of a month's weeks: how many entries it has, and the first few of them."""
    first, end = shown.days
    named: dict[date, list[Named]] = {}
    counts: dict[date, int] = {}
    words = queries.status_words()
    for start, status, kind, color, title, last, first_name, alert, type_name, how_many in db.session.execute(
        _month_query(*shown.conditions), shown.parameters(first, end)
    ):
        name = (last if last != NO_NAME else first_name) or title or type_name or words[status]
        css = f"c-{rules.swatch(color)}{' block' if kind == 'block' else ''}{' gone' if status in rules.FREE else ''}"
        named.setdefault(start.date(), []).append(Named(css, f"{start:%H:%M}", name, bool(alert)))
        counts[start.date()] = how_many
    today, table = clock.today(), working_hours.timetable(first, end, of_people=False)
    days = tuple(
        MonthDay(
            day,
            table.name_of(day),
            day == today,
            day.month != shown.day.month,
            not table.spans_of(day),
            counts.get(day, 0),
            tuple(named.get(day, ())),
        )
        for day in (first + timedelta(days=ahead) for ahead in range((end - first).days))
    )
    return Month(shown, number, format_date(shown.day, _("LLLL y")), _weekdays(first), days)


def _weekdays(first: date) -> tuple[tuple[str, str], ...]:
    week = [first + timedelta(days=ahead) for ahead in range(7)]
    return tuple((format_date(day, "ccc"), format_date(day, "cccc")) for day in week)


@lru_cache(maxsize=16)
def _month_query(*conditions: bool) -> Select[Any]:
    """The first few of each day by name, each with how many its day has. Only those few are joined to their names."""
    event, patient, type_ = Event.__table__.c, Patient.__table__.c, AppointmentType.__table__.c
    of_day = {"partition_by": func.date(event.start)}
    ranked = narrowed(
        select(
            event.id,
            func.row_number().over(**of_day, order_by=(event.start, event.chair_id, event.id)).label("place"),
            func.count().over(**of_day).label("how_many"),
        ),
        *conditions,
    ).subquery()
    return (
        select(
            event.start,
            type_coerce(event.status, String),
            type_coerce(event.kind, String),
            event.color,
            event.title,
            patient.last_name,
            patient.first_name,
            patient.alert_text,
            type_.name,
            ranked.c.how_many,
        )
        .select_from(ranked)
        .join(Event.__table__, event.id == ranked.c.id)
        .outerjoin(Patient.__table__, patient.id == event.patient_id)
        .outerjoin(AppointmentType.__table__, type_.id == event.type_id)
        .where(ranked.c.place <= IN_WORDS)
        .order_by(event.start, event.chair_id, event.id)
    )


@dataclass(frozen=True, slots=True)
class PickerDay:
    day: date
    is_today: bool
    is_outside: bool
    is_closed: bool
    count: int


@dataclass(frozen=True, slots=True)
class Picker:
    """A small month to choose a day from."""

    title: str
    weekdays: tuple[tuple[str, str], ...]
    weeks: tuple[tuple[PickerDay, ...], ...]


def picker(shown: Shown) -> Picker:
    """The weeks of a month, with how many entries each day has under the filters in force."""
    first, end = rules.weeks_of_month(shown.day, get_locale().first_week_day)
    rows = db.session.execute(_counts_query(*shown.conditions), shown.parameters(first, end))
    counts = {str(day): number for day, number in rows}
    today, table = clock.today(), working_hours.timetable(first, end, of_people=False)
    days = [
        PickerDay(
            day,
            day == today,
            day.month != shown.day.month,
            not table.spans_of(day),
            counts.get(day.isoformat(), 0),
        )
        for day in (first + timedelta(days=ahead) for ahead in range((end - first).days))
    ]
    weeks = tuple(tuple(days[n : n + 7]) for n in range(0, len(days), 7))
    return Picker(format_date(shown.day, _("LLLL y")), _weekdays(first), weeks)


@lru_cache(maxsize=16)
def _counts_query(*conditions: bool) -> Select[Any]:
    day = func.date(Event.__table__.c.start)
    return narrowed(select(day, func.count()).group_by(day), *conditions)


class Entry(NamedTuple):
    """A row of the list, ready to be drawn. The template takes the fields in this order."""

    id: int
    version: int
    css: str
    start: str
    end: str
    name: str
    alert: bool
    what: str
    chair: str
    provider: str
    status: str
    said: str  # the status in words; a block has none


@dataclass(frozen=True, slots=True)
class ListDay:
    day: date
    heading: str
    is_today: bool
    is_closed: bool
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    shown: Shown
    revision: int
    title: str
    columns: tuple[ListDay, ...]

    @property
    def count(self) -> int:
        return sum(len(day.entries) for day in self.columns)


def listing(shown: Shown, number: int) -> Listing:
    """The entries of a few days, each day by time. A day without any is told as well."""
    first, end = shown.days
    words = queries.status_words()
    by_day: dict[date, list[Entry]] = {}
    for row in entries(shown, first, end):
        by_day.setdefault(row[2].date(), []).append(_entry(row, words))
    today, table = clock.today(), working_hours.timetable(first, end, of_people=False)
    days = tuple(
        ListDay(
            day,
            " · ".join(filter(None, (format_date(day, _("EEEE d MMMM")), table.name_of(day)))),
            day == today,
            not table.spans_of(day),
            tuple(by_day.get(day, ())),
        )
        for day in (first + timedelta(days=ahead) for ahead in range((end - first).days))
    )
    return Listing(shown, number, span_title(first, end - timedelta(days=1)), days)


def _entry(row: Values, words: dict[Any, str]) -> Entry:
    (event_id, version, start, end, status, kind, color, title, _chair_id, _over, _noted,
     last, first, alert, type_name, chair, provider, _provider_id) = row  # fmt: skip
    what = " · ".join(each for each in (title, type_name) if each)
    name = "" if last is None else listed_name(first, last)
    css = f"c-{rules.swatch(color)}{' block' if kind == 'block' else ''}{' gone' if status in rules.FREE else ''}"
    said = words[status] if kind == "visit" else ""
    span = f"{start:%H:%M}", f"{end:%H:%M}"
    what, name = (what, name) if name else ("", what)
    return Entry(event_id, version, css, *span, name, bool(alert), what, chair, provider or "", status, said)
