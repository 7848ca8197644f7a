"""When there is work: exact to the minute."""

from datetime import date, datetime, timedelta

import pytest

from cpms.hours import rules
from cpms.hours.models import OffKind
from cpms.hours.rules import Break, Cause, DayPlan, Off, Timetable

OPEN = (8 * 60, 18 * 60)
OPENING = (OPEN, OPEN, OPEN, OPEN, OPEN, (9 * 60, 14 * 60), None)
TUESDAY = date(2026, 9, 1)
ADA, HUGO = 1, 2
LUNCH = Break(12 * 60, 12 * 60 + 30, "Lunch")
MORNING, LATE = (8 * 60, 12 * 60), (13 * 60, 20 * 60)


def at(hour: int, minute: int = 0, day: date = TUESDAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute)


def week(plan: DayPlan) -> rules.Week:
    return (plan,) * 7


def off(start: datetime, end: datetime, name: str = "Leave") -> Off:
    return Off(start, end, OffKind.CLOSED, name)


def causes(table: Timetable, start: datetime, end: datetime, who: int | None = ADA) -> list[Cause]:
    return [why.cause for why in table.reasons(who, start, end)]


def test_who_has_no_hours_of_their_own_works_as_the_clinic() -> None:
    table = Timetable(OPENING)
    assert table.open_spans(ADA, TUESDAY) == table.spans_of(TUESDAY) == (OPEN,)
    assert table.open_spans(ADA, TUESDAY + timedelta(days=5)) == () == table.spans_of(TUESDAY + timedelta(days=5))


def test_hours_are_half_open() -> None:
    table = Timetable(OPENING)
    assert causes(table, at(8), at(18)) == []
    assert causes(table, at(7, 55), at(8, 5)) == [Cause.OUTSIDE_OPENING]
    assert causes(table, at(17, 55), at(18, 5)) == [Cause.OUTSIDE_OPENING]
    assert causes(table, at(23), at(0, day=TUESDAY + timedelta(days=1))) == [Cause.OUTSIDE_OPENING]


def test_a_closed_weekday_is_named_as_such() -> None:
    sunday = TUESDAY + timedelta(days=5)
    assert causes(Timetable(OPENING), at(9, day=sunday), at(10, day=sunday)) == [Cause.CLOSED_WEEKDAY]


def test_own_hours_stand_above_the_clinics() -> None:
    table = Timetable(OPENING, weeks={ADA: week(DayPlan((MORNING, LATE)))})
    assert table.open_spans(ADA, TUESDAY) == (MORNING, LATE)
    assert causes(table, at(19), at(20)) == []
    assert causes(table, at(19), at(20), HUGO) == [Cause.OUTSIDE_OPENING]
    assert causes(table, at(11, 45), at(13, 15)) == [Cause.OUTSIDE_HOURS], "over the gap between two spans"
    [why] = table.reasons(ADA, at(12), at(13))
    assert rules.in_words(why.spans) == "08:00–12:00, 13:00–20:00"
    assert table.open_spans(ADA, TUESDAY + timedelta(days=5)) == (MORNING, LATE), "on the clinic's closed weekday, too"


def test_who_is_not_at_work_has_no_spans() -> None:
    table = Timetable(OPENING, weeks={ADA: week(DayPlan(()))})
    assert table.open_spans(ADA, TUESDAY) == ()
    assert causes(table, at(9), at(10)) == [Cause.NOT_AT_WORK]


def test_a_break_takes_just_its_minutes() -> None:
    table = Timetable(OPENING, weeks={ADA: week(DayPlan(None, (LUNCH,)))})
    assert table.open_spans(ADA, TUESDAY) == ((480, 720), (750, 1080))
    assert causes(table, at(11, 30), at(12)) == [] == causes(table, at(12, 30), at(13))
    assert causes(table, at(11, 55), at(12, 5)) == [Cause.IN_BREAK] == causes(table, at(12, 25), at(12, 35))
    assert causes(table, at(12), at(12, 30), HUGO) == []
    assert table.spans_of(TUESDAY) == (OPEN,), "the clinic has no break"


