"""The settings' index and the clinic's page."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from cpms.audit.models import AuditEntry
from cpms.settings import queries
from tests.pages import Person


def form_of(olga: Person) -> dict[str, Any]:
    page = olga.get("/settings/clinic").page
    names = ["clinic_name", "phone", "language", "time_zone", "idle_minutes", "address", "seen"]
    names += [f"{part}_{day}" for day in range(7) for part in ("opens", "closes")]
    ticked = {f"open_{day}": "y" for day in range(7) if page.one(f'[name="open_{day}"]').has_attr("checked")}
    return {name: page.value(name) for name in names} | ticked


@pytest.mark.parametrize(
    ("who", "words"),
    [
        (
            "olga",
            [
                *("Clinic", "Users", "Hours", "Chairs", "Appointment types", "Phrases of X-ray reports"),
                *("Backups", "Calendar feeds", "Audit log", "Trash", "Your profile"),
            ],
        ),
        ("rita", ["Hours", "Trash", "Your profile"]),
        ("ada", ["Hours", "Phrases of X-ray reports", "Trash", "Your profile"]),
    ],
)
def test_everybody_sees_the_settings_that_they_may_change(
    who: str, words: list[str], sign_in: Callable[[str], Person]
) -> None:
    page = sign_in(who).get("/settings/").page
    assert [link.get_text(strip=True) for link in page.all("main a.row-link")] == words


def test_olga_changes_the_opening_hours(olga: Person, app: Flask, last_audit: Callable[[], AuditEntry]) -> None:
    form = form_of(olga)
    assert "open_6" not in form
    form |= {
        "opens_0": "07:30",
        "open_6": "y",
        "opens_6": "10:00",
        "closes_6": "12:00",
        "address": "Main street 1\nTown",
    }
    del form["open_1"]
    answer = olga.post("/settings/clinic", **form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/")
    assert last_audit().action == "settings.change"
    with app.app_context():
        now = queries.current()
        assert f"{now.opening[0].opens:%H:%M}" == "07:30"
        assert now.opening[1] is None
        assert f"{now.opening[6].closes:%H:%M}" == "12:00"
        assert now.address == "Main street 1\nTown"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("clinic_name", " ", "Please give the clinic's name."),
        ("clinic_name", "x" * 101, "At most 100 characters"),
        ("time_zone", "Mars/Olympus", "Please choose from the list."),
        ("idle_minutes", "", "Please give a number of minutes."),
        ("idle_minutes", "soon", "Please give a whole number."),
        ("idle_minutes", "0", "Between 2 and 60 minutes"),
        ("idle_minutes", "1000", "Between 2 and 60 minutes"),
        ("phone", "0" * 41, "At most 40 characters"),
        ("opens_0", "", "From when on is the clinic open?"),
        ("opens_0", "25:00", "Please give a time as hours and minutes"),
        ("closes_0", "", "Until when is the clinic open?"),
        ("closes_0", "07:00", "The clinic closes after it opens."),
        ("closes_0", "08:00", "The clinic closes after it opens."),
    ],
)
def test_bad_input_is_kept_and_explained(
    olga: Person, last_audit: Callable[[], AuditEntry], field: str, value: str, words: str
) -> None:
    form, before = form_of(olga) | {field: value, "address": "typed"}, last_audit().id
    answer = olga.htmx.post("/settings/clinic", target="clinic-form", **form)
    assert answer.status_code == 422
    assert words in answer.page.error(field)
    if field != "time_zone":
        assert answer.page.value(field) == value.strip()
    assert answer.page.value("address") == "typed"
    assert last_audit().id == before


def test_a_closed_days_times_do_not_matter(olga: Person) -> None:
    form = form_of(olga) | {"opens_6": "", "closes_6": "nonsense"}
    assert olga.post("/settings/clinic", **form).status_code == 303


def test_the_second_of_two_editors_sees_both(olga: Person, app: Flask) -> None:
    old = form_of(olga)
    olga.post("/settings/clinic", **(old | {"phone": "030 1", "closes_0": "19:00"}))
    answer = olga.post("/settings/clinic", **(old | {"phone": "030 2"}))
    assert answer.status_code == 409
    assert answer.page.value("phone") == "030 2"
    assert "Saved now: 030 1" in answer.page.text
    assert "Saved now: 08:00–19:00" in answer.page.text
    again = old | {"phone": "030 2", "seen": answer.page.value("seen")}
    assert olga.post("/settings/clinic", **again).status_code == 303
    with app.app_context():
        assert queries.current().phone == "030 2"


@pytest.mark.parametrize("who", ["ada", "hugo", "rita"])
def test_the_clinics_page_is_the_owners(who: str, sign_in: Callable[[str], Person]) -> None:
    person = sign_in(who)
    assert person.get("/settings/clinic").status_code == 403
    assert person.post("/settings/clinic").status_code == 403


@pytest.mark.parametrize("unknown", ["setup_done", "is_demo", "opening", "key"])
def test_no_other_setting_is_taken(olga: Person, unknown: str) -> None:
    assert olga.post("/settings/clinic", **form_of(olga), **{unknown: "1"}).status_code == 400
