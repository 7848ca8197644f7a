"""Every read about hours."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from babel.dates import get_day_names
from flask_babel import format_date, get_locale, lazy_gettext
from flask_babel import gettext as _
from sqlalchemy import JSON, DateTime, Select, String, bindparam, cast, literal, null, select, type_coerce, union_all

from cpms.auth.models import User
from cpms.core.db import db
from cpms.core.errors import NotFound
from cpms.core.text import sort_key
from cpms.hours import almanac, rules
from cpms.hours.models import OffKind, TimeOff, WorkWeek
from cpms.hours.rules import Cause, DayPlan, Off, Span, Timetable, Week, Why
from cpms.settings import queries as settings

KIND_WORDS = {
    OffKind.CLOSED: lazy_gettext("closed"),
    OffKind.OPEN: lazy_gettext("open"),
    OffKind.HOLIDAY: lazy_gettext("holiday"),
    OffKind.SICK: lazy_gettext("sick"),
    OffKind.TRAINING: lazy_gettext("training"),
    OffKind.OTHER: lazy_gettext("other"),
}

# Put together once: every calendar that is drawn and every booking asks them.
_off, _week = TimeOff.__table__.c, WorkWeek.__table__.c
_OFF: Select[Any] = select(
    _off.provider_id, _off.start, _off.end, type_coerce(_off.kind, String), _off.name, cast(null(), JSON)
).where(_off.deleted_at.is_(None), _off.end > bindparam("first"), _off.start < bindparam("end"))
_WEEKS: Select[Any] = select(_week.provider_id, _week.days)
_OFF_AND_WEEKS = union_all(
    _OFF,
    select(_week.provider_id, cast(null(), DateTime), cast(null(), DateTime), literal("week"), literal(""), _week.days),
)


def timetable(first: date, end: date, *, of_people: bool = True) -> Timetable:
    """What decides when there is work on the days [first, end). `of_people` false leaves out the providers' weeks."""
    away: dict[int, list[Off]] = defaultdict(list)
    closed: list[Off] = []
    opened: set[date] = set()
    weeks: dict[int, Week] = {}
    query: Any = _OFF_AND_WEEKS if of_people else _OFF
    found = db.session.execute(query, {"first": rules.midnight(first), "end": rules.midnight(end)})
    for provider_id, start, ends, what, name, days in found:
        if what == "week":
            weeks[provider_id] = rules.load_week(days)
            continue
        kind = OffKind(what)
        if kind is OffKind.OPEN:
            opened.add(start.date())
        elif provider_id is None:
            closed.append(Off(start, ends, kind, name))
        else:
            away[provider_id].append(Off(start, ends, kind, name))
    years = range(first.year, end.year + 1)
    public = {day: name for year in years for day, name in holidays(year).items() if day not in opened}
    return Timetable(
        opening(), tuple(sorted(closed)), public, weeks, {who: tuple(sorted(each)) for who, each in away.items()}
    )


def open_days(first: date, days: int) -> list[date]:
    """Those of so many days from the first on which the clinic opens."""
    table = timetable(first, first + timedelta(days=days), of_people=False)
    every = (first + timedelta(days=ahead) for ahead in range(days))
    return [day for day in every if table.spans_of(day)]


def opening() -> tuple[Span | None, ...]:
    """The clinic's opening hours of each weekday, in minutes."""
    return tuple(
        (rules.minutes(hours.opens), rules.minutes(hours.closes)) if hours else None
        for hours in settings.current().opening
    )


def holidays(year: int) -> Mapping[date, str]:
    """The public holidays of the clinic's country and region, whether it is open on them or not."""
    clinic = settings.current()
    if not clinic.holiday_country:
        return {}
    locale = get_locale()  # none in nightly work
    language = locale.language if locale else "en"
    return almanac.public_holidays(clinic.holiday_country, clinic.holiday_region, year, language)


def country_choices() -> list[tuple[str, str]]:
    """The countries whose public holidays are known, by their names in the reader's language."""
    names = get_locale().territories
    return _by_name((code, names.get(code, code)) for code in almanac.countries())


def region_choices(country: str) -> list[tuple[str, str]]:
    if country not in almanac.countries():
        return []
    return _by_name(almanac.region_names(country).items())


