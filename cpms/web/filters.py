"""How dates and times are said on the screen."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar

from babel import Locale
from babel.dates import get_month_names
from flask import Flask, g
from flask_babel import format_date, format_datetime, format_decimal, get_locale, get_translations
from flask_babel import gettext as _

from cpms.core import clock
from cpms.web.language import retold

Item = TypeVar("Item")


def day(value: date | datetime | None) -> str:
    """Tue 24 Nov; with the year when it is not this one."""
    if value is None:
        return ""
    the_day = value.date() if isinstance(value, datetime) else value
    this_year = the_day.year == clock.today().year
    return format_date(the_day, _("EEE d MMM") if this_year else _("EEE d MMM y"))


def full_day(value: date | None) -> str:
    """24 November 2026."""
    return _say(value, _("d MMMM y")) if value else ""


def short_day(value: date) -> str:
    """2 Mar 1985."""
    return _say(value, _("d MMM y"))


def _say(value: date, pattern: str) -> str:
    """`format_date` for the two patterns that stand in every line of a list, in a tenth of its time."""
    frame, months = _frame(pattern, get_locale())
    return frame.format(d=value.day, M=months[value.month], y=value.year)


@cache
def _frame(pattern: str, locale: Locale | None) -> tuple[str, Mapping[int, str]]:
    months = get_month_names("wide" if "MMMM" in pattern else "abbreviated", locale=locale)
    return re.sub(r"([dMy])\1*", r"{\1}", pattern), months


def when(value: datetime | None) -> str:
    """A calendar time: Tue 24 Nov, 10:30."""
    return _("%(day)s, %(time)s", day=day(value), time=f"{value:%H:%M}") if value else ""


def happened(value: datetime | None) -> str:
    """An instant, on the clinic's wall clock."""
    return when(clock.to_wall(value)) if value else ""


def since(value: datetime) -> str:
    """How long something has been so: minutes in its first hour, then from when on."""
    minutes = max(0, int((clock.now() - value).total_seconds() // 60))
    return _("since %(n)s min", n=minutes) if minutes < 60 else since_when(value)


def since_when(value: datetime) -> str:
    """From when on something has been so; with the day when it is not today."""
    wall = clock.to_wall(value)
    return _("since %(time)s", time=f"{wall:%H:%M}" if wall.date() == clock.today() else when(wall))


def happened_on(value: datetime | None) -> str:
    """The clinic's date of an instant."""
    return full_day(clock.to_wall(value).date()) if value else ""


def month(value: date) -> str:
    return format_datetime(datetime(value.year, value.month, 1), _("MMMM y"), rebase=False)


def week_order(days: Sequence[Item]) -> Sequence[Item]:
    """Seven things, from Monday on, in the order of the reader's week."""
    locale = get_locale()
    first = locale.first_week_day if locale else 0
    return [*days[first:], *days[:first]]


def age(born: date, on: date | None = None) -> int:
    """Whole years."""
    on = on or clock.today()
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def age_words(born: date) -> str:
    """Years; months below two years."""
    years, today = age(born), clock.today()
    if years >= 2:
        return _("%(n)d y", n=years)
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    return _("%(n)d mo", n=max(months, 0))


_TITLES = {"dr", "prof", "mr", "mrs", "ms", "med", "dent"}


def initials(name: str) -> str:
    """The first letters of the first and the last name; a title is no name."""
    names = [word for word in name.split() if word.rstrip(".").casefold() not in _TITLES] or name.split()
    return "".join(word[0].upper() for word in (names if len(names) < 2 else (names[0], names[-1])))


def words(text: str, /, **values: Any) -> str:
    """The `_` of templates. A page says some fifty things: which language it speaks is asked for once a request."""
    translations = g.get("translations")
    if translations is None:
        translations = g.translations = get_translations()
    return translations.gettext(text) % values


def size(count: int) -> str:
    """Bytes as people say them: 512 kB, 1.4 MB."""
    if count < 1000:
        return _("%(n)d bytes", n=count)
    for unit in ("kB", "MB", "GB"):
        count_in, count = count / 1000, count // 1000
        if count_in < 1000 or unit == "GB":
            break
    return f"{format_decimal(round(count_in, 1 if count_in < 10 else 0))} {unit}"


def init_app(app: Flask) -> None:
    app.jinja_env.globals["_"] = words
    dates = (day, full_day, short_day, when, happened, happened_on, since, since_when, month, age, age_words)
    for function in (*dates, week_order, size, initials, retold):
        app.jinja_env.filters[function.__name__] = function
