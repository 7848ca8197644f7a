"""A full week on the wire and in statements."""

import gzip
from datetime import date

from tests.full_week import full_week
from tests.make import Make
from tests.pages import Person


def test_three_hundred_visits_are_sixteen_kilobytes_at_most(rita: Person, make: Make) -> None:
    monday = date(2026, 9, 7)
    assert full_week(make, monday) == 300
    answer = rita.htmx.get(f"/calendar/week/{monday}", target="week-grid")
    assert len(answer.page.all(".ev")) == 300
    assert len(gzip.compress(answer.html.encode(), 5)) <= 16_000


def test_a_full_week_takes_as_many_statements_as_an_empty_one(rita: Person, make: Make, statements: list[str]) -> None:
    monday = date(2026, 9, 7)
    rita.htmx.get(f"/calendar/week/{monday}", target="week-grid")
    empty = len(statements)
    full_week(make, monday)
    statements.clear()
    rita.htmx.get(f"/calendar/week/{monday}", target="week-grid")
    assert len(statements) == empty <= 6
