"""Which backups stay: seven days, four weeks, twelve months, and never fewer than three good ones."""

from datetime import datetime, timedelta

from cpms.backups.rules import CATCH_UP_AFTER, DAILY, FEWEST, MONTHLY, WEEKLY, Kept, is_old, let_go

NIGHT = datetime(2026, 9, 1, 3, 30)


def after(nights: int, *, failing: frozenset[int] = frozenset()) -> tuple[list[Kept], datetime]:
    """So many nights, each with a backup and the letting go after it; what is left, and when."""
    left: list[Kept] = []
    now = NIGHT
    for night in range(nights):
        now = NIGHT + timedelta(days=night)
        left.append(Kept(f"b{night}", now, night not in failing))
        gone = let_go(left, now=now)
        left = [each for each in left if each.id not in gone]
    return left, now


def test_after_two_years_there_are_days_weeks_and_months() -> None:
    left, now = after(730)
    days = {each.at.date() for each in left}
    assert {now.date() - timedelta(days=n) for n in range(DAILY)} <= days
    assert len({each.at.isocalendar()[:2] for each in left}) >= WEEKLY
    assert len({(each.at.year, each.at.month) for each in left}) == MONTHLY
    assert len(left) <= DAILY + WEEKLY + MONTHLY


def test_a_month_keeps_its_last_backup() -> None:
    left, _now = after(200)
    kept = {each.at.date().isoformat() for each in left}
    assert {"2026-09-30", "2026-10-31", "2026-11-30", "2026-12-31", "2027-01-31"} <= kept


def test_the_week_at_the_turn_of_a_year_is_one_week() -> None:
    """Monday 28 December 2026 to Sunday 3 January 2027 is week 53."""
    left, _now = after((datetime(2027, 1, 20) - datetime(2026, 9, 1)).days)
    turn = [each for each in left if each.at.isocalendar()[:2] == (2026, 53)]
    assert {each.at.date().isoformat() for each in turn} == {"2026-12-31", "2027-01-03"}


def test_three_good_ones_stay_whatever_their_age() -> None:
    old = [Kept(f"old{n}", NIGHT - timedelta(days=2000 + n), True) for n in range(5)]
    assert len(old) - len(let_go(old, now=NIGHT)) >= FEWEST


def test_failed_ones_never_push_a_good_one_out() -> None:
    good = [Kept(f"g{n}", NIGHT - timedelta(days=400 + n), True) for n in range(3)]
    failed = [Kept(f"f{n}", NIGHT - timedelta(days=n), False) for n in range(60)]
    gone = let_go(good + failed, now=NIGHT)
    assert not gone & {each.id for each in good}
    assert gone == {f"f{n}" for n in range(7, 60)}, "a failed one is told for a week"


def test_many_of_one_day_stay_for_that_day() -> None:
    today = [Kept(f"t{n}", NIGHT + timedelta(hours=n), True) for n in range(10)]
    assert let_go(today, now=NIGHT + timedelta(hours=10)) == set()
    assert len(today) - len(let_go(today, now=NIGHT + timedelta(days=3))) == FEWEST


def test_a_backup_from_the_future_pushes_nothing_out_of_its_own_day() -> None:
    left, now = after(30)
    ahead = Kept("future", now + timedelta(days=1500), True)
    assert "future" not in let_go([*left, ahead], now=now)
    assert f"b{29}" not in let_go([*left, ahead], now=now)


def test_a_backup_is_old_after_its_time_and_proves_nothing_from_the_future() -> None:
    assert is_old(None, now=NIGHT, limit=CATCH_UP_AFTER)
    assert not is_old(NIGHT - timedelta(hours=24), now=NIGHT, limit=CATCH_UP_AFTER)
    assert is_old(NIGHT - timedelta(hours=24, seconds=1), now=NIGHT, limit=CATCH_UP_AFTER)
    assert is_old(NIGHT + timedelta(seconds=1), now=NIGHT, limit=CATCH_UP_AFTER)
