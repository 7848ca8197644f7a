"""Days as a desk says them in the search field."""

from datetime import date

import pytest

from cpms.web.actions import day_in_words

TODAY = date(2026, 9, 1)  # a Tuesday
WORDS = {
    "near": {"today": 0, "tomorrow": 1, "yesterday": -1},
    "weekdays": {"monday": 0, "tuesday": 1, "fri": 4},
    "months": {"february": 2, "march": 3, "may": 5, "december": 12, "eylul": 9},
}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("today", date(2026, 9, 1)),
        ("tomorrow", date(2026, 9, 2)),
        ("yesterday", date(2026, 8, 31)),
        ("tuesday", date(2026, 9, 1)),
        ("monday", date(2026, 9, 7)),
        ("fri", date(2026, 9, 4)),
        ("3 december", date(2026, 12, 3)),
        ("3 dec", date(2026, 12, 3)),
        ("december 3", date(2026, 12, 3)),
        ("dec 3 2027", date(2027, 12, 3)),
        ("3 eylul", date(2026, 9, 3)),
        ("3 may", date(2027, 5, 3)),
        ("29 february", date(2028, 2, 29)),
        ("31 february", None),
        ("29 february 2027", None),
        ("3 ma", None),
        ("3", None),
        ("december", None),
        ("3 december 10 00", None),
        ("", None),
    ],
)
def test_what_is_said_is_one_day_or_none(said: str, meant: date | None) -> None:
    assert day_in_words(said, TODAY, **WORDS) == meant
