"""What is true of any calendar."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpms.calendar import rules
from cpms.calendar.models import Status
from cpms.calendar.rules import Place

TEN = datetime(2026, 9, 1, 10)


def at(hour: int, minute: int = 0) -> datetime:
    return TEN.replace(hour=hour, minute=minute)


def test_entries_at_one_time_lie_side_by_side() -> None:
    spans = [(at(9), at(10)), (at(9), at(9, 30)), (at(9, 30), at(10, 30)), (at(11), at(12))]
    assert rules.side_by_side(spans, lambda span: span) == [Place(0, 2), Place(1, 2), Place(1, 2), Place(0, 1)]


moments = st.integers(0, 100).map(lambda n: TEN + timedelta(minutes=5 * n))
spans = st.tuples(moments, st.integers(1, 30)).map(lambda pair: (pair[0], pair[0] + timedelta(minutes=5 * pair[1])))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # it is the machine that is slow
@given(st.lists(spans, max_size=60))
def test_no_two_entries_ever_lie_on_each_other(entries: list[tuple[datetime, datetime]]) -> None:
    entries.sort()
    places = rules.side_by_side(entries, lambda span: span)
    assert len(places) == len(entries)
    for (a, a_place), (b, b_place) in (
        (first, second)
        for index, first in enumerate(zip(entries, places, strict=True))
        for second in list(zip(entries, places, strict=True))[index + 1 :]
    ):
        if a[0] < b[1] and b[0] < a[1]:
            assert a_place.lanes == b_place.lanes, "what touches shares a width"
            assert a_place.lane != b_place.lane
    assert all(place.lane < place.lanes for place in places)


@pytest.mark.parametrize(
    ("old", "new", "back"),
    [
        (Status.SCHEDULED, Status.CONFIRMED, False),
        (Status.SCHEDULED, Status.ARRIVED, False),
        (Status.ARRIVED, Status.IN_CHAIR, False),
        (Status.ARRIVED, Status.SCHEDULED, True),
        (Status.COMPLETED, Status.IN_CHAIR, True),
        (Status.NO_SHOW, Status.ARRIVED, True),
        (Status.CANCELLED, Status.SCHEDULED, True),
        (Status.SCHEDULED, Status.NO_SHOW, False),
        (Status.IN_CHAIR, Status.CANCELLED, False),
    ],
)
def test_which_steps_take_something_back(old: Status, new: Status, back: bool) -> None:
    assert rules.is_back(old, new) is back


def test_every_status_but_the_ends_has_a_usual_next_step() -> None:
    ends = {status for status in Status if rules.next_step(status) is None}
    assert ends == {Status.COMPLETED, Status.CANCELLED, Status.NO_SHOW}


def test_every_status_can_be_left() -> None:
    assert all(rules.other_steps(status) for status in Status)


def test_the_grid_shows_the_opening_hours_and_whatever_lies_outside() -> None:
    opening = [(time(8, 30), time(17, 15))]
    assert rules.hours_shown(opening, []) == (8, 18)
    assert rules.hours_shown(opening, [(at(6, 45), at(7))]) == (6, 18)
    assert rules.hours_shown(opening, [(at(19), at(19, 5))]) == (8, 20)
    assert rules.hours_shown(opening, [(at(22), at(23) + timedelta(hours=1))]) == (8, 24)
    assert rules.hours_shown([], []) == (8, 18)


def test_a_week_begins_on_monday() -> None:
    assert rules.monday(date(2026, 9, 1)) == date(2026, 8, 31)
    assert rules.monday(date(2026, 8, 31)) == date(2026, 8, 31)


def test_any_colour_is_drawn_in_the_nearest_of_ours() -> None:
    assert all(rules.swatch(color) == name for name, color in rules.SWATCHES.items())
    assert rules.swatch("#0F766F") == "teal"
    assert rules.swatch("#ff0000") == "red"


def test_a_card_is_placed_by_classes() -> None:
    assert rules.css_place(at(9, 15), at(10), Place(1, 3)) == "t0915 h45 x1-3"
