"""A week and a day as they are drawn: columns of cards."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import NamedTuple

from flask_babel import format_date
from flask_babel import gettext as _

from cpms.calendar import queries, rules
from cpms.calendar.models import By, Kind, Status
from cpms.calendar.shown import SPAN, START, Shown, Values, entries, holders, span_title
from cpms.core import clock
from cpms.core.text import NO_NAME
from cpms.hours import queries as working_hours
from cpms.hours.rules import Span, Timetable, between, clock_time

BREAK = "\u2002\n"  # a line of its own on a high card; on a low one, where lines join, a wide space
MOST_LANES = 12  # as many as the style sheet knows; a thirteenth at one time lies over the twelfth


class Card(NamedTuple):
    """One entry, ready to be drawn. The template takes the fields in this order."""

    id: int
    version: int
    css: str
    name: str
    more: str
    alert: bool
    fixed: bool  # a finished one does not move


@dataclass(frozen=True, slots=True)
class Column:
    key: str  # the day, or the chair's or the provider's id
    day: date
    holder: tuple[str, int] | None  # ("chair", its id) or ("provider", their id, 0 is nobody): of a column of a day
    heading: str
    sub: str
    is_today: bool
    lanes: int
    closed: tuple[str, ...]  # classes of the shaded parts
    cards: tuple[Card, ...]
    note: str = ""  # why the day is not one like others: "Summer leave"


@dataclass(frozen=True, slots=True)
class Grid:
    shown: Shown
    revision: int
    title: str
    from_hour: int
    to_hour: int
    columns: tuple[Column, ...]
    is_closed: bool = False  # a single day, on which the clinic does not open
    first_open: date | None = None  # of the days shown, on which there is work

    @property
    def hours(self) -> range:
        return range(self.from_hour, self.to_hour)

    @property
    def count(self) -> int:
        return sum(len(column.cards) for column in self.columns)


def drawn(shown: Shown, number: int) -> Grid:
    """The calendar of a week (a column a day) or of a day (a column a chair), and the revision asked for before it.

    What is shaded is when the clinic is closed; in the calendar of one provider, when that one takes no visits.
    """
    first, end = shown.days
    rows = entries(shown, first, end)
    words = queries.status_words()
    only = next(iter(shown.providers)) if len(shown.providers) == 1 else None
    by_person = shown.view == "day" and shown.by is By.PROVIDER
    table = working_hours.timetable(first, end, of_people=only is not None or by_person)
    opening = table.opening
    today = clock.today()
    if shown.view == "day":
        from_hour, to_hour = rules.hours_shown(_usual(table, only, [shown.day]), (r[SPAN] for r in rows))
        columns = tuple(
            _column(
                str(holder_id),
                shown.day,
                (shown.by.value, holder_id),
                name,
                "",
                today,
                table.open_spans((holder_id or None) if by_person else only, shown.day),
                (from_hour, to_hour),
                theirs,
                words,
                with_chair=shown.by is By.PROVIDER,
            )
            for holder_id, name, theirs in holders(shown, rows)
        )
        title = " · ".join(filter(None, (format_date(shown.day, _("EEE d MMM y")), _note(table, only, shown.day))))
    else:
        by_day: dict[date, list[Values]] = {}
        for row in rows:
            by_day.setdefault(row[START].date(), []).append(row)
        days = [
            day
            for day in (first + timedelta(days=n) for n in range(7))
            if opening[day.weekday()] or day in by_day or table.open_spans(only, day)
        ]
        from_hour, to_hour = rules.hours_shown(_usual(table, only, days), (r[SPAN] for r in rows))
        columns = tuple(
            _column(
                day.isoformat(),
                day,
                None,
                format_date(day, "EEE"),
                format_date(day, _("d MMM")),
                today,
                table.open_spans(only, day),
                (from_hour, to_hour),
                by_day.get(day, []),
                words,
                with_chair=True,
                note=_note(table, only, day),
            )
            for day in days
        )
        title = span_title(first, end - timedelta(days=1))
    is_closed = shown.view == "day" and not table.spans_of(shown.day)
    on_calendar = (each.day for each in columns if rules.is_on_calendar(each.day))
    first_open = next((day for day in on_calendar if table.open_spans(only, day)), None)
    return Grid(shown, number, title, from_hour, to_hour, columns, is_closed, first_open)


def _usual(table: Timetable, only: int | None, days: Iterable[date]) -> list[tuple[time, time]]:
    """The hours that a calendar of these days shows in any case: a closed day is drawn as high as an open one."""
    found = []
    for day in days:
        usual = table.opening[day.weekday()]
        found += [usual] if usual else []
        found += table.open_spans(only, day)
    return [(time.fromisoformat(clock_time(a)), time.fromisoformat(clock_time(b))) for a, b in found]


def _note(table: Timetable, only: int | None, day: date) -> str:
    """Why a day is not one like others; of one provider's also that they are not there."""
    if name := table.name_of(day):
        return name
    if only is None or table.open_spans(only, day) or not table.spans_of(day):
        return ""
    return _("away") if table.is_away(only, day) else _("not at work")


def _column(
    key: str,
    day: date,
    holder: tuple[str, int] | None,
    heading: str,
    sub: str,
    today: date,
    hours: Sequence[Span],
    window: tuple[int, int],
    rows: Sequence[Values],
    words: dict[Status, str],
    *,
    with_chair: bool,
    note: str = "",
) -> Column:
    # A short one is drawn a quarter of an hour high, so that is the room that it needs.
    shortest = timedelta(minutes=rules.LINE)
    places = rules.side_by_side(rows, lambda row: (row[2], max(row[3], row[2] + shortest)))
    cards = tuple(_card(row, place, words, with_chair) for row, place in zip(rows, places, strict=True))
    lanes = min(max((place.lanes for place in places), default=1), MOST_LANES)
    return Column(key, day, holder, heading, sub, day == today, lanes, _closed(hours, window), cards, note)


def _closed(hours: Sequence[Span], window: tuple[int, int]) -> tuple[str, ...]:
    """The classes of what lies outside the hours, to the grain of the calendar."""
    shut = between(hours, window[0] * 60, window[1] * 60)
    spans = [(rules.STEP * round(a / rules.STEP), rules.STEP * round(b / rules.STEP)) for a, b in shut]
    return tuple(f"t{a // 60:02}{a % 60:02} h{b - a}" for a, b in spans if b > a)


def _card(row: Values, place: rules.Place, words: dict[Status, str], with_chair: bool) -> Card:
    (event_id, version, start, end, status, kind, color, title, _chair_id, overbooked, noted,
     last, first, alert, type_name, chair, provider, _provider_id) = row  # fmt: skip
    said, what = words[status], title or type_name
    more = start.isoformat()[11:16]  # three times as fast as a format
    if last is None:
        name, what = what or said, None
    elif last == NO_NAME:
        name = first
    else:
        name, more = last, f"{more} {first}"
    if what:
        more += BREAK + what
    if with_chair:
        more += BREAK + chair
    if provider:
        more += BREAK + provider
    if status != Status.SCHEDULED:
        more += BREAK + said
    if place.lanes > MOST_LANES:
        place = rules.Place(min(place.lane, MOST_LANES - 1), MOST_LANES)
    css = f"{rules.css_place(start, end, place)} c-{rules.swatch(color)} s-{status}"
    if kind == Kind.BLOCK:
        css += " block"
    if overbooked:
        css += " over"
        more += BREAK + _("booked over another")
    if noted:
        css += " noted"
    return Card(event_id, version, css, name, more, bool(alert), status in rules.FINISHED)
