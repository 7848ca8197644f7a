"""A day or a week on paper."""

from datetime import timedelta

from cpms.calendar.models import Status
from cpms.core.db import transaction
from cpms.settings import services as settings
from tests.make import TUESDAY, Make
from tests.pages import Person


def test_a_printed_day_has_every_visit_with_all_its_words(rita: Person, make: Make) -> None:
    patient = make.patient(first_name="Maximiliane", last_name="Wittgensteinburg-Lauterbach", alert_text="Latex")
    make.visit(patient=patient, type_id=make.type("Filling").id, status=Status.CONFIRMED)
    make.visit(chair="Chair 2", provider="hugo")
    make.block(TUESDAY + timedelta(hours=2))
    page = rita.get("/calendar/print/day/2026-09-01").page
    assert len(page.all("tbody tr")) == 3
    first = page.all("tbody tr")[0].get_text(" ", strip=True)
    assert first == "10:00–10:30 Wittgensteinburg-Lauterbach, Maximiliane Alert: Latex Filling Dr Ada Dent confirmed"
    assert page.all("tbody tr")[1].get_text(" ", strip=True) == "12:00–12:30 Lunch", "a block has no status"
    assert [each.get_text() for each in page.all("h2")] == ["Chair 1", "Chair 2"]
    assert "Tuesday 1 September 2026" in page.text and "Printed Tue 1 Sep, 09:00" in page.text


def test_the_letterhead_says_whose_paper_it_is(rita: Person, make: Make) -> None:
    with make.app.app_context(), transaction("test.settings", actor=None):
        settings.change_settings(address="Main street 5", phone="030 123")
    for address in ("/calendar/print/day/2026-09-01", "/calendar/week/2026-09-01"):
        words = rita.get(address).page.one(".letterhead").get_text(" ", strip=True)
        assert all(each in words for each in ("Test Dental", "Main street 5", "030 123")), address


def test_a_printed_week_shows_what_the_screen_shows(rita: Person, make: Make) -> None:
    make.visit()
    make.visit(chair="Chair 2", provider="hugo")
    make.visit(TUESDAY + timedelta(days=2), status=Status.CANCELLED)
    link = str(rita.get(f"/calendar/week/2026-09-01?provider={make.user('hugo').id}").page.one("#cal-print")["href"])
    assert len(rita.get(link).page.all(".paper-week strong.num")) == 1
    assert len(rita.get("/calendar/print/week/2026-09-01").page.all(".paper-week strong.num")) == 2
    assert len(rita.get("/calendar/print/week/2026-09-01").page.all(".paper-week thead th")) == 6
    assert rita.get("/calendar/print/month/2026-09-01").status_code == 404
    assert rita.get("/calendar/print/day/2026-02-30").status_code == 404
