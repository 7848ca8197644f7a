"""Two clocks: what happened, and what is on the calendar."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from cpms.core import clock


@pytest.fixture(autouse=True)
def _berlin() -> Iterator[None]:
    before = clock._zone_source
    clock.use_zone(lambda: ZoneInfo("Europe/Berlin"))
    yield
    clock.use_zone(before)


def test_the_clinic_s_day_is_not_the_day_of_utc() -> None:
    with clock.freeze(datetime(2026, 8, 31, 22, 30, tzinfo=UTC)):
        assert clock.today() == date(2026, 9, 1)
        assert clock.clinic_now() == datetime(2026, 9, 1, 0, 30)


def test_a_time_that_the_clocks_jump_over_is_known() -> None:
    assert clock.is_skipped(datetime(2027, 3, 28, 2, 30))
    assert not clock.is_skipped(datetime(2027, 3, 28, 1, 55))
    assert not clock.is_skipped(datetime(2027, 3, 28, 3, 0))


def test_a_time_that_comes_twice_is_known() -> None:
    assert clock.is_repeated(datetime(2026, 10, 25, 2, 30))
    assert not clock.is_repeated(datetime(2026, 10, 25, 3, 0))
    assert not clock.is_repeated(datetime(2027, 3, 28, 2, 30))


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    assert clock.to_instant(datetime(2026, 10, 25, 2, 30)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_wall_clock_time_comes_back_as_it_went_through_a_year() -> None:
    for month in range(1, 13):
        wall = datetime(2026, month, 15, 10, 0)
        assert clock.to_wall(clock.to_instant(wall)) == wall


def test_neither_kind_passes_for_the_other() -> None:
    with pytest.raises(ValueError, match="aware"):
        clock.to_wall(datetime(2026, 9, 1, 10))
    with pytest.raises(ValueError, match="naive"):
        clock.to_instant(datetime(2026, 9, 1, 10, tzinfo=UTC))
