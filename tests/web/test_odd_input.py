"""What no screen sends still gets an answer in words, and never an error of ours."""

import pytest

from tests.make import Make
from tests.pages import Person

HUGE = "9" * 30
ENDLESS = "9" * 5000


@pytest.mark.parametrize(
    "address",
    [
        f"/patients/{HUGE}",
        f"/patients/{HUGE}/medical",
        f"/calendar/events/{HUGE}",
        f"/calendar/patients/{HUGE}/next",
        f"/auth/users/{HUGE}",
        f"/calendar/types/{HUGE}",
        "/patients/?page=" + HUGE,
        "/patients/?page=-1",
        "/patients/?q=%00%ff%22",
        "/patients/?q=" + "a" * 3000,
        "/patients/find?q=%22%20OR%201",
        f"/calendar/week/2026-09-01?chair={HUGE}&provider=x",
        "/calendar/week/0001-01-01",
        "/calendar/week/9999-12-31",
        f"/calendar/visits-of?ids={HUGE},x,,{ENDLESS}",
        f"/calendar/events/new?patient={HUGE}&minutes={HUGE}&chair={ENDLESS}",
        "/calendar/events/new?start=9999-12-31T23:59",
        "/calendar/events/new?start=0001-01-01T00:00:01",
        "/calendar/go?day=%00&view=%22",
    ],
)
def test_odd_addresses(olga: Person, address: str) -> None:
    assert olga.get(address).status_code < 500


@pytest.mark.parametrize("number", [HUGE, ENDLESS, "-1", "1e9", "٣", "0x10", "\x00"])
def test_odd_numbers_in_forms(olga: Person, make: Make, number: str) -> None:
    visit, patient, chair = make.visit(), make.patient(), make.chair("Chair 1")
    for address, form in (
        ("/calendar/events/move", {"event": number, "version": 1, "start": "2026-09-01T11:00", "minutes": 30}),
        (
            "/calendar/events/move",
            {"event": visit.id, "version": number, "start": "2026-09-01T11:00", "minutes": number},
        ),
        (f"/calendar/events/{visit.id}/edit", {"version": number, "minutes": number, "patient_id": number}),
        (f"/calendar/events/{visit.id}/delete", {"version": number}),
        (f"/calendar/events/{visit.id}/status", {"version": number, "status": "arrived"}),
        (f"/patients/{patient.id}/edit", {"version": number}),
        (f"/calendar/chairs/{chair.id}", {"version": number, "name": "x"}),
        (f"/calendar/chairs/{chair.id}/use", {"version": number}),
        ("/settings/clinic", {"idle_minutes": number, "clinic_name": "x"}),
    ):
        assert olga.post(address, **form).status_code < 500, (address, form)


@pytest.mark.parametrize("moment", ["10:00+02:00", "10:00Z", "25:00", "10:00:61", "ten"])
def test_a_time_with_a_zone_is_no_time_of_the_wall_clock(olga: Person, moment: str) -> None:
    answer = olga.htmx.post(
        "/calendar/events", target="dialog", kind="visit", start_time=moment, day="2026-09-01", minutes=30
    )
    assert answer.status_code == 422 and "hours and minutes" in answer.page.error("start_time")


@pytest.mark.parametrize("origin", ["http://[", "https://localhost", "http://localhost:1", "file://", ""])
def test_an_odd_origin_is_a_foreign_one(rita: Person, make: Make, origin: str) -> None:
    visit = make.visit()
    answer = rita.post(f"/calendar/events/{visit.id}/delete", headers={"Origin": origin}, version=visit.row_version)
    assert answer.status_code == 400
