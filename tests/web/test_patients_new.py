"""A new patient at the desk."""

from datetime import date
from typing import Any

import pytest

from cpms.core.db import db
from cpms.patients import queries
from tests.make import Make
from tests.pages import Answer, Person

SELMA = {"first_name": "Selma", "last_name": "Yıldız", "date_of_birth": "2.3.1985", "mobile_phone": "0532 123 45 67"}


def many(make: Make) -> int:
    with make.app.app_context():
        found = queries.listing().total
        db.session.remove()
        return found


def send(person: Person, **changes: Any) -> Answer:
    return person.htmx.post("/patients/new", target="dialog", **(SELMA | changes))


def test_rita_registers_a_patient(rita: Person, make: Make, last_audit: Any) -> None:
    answer = send(rita, sex="female")
    assert answer.status_code == 200
    assert answer.headers["HX-Redirect"] == "/patients/1"
    page = rita.get("/patients/1")
    assert "Selma Yıldız is saved with chart number 1." in page.toast
    assert "2 March 1985" in page.page.text
    assert last_audit().action == "patient.view"


def test_registering_is_recorded(rita: Person, last_audit: Any) -> None:
    send(rita)
    entry = last_audit()
    assert (entry.action, entry.actor_id) == ("patient.create", rita.id)


def test_without_htmx_it_works_too(rita: Person) -> None:
    answer = rita.post("/patients/new", **SELMA)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/patients/1"


def test_the_dialog_is_also_a_page(rita: Person) -> None:
    assert rita.get("/patients/new").page.one("main .sheet form")
    fragment = rita.htmx.get("/patients/new", target="dialog").page
    assert fragment.one(".sheet form")
    assert not fragment.has("main")


def test_what_was_searched_for_is_filled_in(rita: Person) -> None:
    answer = rita.htmx.get("/patients/find", target="search-results", q="Ayşe Nur Kaya")
    url = next(str(each["hx-get"]) for each in answer.page.all("[hx-get]") if "/patients/new" in str(each["hx-get"]))
    page = rita.htmx.get(url, target="dialog").page
    assert (page.value("first_name"), page.value("last_name")) == ("Ayşe Nur", "Kaya")


BAD = [
    ("first_name", "", "Please give the first name."),
    ("first_name", " \t\u200b ", "Please give the first name."),
    ("first_name", "x" * 101, "At most 100 characters"),
    ("last_name", "", "Please give the last name"),
    ("date_of_birth", "", "Please give the date of birth."),
    ("date_of_birth", "yesterday", "Please give a date that exists"),
    ("date_of_birth", "31.2.1985", "Please give a date that exists"),
    ("date_of_birth", "2.3.85", "four digits"),
    ("date_of_birth", "2.9.2026", "in the future"),
    ("date_of_birth", "1.9.1895", "older than 130"),
    ("mobile_phone", "call me", "digits"),
    ("mobile_phone", "0" * 41, "At most 40 characters"),
    ("home_phone", "0532 home", "digits"),
    ("sex", "robot", "choose from the list"),
]


@pytest.mark.parametrize(("field", "typed", "sentence"), BAD)
def test_bad_input_is_told_beside_its_field_and_kept(
    rita: Person, make: Make, field: str, typed: str, sentence: str
) -> None:
    answer = send(rita, **{field: typed})
    assert answer.status_code == 422
    assert sentence in answer.page.error(field)
    for name, value in SELMA.items():
        if name != field:
            assert answer.page.value(name) == value
    if field not in {"sex", "first_name"}:
        assert answer.page.value(field) == typed
    assert many(make) == 0


@pytest.mark.parametrize(
    ("field", "typed", "stored"),
    [
        ("first_name", "  Anna   Lena ", "Anna Lena"),
        ("first_name", "An\x00na\x07", "Anna"),
        ("first_name", "Zoë 😀", "Zoë 😀"),
        ("first_name", "<b>Bo</b>", "<b>Bo</b>"),
        ("last_name", "—", "—"),
        ("last_name", "x" * 100, "x" * 100),
        ("date_of_birth", "29.2.2000", date(2000, 2, 29)),
        ("date_of_birth", "1.9.2026", date(2026, 9, 1)),
        ("date_of_birth", "2.9.1895", date(1895, 9, 2)),
        ("date_of_birth", "1985-03-02", date(1985, 3, 2)),
        ("mobile_phone", "0532 123 ext 12", "0532 123 ext 12"),
    ],
)
def test_good_input_is_stored_as_typed(rita: Person, make: Make, field: str, typed: str, stored: Any) -> None:
    assert send(rita, **{field: typed}).status_code == 200
    with make.app.app_context():
        assert getattr(queries.patient(1), field) == stored


def test_somebody_like_this_is_shown_before_anything_is_stored(rita: Person, make: Make) -> None:
    first = make.patient(first_name="SELMA", last_name="Yildiz", date_of_birth=date(1985, 3, 2))
    answer = send(rita)
    assert answer.status_code == 422
    assert answer.page.one(f'a[href="/patients/{first.id}"]').get_text() == "SELMA Yildiz"
    assert "look whether it is the same person" in answer.page.error("different_person")
    assert answer.page.value("mobile_phone") == SELMA["mobile_phone"]
    assert many(make) == 1


def test_the_tick_registers_a_different_person(rita: Person, make: Make) -> None:
    make.patient(first_name="Selma", last_name="Yıldız", date_of_birth=date(1985, 3, 2))
    shown = send(rita).page.value("shown_ids")
    assert send(rita, shown_ids=shown, different_person="y").status_code == 200
    assert many(make) == 2


def test_a_tick_counts_only_for_those_who_were_shown(rita: Person, make: Make) -> None:
    make.patient(first_name="Selma", last_name="Yıldız", date_of_birth=date(1985, 3, 2))
    assert send(rita, different_person="y").status_code == 422
    assert send(rita, different_person="y", shown_ids="x,99,").status_code == 422
    assert many(make) == 1


def test_a_double_tap_registers_once(rita: Person, make: Make) -> None:
    assert send(rita).status_code == 200
    again = send(rita)
    assert again.status_code == 422
    assert "Selma Yıldız" in again.page.one(".alert").get_text()
    assert many(make) == 1


def test_a_double_tap_with_the_tick_registers_once(rita: Person, make: Make) -> None:
    make.patient(first_name="Selma", last_name="Yıldız", date_of_birth=date(1985, 3, 2))
    shown = send(rita).page.value("shown_ids")
    assert send(rita, shown_ids=shown, different_person="y").status_code == 200
    assert send(rita, shown_ids=shown, different_person="y").status_code == 422
    assert many(make) == 2


def test_a_field_that_is_not_asked_for_is_refused(rita: Person, make: Make) -> None:
    for name in ("chart_no", "medical_history", "status", "id", "deleted_at", "search_text"):
        assert send(rita, **{name: "1"}).status_code == 400
    assert many(make) == 0