def _by_name(choices: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    language = get_locale().language
    return sorted(choices, key=lambda each: sort_key(each[1], language))


def where_words() -> str:
    """Whose public holidays the clinic keeps: "Germany, Berlin"; nothing when it keeps none."""
    clinic = settings.current()
    if not clinic.holiday_country:
        return ""
    country = get_locale().territories.get(clinic.holiday_country, clinic.holiday_country)
    region = dict(region_choices(clinic.holiday_country)).get(clinic.holiday_region, clinic.holiday_region)
    return ", ".join(filter(None, (country, region)))


def provider(user_id: int) -> User:
    found = db.session.get(User, user_id)
    if found is None or not found.is_provider:
        raise NotFound(_("Nobody of that name takes visits."))
    return found


def work_week(provider_id: int) -> WorkWeek | None:
    return db.session.scalar(select(WorkWeek).where(WorkWeek.provider_id == provider_id))


def weeks() -> dict[int, Week]:
    """The hours of those providers who have their own."""
    return {row[0]: rules.load_week(row[1]) for row in db.session.execute(_WEEKS)}


def time_off(off_id: int) -> TimeOff:
    """Deleted ones too: a link always resolves."""
    found = db.session.get(TimeOff, off_id)
    if found is None:
        raise NotFound(_("There is no such absence or closed day."))
    return found


def times_off(
    *, provider_id: int | None = None, of_the_clinic: bool = False, after: datetime, past: bool = False
) -> list[TimeOff]:
    """Closed days, or absences of one provider or of all, that end after a moment; `past`: those before it."""
    query = select(TimeOff).where(TimeOff.deleted_at.is_(None), TimeOff.kind != OffKind.OPEN)
    if of_the_clinic:
        query = query.where(TimeOff.provider_id.is_(None))
    else:
        mine = TimeOff.provider_id.is_not(None) if provider_id is None else TimeOff.provider_id == provider_id
        query = query.where(mine)
    if past:
        query = query.where(TimeOff.end <= after).order_by(TimeOff.start.desc(), TimeOff.id).limit(50)
    else:
        query = query.where(TimeOff.end > after).order_by(TimeOff.start, TimeOff.id)
    return list(db.session.scalars(query))


def open_on(day: date) -> TimeOff | None:
    """The word that the clinic is open on a public holiday, also when it was taken back."""
    query = select(TimeOff).where(TimeOff.kind == OffKind.OPEN, TimeOff.start == rules.midnight(day))
    return db.session.scalar(query.order_by(TimeOff.id).limit(1))


def opened_days(year: int) -> set[date]:
    """The public holidays of a year on which the clinic is open."""
    query = select(TimeOff.start).where(
        TimeOff.kind == OffKind.OPEN,
        TimeOff.deleted_at.is_(None),
        TimeOff.start >= rules.midnight(date(year, 1, 1)),
        TimeOff.start < rules.midnight(date(year + 1, 1, 1)),
    )
    return {start.date() for start in db.session.scalars(query)}


def names_off() -> dict[int, str]:
    """What each closed day or absence is called in the trail: its name, or whose it is."""
    query = select(TimeOff.id, TimeOff.name, User.display_name).outerjoin(User, User.id == TimeOff.provider_id)
    return {row[0]: row[2] or row[1] for row in db.session.execute(query)}


def names_weeks() -> dict[int, str]:
    query = select(WorkWeek.id, User.display_name).join(User, User.id == WorkWeek.provider_id)
    return {row[0]: row[1] for row in db.session.execute(query)}


def why_words(why: Why, who: str) -> str:
    """A cause as the sentence that somebody reads who wants to book then; `who` is the provider's name."""
    match why.cause:
        case Cause.CLOSED_DAY:
            return _("The clinic is closed then: %(name)s.", name=why.name)
        case Cause.PUBLIC_HOLIDAY:
            return _("The clinic is closed on that day, a public holiday: %(name)s.", name=why.name)
        case Cause.CLOSED_WEEKDAY:
            return _("The clinic is closed on that day.")
        case Cause.OUTSIDE_OPENING:
            return _("This is outside the opening hours.")
        case Cause.NOT_AT_WORK:
            return _("%(who)s does not work on that day.", who=who)
        case Cause.OUTSIDE_HOURS:
            return _("This is outside the hours of %(who)s: %(hours)s.", who=who, hours=rules.in_words(why.spans))
        case Cause.IN_BREAK:
            return _("%(who)s has a break then: %(name)s.", who=who, name=why.name)
    return _("%(who)s is away then, until %(when)s.", who=who, when=last_words(why.until))


def day_words(day: date) -> str:
    return str(format_date(day, _("EEE d MMM y")))


def last_words(end: datetime | None) -> str:
    """The end of a time off as people say it: of whole days the last one."""
    if end is None:
        return ""
    if end == rules.midnight(end.date()):
        return day_words(end.date() - timedelta(days=1))
    return f"{day_words(end.date())}, {end:%H:%M}"


def span_words(start: datetime, end: datetime) -> str:
    """Mon 24 Aug 2026 – Fri 4 Sep 2026; a part of a day with its times."""
    if start == rules.midnight(start.date()) and end == rules.midnight(end.date()):
        first, last = start.date(), end.date() - timedelta(days=1)
        if first == last:
            return day_words(first)
        begin = format_date(first, _("EEE d MMM")) if first.year == last.year else day_words(first)
        return f"{begin} – {day_words(last)}"
    if start.date() == end.date() or end == rules.midnight(start.date()) + timedelta(days=1):
        return f"{day_words(start.date())}, {start:%H:%M}–{end:%H:%M}"
    return f"{day_words(start.date())}, {start:%H:%M} – {last_words(end)}"


def plan_words(plan: DayPlan) -> str:
    """One weekday of a provider, in words."""
    if plan.spans is None:
        said = _("as the clinic")
    elif not plan.spans:
        return _("not at work")
    else:
        said = rules.in_words(plan.spans)
    return "; ".join([said, *(f"{each.name} {rules.in_words([each[:2]])}" for each in plan.breaks)])


def week_words(week: Week) -> str:
    """A week in a line, from the reader's first day on: days that follow each other and are alike stand together."""
    locale = get_locale()
    names, first = get_day_names("abbreviated", locale=locale), locale.first_week_day
    parts: list[tuple[int, int, str]] = []
    for day in (*range(first, 7), *range(first)):
        words = plan_words(week[day])
        if parts and parts[-1][2] == words:
            parts[-1] = parts[-1][0], day, words
        else:
            parts.append((day, day, words))
    if len(parts) == 1:
        return parts[0][2]
    return " · ".join(f"{names[a]} {words}" if a == b else f"{names[a]}–{names[b]} {words}" for a, b, words in parts)


def sentences(table: Timetable, provider: User | None, start: datetime, end: datetime) -> list[str]:
    """Why [start, end) is unusual for a visit with that provider, as sentences."""
    who = provider.display_name if provider is not None else ""
    return [why_words(why, who) for why in table.reasons(provider.id if provider is not None else None, start, end)]
