"""What a calendar on a screen shows, and the rows of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from flask_babel import format_date, get_locale
from flask_babel import gettext as _
from sqlalchemy import Select, String, bindparam, select, type_coerce

from cpms.auth import queries as auth
from cpms.auth.models import User
from cpms.calendar import queries, rules
from cpms.calendar.models import AppointmentType, By, Chair, Event
from cpms.core.db import db
from cpms.patients.models import Patient

Values = tuple[Any, ...]  # a row, as the database gives it
# Where these stand in a row.
ID, START, SPAN, CHAIR_ID, CHAIR, PROVIDER, PROVIDER_ID = 0, 2, slice(2, 4), 8, 15, 16, 17


@dataclass(frozen=True, slots=True)
class Shown:
    """What a calendar on a screen shows: the same words stand in its address."""

    view: str  # week | day | month | list
    day: date
    providers: frozenset[int] = frozenset()  # none chosen: all
    chairs: frozenset[int] = frozenset()
    cancelled: bool = False  # cancelled ones and no-shows too
    types: frozenset[int] = frozenset()
    by: By = By.CHAIR  # what the columns of a day are

    @property
    def days(self) -> tuple[date, date]:
        """First day, and the first day that is not shown any more."""
        if self.view == "day":
            return self.day, self.day + timedelta(days=1)
        if self.view == "list":
            return self.day, self.day + timedelta(days=rules.LIST_DAYS)
        first_weekday = get_locale().first_week_day
        if self.view == "month":
            return rules.weeks_of_month(self.day, first_weekday)
        first = rules.week_start(self.day, first_weekday)
        return first, first + timedelta(days=7)

    @property
    def is_filtered(self) -> bool:
        """True when something that holds time on those days may be left out."""
        return bool(self.providers or self.chairs or self.types)

    def at(self, day: date, view: str | None = None) -> "Shown":
        return replace(self, day=day, view=view or self.view)

    def turned(self, ahead: int) -> "Shown":
        """The next days, or those before."""
        if self.view == "month":
            return self.at(rules.month_ahead(self.day, ahead))
        return self.at(rules.on_calendar(self.day, ahead * (1 if self.view == "day" else 7)))

    def filters(self) -> dict[str, Any]:
        """The part after the question mark."""
        chosen: dict[str, Any] = {}
        if self.providers:
            chosen["provider"] = sorted(self.providers)
        if self.chairs:
            chosen["chair"] = sorted(self.chairs)
        if self.types:
            chosen["type"] = sorted(self.types)
        if self.cancelled:
            chosen["cancelled"] = 1
        if self.by is By.PROVIDER:
            chosen["by"] = self.by.value
        return chosen

    @property
    def conditions(self) -> tuple[bool, bool, bool, bool]:
        """What `narrowed` takes: one query is kept for each combination."""
        return bool(self.providers), bool(self.chairs), bool(self.types), self.cancelled

    def parameters(self, first: date, end: date) -> dict[str, Any]:
        """Those of a query that `narrowed` made, for the days from `first` until before `end`."""
        found: dict[str, Any] = {"opens": datetime.combine(first, time()), "closes": datetime.combine(end, time())}
        for name in ("providers", "chairs", "types"):
            if ids := getattr(self, name):
                found[name] = list(ids)
        return found


def span_title(first: date, last: date) -> str:
    if first.month == last.month:
        return _("%(first)s–%(last)s", first=first.day, last=format_date(last, _("d MMM y")))
    pattern = _("d MMM") if first.year == last.year else _("d MMM y")
    return _("%(first)s – %(last)s", first=format_date(first, pattern), last=format_date(last, _("d MMM y")))


def entries(shown: Shown, first: date, end: date) -> Sequence[Values]:
    """What lies on those days, by start. Plain columns: a full week has three hundred rows."""
    rows: Sequence[Any] = db.session.execute(_rows_query(*shown.conditions), shown.parameters(first, end)).all()
    return rows


def holders(shown: Shown, rows: Sequence[Values]) -> list[tuple[int, str, list[Values]]]:
    """Chairs, or providers, and what each has of a day's rows: those in use, as far as they are asked for, and whoever
    has something then. Entries with nobody have a column at the end."""
    if shown.by is By.CHAIR:
        asked, column, name_of = shown.chairs, CHAIR_ID, CHAIR
        known = {each.id: each.name for each in queries.chairs()}
    else:
        asked, column, name_of = shown.providers, PROVIDER_ID, PROVIDER
        known = {each.id: each.display_name for each in auth.providers()}
    found: dict[int, tuple[str, list[Values]]] = {
        each: (name, []) for each, name in known.items() if not asked or each in asked
    }
    for row in sorted(rows, key=lambda row: (row[column] is None, row[name_of] or "")):
        found.setdefault(row[column] or 0, (row[name_of] or _("With nobody"), []))
    for row in rows:
        found[row[column] or 0][1].append(row)
    return [(each, name, theirs) for each, (name, theirs) in found.items()]


def narrowed(query: Select[Any], of_providers: bool, of_chairs: bool, of_types: bool, cancelled: bool) -> Select[Any]:
    """A query about entries, narrowed to the days and the filters that `Shown.parameters` puts in."""
    event = Event.__table__.c
    query = query.where(
        event.start >= bindparam("opens"), event.start < bindparam("closes"), event.deleted_at.is_(None)
    )
    if of_providers:
        query = query.where(event.provider_id.in_(bindparam("providers", expanding=True)))
    if of_chairs:
        query = query.where(event.chair_id.in_(bindparam("chairs", expanding=True)))
    if of_types:
        query = query.where(event.type_id.in_(bindparam("types", expanding=True)))
    if not cancelled:
        query = query.where(*(event.status != each for each in sorted(rules.FREE)))
    return query


@lru_cache(maxsize=16)
def _rows_query(*conditions: bool) -> Select[Any]:
    """Kept, because putting it together takes longer than the database does."""
    event, patient, type_ = Event.__table__.c, Patient.__table__.c, AppointmentType.__table__.c
    chair, user = Chair.__table__.c, User.__table__.c
    query = (
        select(
            event.id,
            event.row_version,
            event.start,
            event.end,
            type_coerce(event.status, String),
            type_coerce(event.kind, String),
            event.color,
            event.title,
            event.chair_id,
            event.overbook_reason,
            event.notes != "",
            patient.last_name,
            patient.first_name,
            patient.alert_text,
            type_.name,
            chair.name,
            user.display_name,
            event.provider_id,
        )
        .select_from(queries.WITH_NAMES)
        .order_by(event.start, event.chair_id, event.id)
    )
    return narrowed(query, *conditions)
