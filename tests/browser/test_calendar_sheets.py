"""The day on paper: one sheet, however full it is and whosever columns it has."""

import re
from datetime import date, datetime, time, timedelta

import pytest

from tests.browser.conftest import Screen
from tests.full_week import full_week
from tests.make import Make


@pytest.mark.parametrize(("chairs", "more"), [(2, 16), (4, 0), (5, 0)])
def test_a_full_day_is_one_sheet(screen: Screen, clinic: Make, monday: date, chairs: int, more: int) -> None:
    made = full_week(clinic, monday, chairs=chairs, days=1, visits=12) + more
    for number in range(more):
        start = datetime.combine(monday, time(6)) + timedelta(minutes=25 * number)
        patient = clinic.patient(last_name=f"Wittgenstein{number}", first_name="Maximiliane", alert_text="Latex")
        clinic.visit(start, minutes=25, patient=patient, overbook_reason="Full")
    assert made >= 40
    page = screen("rita")
    for by in ("chair", "provider"):
        page.goto(f"/calendar/print/day/{monday}?by={by}")
        assert page.locator(".paper :is(tbody tr, li:not(.soft))").count() == made
        paper = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1, by
