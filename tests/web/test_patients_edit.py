"""The chart, its details and its medical text; two people at one form."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from cpms.core import clock
from cpms.patients import queries
from cpms.patients.models import Patient
from cpms.patients.services import DEMOGRAPHIC, MEDICAL
from cpms.settings import services as settings
from tests.make import TUESDAY, Make
from tests.pages import Answer, Page, Person

SECRET = "ZZ-medical-secret"


def filled(page: Page, names: tuple[str, ...]) -> dict[str, str]:
    """The form as a browser would send it back."""
    return {name: page.value(name) for name in (*names, "seen")}


def open_details(person: Person, patient: Patient) -> dict[str, str]:
    return filled(person.get(f"/patients/{patient.id}/edit").page, DEMOGRAPHIC)


def send(person: Person, patient: Patient, form: dict[str, str], **changes: Any) -> Answer:
    return person.htmx.post(f"/patients/{patient.id}/edit", target="patient-form", **(form | changes))


def stored(make: Make, patient: Patient) -> Patient:
    with make.app.app_context():
        row = queries.patient(patient.id)
        assert [getattr(row, name) for name in (*DEMOGRAPHIC, *MEDICAL)]
        return row


# --- the chart ------------------------------------------------------------------------------------------------------


def test_the_chart_says_who_it_is_and_what_can_hurt(rita: Person, make: Make) -> None:
    patient = make.patient(
        first_name="Selma",
        last_name="Yıldız",
        sex="female",
        mobile_phone="+90 532 123",
        alert_text="Latex",
        notes="Shy",
    )
    page = rita.get(f"/patients/{patient.id}").page
    head = page.one(".chart-head").get_text(" ", strip=True)
    assert all(words in head for words in ("Selma Yıldız", "41 y, female", "Chart 1", "+90 532 123", "Latex"))
    assert page.one(".chart-head a[href^='tel:']")["href"] == "tel:+90532123"
    assert "Shy" in page.text


def test_opening_a_chart_leaves_a_trace(rita: Person, make: Make, last_audit: Any) -> None:
    patient = make.patient()
    for url, action in ((f"/patients/{patient.id}", "patient.view"), (f"/patients/{patient.id}/edit", "patient.view")):
        before = last_audit().id
        rita.get(url)
        entry = last_audit()
        assert entry.id == before + 1
        assert (entry.action, entry.actor_id, entry.patient_id) == (action, rita.id, patient.id)


def test_opening_the_medical_text_leaves_a_trace(ada: Person, make: Make, last_audit: Any) -> None:
    patient = make.patient()
    for url in (f"/patients/{patient.id}/medical", f"/patients/{patient.id}/medical/edit"):
        before = last_audit().id
        ada.get(url)
        assert (last_audit().id, last_audit().action) == (before + 1, "patient.view_medical")


def test_the_visits_come_from_the_calendar(rita: Person, make: Make) -> None:
    patient = make.patient()
    make.visit(TUESDAY, patient=patient)
    page = rita.get(f"/patients/{patient.id}").page
    for place, words in (("#next-visit", "Tue 1 Sep, 10:00"), ("#visits-panel", "Tue 1 Sep, 10:00")):
        answer = rita.htmx.get(str(page.one(place)["hx-get"]), target=place[1:])
        assert words in answer.page.one(place).get_text(" ", strip=True)


def test_the_tab_of_visits_stands_in_the_chart(ada: Person, make: Make) -> None:
    patient = make.patient(alert_text="Latex", medical_history="asthma")
    page = ada.get(f"/calendar/patients/{patient.id}/visits").page
    assert page.one(".tabs [aria-current]").get_text() == "Visits"
    assert "Latex" in page.one(".chart-head").get_text()
    assert "not asked" not in page.text


def test_a_chart_costs_few_statements(ada: Person, make: Make, statements: list[str]) -> None:
    patient = make.patient(notes="line\n" * 100)
    counts = []
    for many in (1, 12):
        for number in range(many):
            make.visit(TUESDAY.replace(day=2 + number, hour=9 + many % 5), patient=patient)
        statements.clear()
        ada.get(f"/patients/{patient.id}")
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 6, statements


def test_there_is_no_such_patient(rita: Person) -> None:
    for url in ("/patients/99", "/patients/99/edit", "/patients/99/archive", "/calendar/patients/99/delete"):
        assert rita.get(url).status_code == 404
    assert rita.post("/calendar/patients/99/undelete").status_code == 404


# --- the details ----------------------------------------------------------------------------------------------------


def test_rita_changes_the_details(rita: Person, make: Make, last_audit: Any) -> None:
    patient = make.patient()
    form = open_details(rita, patient)
    answer = send(rita, patient, form, email="selma@example.org", notes="one\r\ntwo 😀", sex="female")
    assert answer.headers["HX-Redirect"] == f"/patients/{patient.id}"
    row = stored(make, patient)
    assert (row.email, row.notes, row.sex) == ("selma@example.org", "one\ntwo 😀", "female")
    assert (last_audit().action, last_audit().actor_id) == ("patient.update", rita.id)


def test_without_htmx_it_works_too(rita: Person, make: Make) -> None:
    patient = make.patient()
    answer = rita.post(f"/patients/{patient.id}/edit", **(open_details(rita, patient) | {"email": "a@b.org"}))
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/patients/{patient.id}")
    assert stored(make, patient).email == "a@b.org"


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("first_name", "", "Please give the first name."),
        ("date_of_birth", "3.2.", "Please give a date that exists"),
        ("home_phone", "none", "digits"),
        ("email", "selma", "e-mail address"),
        ("email", "@example.org", "e-mail address"),
        ("email", "a b@example.org", "e-mail address"),
        ("alert_text", "x" * 301, "At most 300 characters"),
        ("notes", "x" * 20_001, "At most 20000 characters"),
    ],
)
def test_bad_input_is_told_beside_its_field_and_kept(
    rita: Person, make: Make, field: str, typed: str, sentence: str
) -> None:
    patient = make.patient(email="old@example.org")
    answer = send(rita, patient, open_details(rita, patient), **{"address": "typed too", field: typed})
    assert answer.status_code == 422
    assert sentence in answer.page.error(field)
    assert answer.page.value(field) == typed
    assert answer.page.value("address") == "typed too"
    assert stored(make, patient).email == "old@example.org"
    assert stored(make, patient).address == ""


def test_twenty_thousand_characters_of_notes_are_kept(rita: Person, make: Make) -> None:
    patient = make.patient()
    long = ("çğ😀 " * 5000).strip()
    assert send(rita, patient, open_details(rita, patient), notes=long).status_code == 200
    assert stored(make, patient).notes == long


@pytest.mark.parametrize("zone", ["Europe/Istanbul", "America/New_York"])
@pytest.mark.parametrize("hour", [0, 12, 23])
def test_a_date_of_birth_stays_the_same_in_every_zone(
    sign_in: Callable[[str], Person], make: Make, zone: str, hour: int
) -> None:
    with make.writing():
        settings.change_settings(time_zone=zone)
    patient = make.patient()
    with clock.freeze(datetime.fromisoformat(f"2026-09-01T{hour:02}:30:00+00:00")):
        rita = sign_in("rita")
        send(rita, patient, open_details(rita, patient), date_of_birth="01.03.2000")
        assert stored(make, patient).date_of_birth == date(2000, 3, 1)
        assert rita.get(f"/patients/{patient.id}/edit").page.value("date_of_birth") == "01.03.2000"
        assert "1 March 2000" in rita.get(f"/patients/{patient.id}").page.text


# --- two editors ----------------------------------------------------------------------------------------------------


def test_the_second_editor_sees_both_and_loses_nothing(rita: Person, olga: Person, make: Make) -> None:
    patient = make.patient(notes="old", email="old@example.org")
    first, second = open_details(olga, patient), open_details(rita, patient)
    send(olga, patient, first, notes="from olga", mobile_phone="0532 1")

    answer = send(rita, patient, second, notes="from rita", email="rita@example.org")

    assert answer.status_code == 409
    assert answer.page.value("notes") == "from rita"
    assert answer.page.value("email") == "rita@example.org"
    assert answer.page.value("mobile_phone") == "0532 1"
    assert "Saved now: from olga" in answer.page.one("#notes-hint").get_text()
    assert "Somebody else changed this meanwhile." in answer.page.error("notes")
    assert "this is what is saved now" in answer.page.one("#mobile_phone-hint").get_text()
    assert "Somebody else changed this patient" in answer.page.one('[role="alert"]').get_text()
    assert stored(make, patient).notes == "from olga"

    again = send(rita, patient, filled(answer.page, DEMOGRAPHIC))

    assert again.status_code == 200
    row = stored(make, patient)
    assert (row.notes, row.email, row.mobile_phone) == ("from rita", "rita@example.org", "0532 1")


def test_a_third_editor_is_met_again(rita: Person, olga: Person, make: Make) -> None:
    patient = make.patient(notes="old")
    mine = open_details(rita, patient)
    send(olga, patient, open_details(olga, patient), notes="first")
    answer = send(rita, patient, mine, notes="mine")
    send(olga, patient, open_details(olga, patient), notes="second")
    assert send(rita, patient, filled(answer.page, DEMOGRAPHIC)).status_code == 409
    assert stored(make, patient).notes == "second"


def test_two_who_type_the_same_do_not_disagree(rita: Person, olga: Person, make: Make) -> None:
    patient = make.patient(notes="old")
    first, second = open_details(olga, patient), open_details(rita, patient)
    send(olga, patient, first, notes="same")
    answer = send(rita, patient, second, notes="same")
    assert "this is what is saved now" in answer.page.one("#notes-hint").get_text()
    assert send(rita, patient, filled(answer.page, DEMOGRAPHIC)).status_code == 200


def test_the_dentist_and_the_desk_do_not_disturb_each_other(rita: Person, ada: Person, make: Make) -> None:
    patient = make.patient()
    details = open_details(rita, patient)
    medical = filled(ada.get(f"/patients/{patient.id}/medical/edit").page, MEDICAL)
    assert send(rita, patient, details, notes="desk").status_code == 200
    url = f"/patients/{patient.id}/medical/edit"
    answer = ada.htmx.post(url, target="medical-form", **(medical | {"medical_history": "asthma"}))
    assert answer.status_code == 200
    row = stored(make, patient)
    assert (row.notes, row.medical_history) == ("desk", "asthma")


def test_a_field_that_was_not_sent_is_left_alone(rita: Person, make: Make) -> None:
    patient = make.patient(notes="keep", email="keep@example.org")
    form = open_details(rita, patient)
    del form["notes"], form["email"]
    assert send(rita, patient, form, address="new").status_code == 200
    row = stored(make, patient)
    assert (row.notes, row.email, row.address) == ("keep", "keep@example.org", "new")


@pytest.mark.parametrize("seen", ["", "1", "x.y", "1.2.3"])
def test_a_form_that_does_not_say_what_it_was_made_from_is_refused(rita: Person, make: Make, seen: str) -> None:
    patient = make.patient()
    assert send(rita, patient, open_details(rita, patient), seen=seen).status_code == 400


# --- the medical text -----------------------------------------------------------------------------------------------


def test_ada_writes_the_medical_text(ada: Person, make: Make, last_audit: Any) -> None:
    patient = make.patient()
    url = f"/patients/{patient.id}/medical/edit"
    form = filled(ada.get(url).page, MEDICAL)
    answer = ada.htmx.post(url, target="medical-form", **(form | {"medical_history": "asthma\n<b>severe</b>"}))
    assert answer.headers["HX-Redirect"] == f"/patients/{patient.id}/medical"
    assert last_audit().action == "patient.update_medical"
    page = ada.get(f"/patients/{patient.id}/medical").page
    assert "<b>severe</b>" in page.text
    assert not page.has("main b")


def test_the_second_who_writes_the_medical_text_sees_both(ada: Person, hugo: Person, make: Make) -> None:
    patient = make.patient()
    url = f"/patients/{patient.id}/medical/edit"
    first, second = filled(ada.get(url).page, MEDICAL), filled(hugo.get(url).page, MEDICAL)
    ada.htmx.post(url, target="medical-form", **(first | {"medical_history": "asthma"}))
    answer = hugo.htmx.post(url, target="medical-form", **(second | {"medical_history": "diabetes"}))
    assert answer.status_code == 409
    assert answer.page.value("medical_history") == "diabetes"
    assert "Saved now: asthma" in answer.page.one("#medical_history-hint").get_text()


def test_a_medical_text_that_is_too_long_is_kept_in_the_form(ada: Person, make: Make) -> None:
    patient = make.patient()
    url = f"/patients/{patient.id}/medical/edit"
    form = filled(ada.get(url).page, MEDICAL)
    answer = ada.htmx.post(url, target="medical-form", **(form | {"surgery_history": "x" * 20_001}))
    assert answer.status_code == 422
    assert len(answer.page.value("surgery_history")) == 20_001
    assert stored(make, patient).surgery_history == ""


def test_nobody_asked_yet_is_amber_and_says_so(ada: Person, make: Make) -> None:
    patient = make.patient()
    for url in (
        f"/patients/{patient.id}",
        f"/patients/{patient.id}/medical",
        f"/calendar/patients/{patient.id}/visits",
    ):
        page = ada.get(url).page
        assert "Medical history not asked yet" in page.one(".alert-strip.unasked").get_text()
        assert not page.has(".alert-strip.ok, .badge.ok")


def test_something_written_takes_the_amber_away(ada: Person, make: Make) -> None:
    patient = make.patient(medical_history="nothing to report")
    assert "not asked" not in ada.get(f"/patients/{patient.id}").page.text


def test_the_desk_receives_no_medical_text(rita: Person, make: Make) -> None:
    patient = make.patient(alert_text="Latex", **dict.fromkeys(MEDICAL, SECRET))
    for url in (
        "/patients/",
        "/patients/find?q=sel",
        f"/patients/{patient.id}",
        f"/patients/{patient.id}/edit",
        f"/patients/{patient.id}/archive",
        f"/calendar/patients/{patient.id}/visits",
    ):
        for answer in (rita.get(url), rita.htmx.get(url)):
            assert SECRET not in answer.html
            assert "Medical history" not in answer.html
    for url in (f"/patients/{patient.id}/medical", f"/patients/{patient.id}/medical/edit"):
        answer = rita.get(url)
        assert answer.status_code == 403
        assert SECRET not in answer.html


def test_the_desk_is_not_told_whether_anything_was_asked(rita: Person, make: Make) -> None:
    patient = make.patient()
    assert "not asked" not in rita.get(f"/patients/{patient.id}").page.text


@pytest.mark.parametrize("name", MEDICAL)
def test_the_desk_stores_no_medical_text(rita: Person, make: Make, name: str) -> None:
    patient = make.patient()
    form = open_details(rita, patient)
    assert send(rita, patient, form, notes="with it", **{name: "sneaked in"}).status_code == 400
    seen = form["seen"].split(".")[:6]
    answer = rita.post(f"/patients/{patient.id}/medical/edit", seen=".".join(seen), **{name: "sneaked in"})
    assert answer.status_code == 403
    row = stored(make, patient)
    assert (getattr(row, name), row.notes) == ("", "")


@pytest.mark.parametrize(
    "name", ["id", "chart_no", "status", "row_version", "deleted_at", "created_at", "search_text", "name_key"]
)
def test_no_other_column_can_be_set(olga: Person, make: Make, name: str) -> None:
    patient = make.patient()
    assert send(olga, patient, open_details(olga, patient), **{name: "7"}).status_code == 400
    assert stored(make, patient).chart_no == 1


def test_an_allergy_in_the_text_alone_is_asked_about(ada: Person, make: Make) -> None:
    """It would turn nothing red: only the alert stands on every page."""
    patient = make.patient()
    url = f"/patients/{patient.id}/medical/edit"
    form = filled(ada.get(url).page, MEDICAL) | {"any_medical_problems": "penicillin allergy", "alert_text": ""}
    answer = ada.htmx.post(url, target="medical-form", **form)
    assert answer.status_code == 422
    assert "everybody must see" in answer.page.one("#alert_text-error").get_text()
    assert answer.page.value("any_medical_problems") == "penicillin allergy"
    assert stored(make, patient).any_medical_problems == ""
    assert ada.htmx.post(url, target="medical-form", **(form | {"alert_text": "Penicillin!"})).status_code == 200
    assert "Penicillin!" in ada.get(f"/patients/{patient.id}").page.one(".alert-strip").get_text()


def test_text_without_danger_is_saved_with_one_tick(ada: Person, make: Make) -> None:
    patient = make.patient()
    url = f"/patients/{patient.id}/medical/edit"
    form = filled(ada.get(url).page, MEDICAL) | {"any_medical_problems": "none", "nothing_to_warn_of": "y"}
    assert ada.htmx.post(url, target="medical-form", **form).status_code == 200
    assert stored(make, patient).any_medical_problems == "none"
    again = filled(ada.get(url).page, MEDICAL) | {"surgery_history": "wisdom teeth"}
    assert ada.htmx.post(url, target="medical-form", **again).status_code == 200, "not asked about what is not new"


def test_what_was_saved_is_said(rita: Person, make: Make) -> None:
    patient = make.patient()
    send(rita, patient, open_details(rita, patient), mobile_phone="0151 1", notes="calls back")
    assert "Saved: Mobile phone, Notes." in rita.get(f"/patients/{patient.id}").toast


def test_a_conflict_marks_the_fields_and_shows_the_new_phone_above(rita: Person, olga: Person, make: Make) -> None:
    patient = make.patient(mobile_phone="0151 1")
    mine = open_details(rita, patient)
    send(olga, patient, open_details(olga, patient), mobile_phone="0151 2")
    answer = send(rita, patient, mine, mobile_phone="0151 3")
    assert answer.status_code == 409
    assert "changed" in answer.page.one("#mobile_phone").classes
    assert "0151 2" in answer.page.one("#chart-head").get_text()
