"""Where a visit fits: exact to the minute, at every edge."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from cpms.calendar.rules import FreeSlot, Held, Part, free_slots
from cpms.core import clock

DAY = date(2026, 9, 1)
ADA, HUGO = 1, 2
ONE, TWO = 11, 12
MORNING = ((8 * 60, 12 * 60),)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime.combine(DAY, time(hour, minute))


def held(start: datetime, end: datetime, chair: int = ONE, provider: int | None = ADA, **more: bool) -> Held:
    return Held(start, end, chair, provider, **more)


def starts(minutes: int = 60, **given: object) -> list[str]:
    asked: dict[str, object] = {"spans": {ADA: MORNING}, "chairs": [ONE], "held": []}
    return [f"{slot.start:%H:%M}" for slot in free_slots(DAY, minutes=minutes, **(asked | given))]  # type: ignore[arg-type]


def test_an_empty_morning_is_filled_back_to_back() -> None:
    assert starts() == ["08:00", "09:00", "10:00", "11:00"]
    assert starts(90) == ["08:00", "09:30"], "the last one ends when the hours do, or not at all"
    assert starts(240) == ["08:00"]
    assert starts(245) == []


def test_a_gap_of_just_the_length_is_enough() -> None:
    around = [held(at(8), at(9)), held(at(9, 30), at(12))]
    assert starts(30, held=around) == ["09:00"]
    assert starts(35, held=around) == []


def test_after_an_odd_end_the_next_begins_at_the_grain() -> None:
    assert starts(60, held=[held(at(8), at(8, 20))])[0] == "08:20"
    assert starts(60, held=[held(at(8), datetime(2026, 9, 1, 8, 22))])[0] == "08:25"


def test_the_shortest_and_the_longest() -> None:
    whole = {ADA: ((8 * 60, 18 * 60),)}
    assert len(starts(5, spans=whole)) == 120
    assert starts(480, spans=whole) == ["08:00"]


def test_a_visit_never_lies_over_a_break() -> None:
    spans = {ADA: ((8 * 60, 10 * 60), (10 * 60 + 15, 12 * 60))}
    assert starts(45, spans=spans) == ["08:00", "08:45", "10:15", "11:00"]


def test_who_does_not_work_has_no_time() -> None:
    assert starts(spans={ADA: ()}) == [] == starts(spans={})


def test_mornings_end_at_noon_and_afternoons_begin_then() -> None:
    whole = {ADA: ((10 * 60, 14 * 60),)}
    assert starts(spans=whole, part=Part.MORNING) == ["10:00", "11:00"]
    assert starts(spans=whole, part=Part.AFTERNOON) == ["12:00", "13:00"]
    assert starts(90, spans=whole, part=Part.MORNING) == ["10:00"]
    assert starts(90, spans=whole) == ["10:00", "11:30"]


def test_another_dentists_visit_takes_the_chair_and_not_the_time() -> None:
    others = [held(at(8), at(9), ONE, HUGO)]
    assert starts(held=others)[0] == "09:00"
    assert free_slots(DAY, minutes=60, spans={ADA: MORNING}, chairs=[ONE, TWO], held=others)[0] == FreeSlot(
        at(8), ADA, TWO
    )


def test_a_chair_is_the_same_for_the_whole_visit() -> None:
    others = [held(at(8), at(8, 30), ONE, HUGO), held(at(8, 30), at(12), TWO, HUGO)]
    assert starts(60, chairs=[ONE, TWO], held=others)[0] == "08:30"


def test_without_a_chair_there_is_no_time() -> None:
    assert starts(chairs=[]) == []


def test_anyone_means_the_first_who_is_free_at_each_start() -> None:
    spans = {ADA: MORNING, HUGO: MORNING}
    found = free_slots(DAY, minutes=120, spans=spans, chairs=[ONE, TWO], held=[held(at(8), at(10))])
    assert found == [FreeSlot(at(8), HUGO, TWO), FreeSlot(at(10), ADA, ONE)]


def test_the_patients_own_visits_are_in_the_way_wherever_they_are() -> None:
    assert starts(held=[held(at(8), at(9), TWO, HUGO, of_patient=True)])[0] == "09:00"


def test_nothing_is_offered_before_now() -> None:
    assert starts(not_before=at(9, 2)) == ["09:05", "10:05"]
    assert starts(not_before=at(11)) == ["11:00"]
    assert starts(not_before=at(12)) == []


def test_what_lies_on_other_days_is_in_nobodys_way() -> None:
    night = [held(at(8) - timedelta(days=1), at(9) - timedelta(days=1)), held(at(0) - timedelta(hours=2), at(0))]
    assert starts(held=night)[0] == "08:00"


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_zone_source", lambda: ZoneInfo("Europe/Berlin"))


def once(moment: datetime) -> bool:
    return not clock.is_skipped(moment) and not clock.is_repeated(moment)


def night(day: date) -> list[str]:
    found = free_slots(
        day, minutes=30, spans={ADA: ((60, 240),)}, chairs=[ONE], held=[], exists=once
    )  # from 01:00 to 04:00
    return [f"{slot.start:%H:%M}" for slot in found]


def test_times_that_the_clock_skips_are_not_offered(berlin: None) -> None:
    assert night(date(2026, 3, 29)) == ["01:00", "03:00", "03:30"]


def test_times_that_come_twice_are_not_offered(berlin: None) -> None:
    assert night(date(2026, 10, 25)) == ["01:00", "03:00", "03:30"]
    assert len(night(date(2026, 10, 24))) == 6
