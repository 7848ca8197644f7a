"""A calendar as it is printed: all words of every entry."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import format_date
from flask_babel import gettext as _

from cpms.calendar import queries
from cpms.calendar.models import Kind, Status
from cpms.calendar.series import queries as series_queries
from cpms.calendar.shown import ID, START, Shown, Values, entries, holders, span_title
from cpms.core.text import listed_name
from cpms.hours import queries as working_hours

MOST_ROWS, MOST_LINES = 24, 12  # of a printed day in its usual print: in a table, in one of several columns


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it stands on paper, where nothing can be opened."""

    start: datetime
    end: datetime
    name: str
    alert: str
    what: str
    chair: str
    provider: str
    status: str  # in words; nothing as long as nothing happened
    place: str  # "3 of 10, every 2 weeks"


@dataclass(frozen=True, slots=True)
class PaperColumn:
    """A day of a printed week, or a chair of a printed day."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    title: str
    columns: tuple[PaperColumn, ...]
    is_tall: bool = False  # one or two tables under each other; more lie side by side

    @property
    def count(self) -> int:
        return sum(len(column.lines) for column in self.columns)

    @property
    def is_dense(self) -> bool:
        """True when a day fits on its sheet only in small print."""
        longest = max((len(column.lines) for column in self.columns), default=0)
        return self.count > MOST_ROWS if self.is_tall else longest > MOST_LINES


def printed(shown: Shown) -> Paper:
    """What is printed: all words of every entry. A day has a column for each chair or person, several days one for each
    open day."""
    first, end = shown.days
    rows = entries(shown, first, end)
    if shown.view == "day":
        found = holders(shown, rows)
        columns = [(name, theirs) for _id, name, theirs in found]
        is_tall = sum(1 for _id, _name, theirs in found if theirs) <= 2
        return Paper(format_date(shown.day, _("EEEE d MMMM y")), _on_paper(columns), is_tall)
    days = [first + timedelta(days=ahead) for ahead in range((end - first).days)]
    of = {day: [row for row in rows if row[START].date() == day] for day in days}
    table = working_hours.timetable(first, end, of_people=False)
    pattern = _("EEE d MMM") if shown.view == "week" else _("EEEE d MMMM")
    columns = [
        (" · ".join(filter(None, (format_date(day, pattern), table.name_of(day)))), of[day])
        for day in days
        if of[day] or table.opening[day.weekday()]
    ]
    return Paper(span_title(first, end - timedelta(days=1)), _on_paper(columns), shown.view == "list")


def _on_paper(columns: list[tuple[str, list[Values]]]) -> tuple[PaperColumn, ...]:
    places = series_queries.places(row[ID] for _heading, rows in columns for row in rows)
    return tuple(PaperColumn(heading, tuple(_line(row, places) for row in rows)) for heading, rows in columns)


def _line(row: Values, places: dict[int, series_queries.Place]) -> Line:
    (event_id, _version, start, end, status, kind, _color, title, _chair_id, _over, _noted,
     last, first, alert, type_name, chair, provider, _provider_id) = row  # fmt: skip
    what = title or type_name or ""
    place = str(places[event_id]) if event_id in places else ""
    name = "" if last is None else listed_name(first, last)
    said = queries.status_words()[Status(status)] if kind == Kind.VISIT and status != Status.SCHEDULED else ""
    return Line(start, end, name or what, alert or "", what if name else "", chair, provider or "", said, place)