def test_a_closed_day_stands_above_everything_and_has_its_name() -> None:
    closed = off(at(0), at(0, day=TUESDAY + timedelta(days=2)), "Summer leave")
    table = Timetable(OPENING, (closed,), weeks={ADA: week(DayPlan((LATE,)))})
    assert table.spans_of(TUESDAY) == table.open_spans(ADA, TUESDAY) == ()
    assert table.name_of(TUESDAY) == table.name_of(TUESDAY + timedelta(days=1)) == "Summer leave"
    assert table.name_of(TUESDAY + timedelta(days=2)) == table.name_of(TUESDAY - timedelta(days=1)) == ""
    assert causes(table, at(9), at(10)) == [Cause.CLOSED_DAY]


def test_the_clinic_closes_for_a_part_of_a_day() -> None:
    table = Timetable(OPENING, (off(at(13), at(0, day=TUESDAY + timedelta(days=1)), "Meeting"),))
    assert table.spans_of(TUESDAY) == ((480, 780),)
    assert causes(table, at(12, 30), at(13)) == []
    assert causes(table, at(12, 30), at(13, 5)) == [Cause.CLOSED_DAY]


def test_a_public_holiday_closes_the_day() -> None:
    table = Timetable(OPENING, public={TUESDAY: "Founders' Day"})
    assert table.spans_of(TUESDAY) == () and table.name_of(TUESDAY) == "Founders' Day"
    assert causes(table, at(9), at(10)) == [Cause.PUBLIC_HOLIDAY]


def test_an_absence_is_that_persons_alone() -> None:
    away = Off(at(10), at(11, 30), OffKind.TRAINING, "")
    table = Timetable(OPENING, away={ADA: (away,)})
    assert table.open_spans(ADA, TUESDAY) == ((480, 600), (690, 1080))
    assert table.open_spans(HUGO, TUESDAY) == (OPEN,)
    assert causes(table, at(9, 30), at(10)) == [] == causes(table, at(11, 30), at(12))
    assert causes(table, at(11, 25), at(11, 35)) == [Cause.AWAY]


def test_every_cause_is_told_at_once() -> None:
    away = Off(at(0), at(0, day=TUESDAY + timedelta(days=1)), OffKind.SICK, "")
    table = Timetable(OPENING, weeks={ADA: week(DayPlan((MORNING,), (LUNCH,)))}, away={ADA: (away,)})
    assert causes(table, at(12), at(13)) == [Cause.OUTSIDE_HOURS, Cause.IN_BREAK, Cause.AWAY]


@pytest.mark.parametrize(
    ("spans", "holes", "left"),
    [
        (((0, 10),), (), ((0, 10),)),
        (((0, 10),), ((0, 10),), ()),
        (((0, 10),), ((10, 20),), ((0, 10),)),
        (((0, 10),), ((3, 5),), ((0, 3), (5, 10))),
        (((0, 10), (20, 30)), ((5, 25),), ((0, 5), (25, 30))),
        (((0, 10),), ((4, 4),), ((0, 10),)),
    ],
)
def test_spans_are_cut(
    spans: tuple[rules.Span, ...], holes: tuple[rules.Span, ...], left: tuple[rules.Span, ...]
) -> None:
    assert rules.without(spans, holes) == left


def test_a_week_survives_its_json() -> None:
    plans = (DayPlan(None, (LUNCH,)), DayPlan(()), DayPlan((MORNING, LATE), (LUNCH,)), *([rules.AS_THE_CLINIC] * 4))
    assert rules.load_week(rules.dump_week(plans)) == plans


def test_touching_spans_do_not_overlap() -> None:
    assert not rules.overlaps([(0, 10), (10, 20)])
    assert rules.overlaps([(10, 20), (0, 11)])
