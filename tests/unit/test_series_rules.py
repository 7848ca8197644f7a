"""On which days a series falls."""

from datetime import date, datetime, timedelta

import pytest

from cpms.calendar.models import Event, Monthly, Unit
from cpms.calendar.series import rules
from cpms.calendar.series.rules import Rule, chosen

TUESDAY = date(2026, 9, 1)


def some(rule: Rule, number: int) -> list[date]:
    return chosen(rule, until=None, number=number)


def test_every_second_week_is_the_same_weekday() -> None:
    rule = Rule(Unit.WEEK, 2, TUESDAY)
    assert some(rule, 3) == [date(2026, 9, 1), date(2026, 9, 15), date(2026, 9, 29)]


def test_once_is_once() -> None:
    assert some(Rule(Unit.WEEK, 1, TUESDAY), 1) == [TUESDAY]


def test_a_week_begins_on_monday() -> None:
    """Sunday and Monday of every second week, from a Sunday on: the Monday after it is in a week that is left out."""
    sunday = date(2026, 9, 6)
    rule = Rule(Unit.WEEK, 2, sunday, (0, 6))
    assert some(rule, 3) == [sunday, date(2026, 9, 14), date(2026, 9, 20)]


def test_a_series_begins_on_the_first_chosen_weekday() -> None:
    rule = Rule(Unit.WEEK, 2, TUESDAY, (0, 3))
    assert some(rule, 3) == [date(2026, 9, 3), date(2026, 9, 14), date(2026, 9, 17)]


def test_the_thirty_first_is_the_last_of_a_shorter_month_and_comes_back() -> None:
    rule = Rule(Unit.MONTH, 1, date(2027, 1, 31))
    assert [day.isoformat()[5:] for day in some(rule, 5)] == ["01-31", "02-28", "03-31", "04-30", "05-31"]


def test_the_leap_day_is_there_in_leap_years() -> None:
    rule = Rule(Unit.MONTH, 12, date(2028, 2, 29))
    assert [day.isoformat() for day in some(rule, 5)] == [
        "2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29",
    ]  # fmt: skip


def test_the_second_tuesday() -> None:
    rule = Rule(Unit.MONTH, 1, date(2026, 9, 8), monthly=Monthly.NTH)
    assert some(rule, 4) == [date(2026, 9, 8), date(2026, 10, 13), date(2026, 11, 10), date(2026, 12, 8)]


def test_the_fifth_tuesday_is_the_last() -> None:
    rule = Rule(Unit.MONTH, 1, date(2026, 9, 29), monthly=Monthly.NTH)
    assert some(rule, 3) == [date(2026, 9, 29), date(2026, 10, 27), date(2026, 11, 24)]


def test_the_last_tuesday_of_the_month_of_any_tuesday() -> None:
    rule = Rule(Unit.MONTH, 2, TUESDAY, monthly=Monthly.LAST)
    assert some(rule, 2) == [date(2026, 9, 29), date(2026, 11, 24)]


def test_the_last_date_belongs_to_it() -> None:
    rule = Rule(Unit.WEEK, 1, TUESDAY)
    assert chosen(rule, until=date(2026, 9, 15), number=None)[-1] == date(2026, 9, 15)
    assert chosen(rule, until=date(2026, 8, 31), number=None) == []


def test_what_is_too_much_can_be_seen() -> None:
    rule = Rule(Unit.WEEK, 1, TUESDAY)
    assert len(chosen(rule, until=date(2099, 1, 1), number=None)) == rules.MOST_ENTRIES + 1
    assert rules.latest(date(2028, 2, 29)) == date(2033, 2, 28)


def test_more_days_later_keep_the_rhythm() -> None:
    rule = Rule(Unit.WEEK, 2, TUESDAY, (1, 3))
    first = some(rule, 5)
    assert first + chosen(rule, until=None, number=4, since=first[-1] + timedelta(days=1)) == some(rule, 9)


@pytest.mark.parametrize("by", [-8, -1, 0, 1, 6, 13])
def test_a_shifted_weekly_rule_gives_the_shifted_days(by: int) -> None:
    rule = Rule(Unit.WEEK, 3, TUESDAY, (1,))
    moved = rules.shifted(rule, timedelta(days=by))
    assert some(moved, 6) == [day + timedelta(days=by) for day in some(rule, 6)]


def test_an_entry_that_was_moved_alone_is_told_from_the_others() -> None:
    start = datetime(2026, 9, 1, 10)
    entry = Event(start=start, end=start + timedelta(minutes=30), chair_id=1, provider_id=None)
    assert not rules.is_apart(entry)
    entry.series_slot = rules.slot_words(entry)
    assert not rules.is_apart(entry)
    entry.chair_id = 2
    assert rules.is_apart(entry)
