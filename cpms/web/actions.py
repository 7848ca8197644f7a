"""What the search field of every page offers beside patients: places, things to do, and days in words."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from babel import Locale
from babel.dates import get_day_names, get_month_names
from flask import url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from cpms.core.permissions import P
from cpms.core.text import fold
from cpms.web import nav
from cpms.web.access import can

_DAY_FIRST = re.compile(r"(\d{1,2}) ([^\W\d]+)(?: (\d{4}))?")
_MONTH_FIRST = re.compile(r"([^\W\d]+) (\d{1,2})(?: (\d{4}))?")
_SHORTEST = 2  # letters that an action is looked for with; of a month, one more


@dataclass(frozen=True, slots=True)
class Action:
    """A line under the patients. One with `is_sheet` opens over the page."""

    label: str
    url: str
    icon: str
    is_sheet: bool = False


def matching(typed: str) -> list[Action]:
    """The things to do and the places that are meant by the beginnings of their words, as far as this person may."""
    words = fold(typed).split()
    if not words or len(fold(typed)) < _SHORTEST:
        return []
    return [action for action in _all() if _means(words, action.label)]


def _all() -> Iterable[Action]:
    if can(P.PATIENT_WRITE):
        yield Action(_("New patient"), url_for("patients.new"), "user-plus", is_sheet=True)
    if can(P.CALENDAR_WRITE):
        yield Action(_("New appointment"), url_for("calendar.new"), "calendar-plus", is_sheet=True)
    for place in (*nav.nav_items(), *nav.settings_pages()):
        yield Action(place.label, place.url, place.icon)
    yield Action(_("Keys"), url_for("keys.show"), "help", is_sheet=True)


def _means(typed: list[str], label: str) -> bool:
    words = fold(label).split()
    return all(any(word.startswith(each) for word in words) for each in typed)


def destination(typed: str) -> str:
    """What follows "go to", if that is how it begins."""
    begin = _("go to")
    text = " ".join(typed.split())
    return text[len(begin) :].strip() if text.casefold().startswith(f"{begin} ".casefold()) else text


def day_said(typed: str, today: date) -> date | None:
    """The day that a text says in words: tomorrow, friday, 3 december, dec 3 2027; without a year the next one."""
    locales = {get_locale() or Locale("en"), Locale("en")}
    near = {fold(_("today")): 0, fold(_("tomorrow")): 1, fold(_("yesterday")): -1}
    return day_in_words(
        fold(typed),
        today,
        near=near,
        weekdays=_names(get_day_names(width, locale=each) for width in ("wide", "abbreviated") for each in locales),
        months=_names(get_month_names("wide", locale=each) for each in locales),
    )


def _names(tables: Iterable[Mapping[int, str]]) -> dict[str, int]:
    return {fold(name): number for table in tables for number, name in table.items()}


def day_in_words(
    said: str, today: date, *, near: Mapping[str, int], weekdays: Mapping[str, int], months: Mapping[str, int]
) -> date | None:
    """`day_said` with folded words and their meanings: days ahead, weekdays from Monday as 0, months from 1."""
    if said in near:
        return today + timedelta(days=near[said])
    if said in weekdays:
        return today + timedelta(days=(weekdays[said] - today.weekday()) % 7)
    if found := _DAY_FIRST.fullmatch(said):
        return _day(today, found[1], found[2], found[3], months)
    if found := _MONTH_FIRST.fullmatch(said):
        return _day(today, found[2], found[1], found[3], months)
    return None


def _day(today: date, day: str, word: str, year: str | None, months: Mapping[str, int]) -> date | None:
    numbers = {number for name, number in months.items() if len(word) > _SHORTEST and name.startswith(word)}
    if len(numbers) != 1:
        return None
    (month,) = numbers
    for each in (int(year),) if year else range(today.year, today.year + 5):  # the 29th of February comes within five
        try:
            meant = date(each, month, int(day))
        except ValueError:
            continue
        if year or meant >= today:
            return meant
    return None
