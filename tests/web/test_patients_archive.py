"""Out of the lists and back: archive, restore, delete, undo."""

from datetime import datetime
from typing import Any

import pytest

from cpms.patients import queries
from cpms.patients.models import Patient, PatientStatus
from tests.make import Make
from tests.pages import Person


def stored(make: Make, patient: Patient) -> Patient:
    with make.app.app_context():
        row = queries.patient(patient.id)
        assert row.status
        return row


def test_archiving_asks_for_a_reason(rita: Person, make: Make) -> None:
    patient = make.patient()
    answer = rita.htmx.post(f"/patients/{patient.id}/archive", target="dialog", reason="  ")
    assert answer.status_code == 422
    assert "Please give a reason." in answer.page.error("reason")
    assert stored(make, patient).status is PatientStatus.ACTIVE


def test_an_archived_patient_says_so_and_can_be_taken_back(rita: Person, make: Make, last_audit: Any) -> None:
    patient = make.patient()
    answer = rita.htmx.post(f"/patients/{patient.id}/archive", target="dialog", reason="moved away")
    assert answer.headers["HX-Redirect"] == f"/patients/{patient.id}"
    assert (last_audit().action, last_audit().reason) == ("patient.archive", "moved away")
    page = rita.get(f"/patients/{patient.id}")
    assert "is archived" in page.toast
    undo = page.page.one(".toast form")["action"]
    assert "Archived: not in the lists" in page.page.text
    rita.htmx.post(str(undo))
    assert stored(make, patient).status is PatientStatus.ACTIVE
    assert last_audit().action == "patient.restore"


def test_deleting_asks_and_can_be_undone(rita: Person, make: Make, last_audit: Any) -> None:
    patient = make.patient(last_name="Kaya")
    assert "Nothing is destroyed" in rita.htmx.get(f"/calendar/patients/{patient.id}/delete", target="dialog").page.text
    answer = rita.htmx.post(f"/calendar/patients/{patient.id}/delete", target="dialog")
    assert answer.headers["HX-Redirect"] == "/patients/"
    page = rita.get("/patients/")
    assert "Kaya" not in page.page.one("#patient-list").get_text()
    undo = str(page.page.one(".toast form")["action"])
    assert rita.htmx.post(undo).headers["HX-Redirect"] == f"/patients/{patient.id}"
    assert "Kaya" in rita.get("/patients/").page.one("#patient-list").get_text()
    assert last_audit().action == "patient.view" or last_audit().action == "patient.undelete"


def test_a_link_to_a_deleted_patient_says_so(rita: Person, hugo: Person, make: Make) -> None:
    patient = make.patient(last_name="Kaya", alert_text="Latex")
    rita.post(f"/calendar/patients/{patient.id}/delete")
    for url in (f"/patients/{patient.id}", f"/patients/{patient.id}/edit", f"/calendar/patients/{patient.id}/visits"):
        answer = rita.get(url)
        assert answer.status_code == 404
        assert "Kaya was deleted" in answer.page.text
        assert answer.page.one("main form")["action"] == f"/calendar/patients/{patient.id}/undelete"
        other = hugo.get(url)
        assert other.status_code == 404
        assert "Kaya" not in other.page.text
        assert not other.page.has("main form")


def test_nothing_is_stored_on_a_deleted_patient(rita: Person, make: Make) -> None:
    patient = make.patient()
    form = rita.get(f"/patients/{patient.id}/edit").page
    sent = {name: form.value(name) for name in ("first_name", "last_name", "date_of_birth", "sex", "seen")}
    rita.post(f"/calendar/patients/{patient.id}/delete")
    answer = rita.htmx.post(f"/patients/{patient.id}/edit", target="patient-form", **sent)
    assert answer.status_code == 404
    assert "This patient was deleted." in answer.toast


@pytest.mark.parametrize("verb", ["archive", "restore", "delete", "undelete"])
def test_who_may_not_archive_is_refused(hugo: Person, make: Make, verb: str) -> None:
    patient = make.patient()
    where = "/calendar" if "delete" in verb else ""
    assert hugo.post(f"{where}/patients/{patient.id}/{verb}", reason="x").status_code == 403
    row = stored(make, patient)
    assert (row.status, row.deleted_at) == (PatientStatus.ACTIVE, None)


@pytest.mark.parametrize("verb", ["restore", "undelete"])
def test_only_a_post_changes_anything(rita: Person, make: Make, verb: str) -> None:
    patient = make.patient()
    where = "/calendar" if "delete" in verb else ""
    assert rita.get(f"{where}/patients/{patient.id}/{verb}").status_code == 405


def test_the_menu_offers_what_the_person_may_do(rita: Person, hugo: Person, make: Make) -> None:
    patient = make.patient()
    assert rita.get(f"/patients/{patient.id}").page.has("#chart-menu")
    assert not hugo.get(f"/patients/{patient.id}").page.has("#chart-menu")


def test_archiving_says_what_is_booked_and_then_nothing_new_can_be(rita: Person, make: Make) -> None:
    patient = make.patient()
    url = f"/calendar/patients/{patient.id}/coming"
    assert "No visit is booked" in rita.get(url).page.text
    make.visit(patient=patient, start=datetime(2026, 9, 8, 10, 30))
    assert "1 visit is booked: Tue 8 Sep, 10:30" in rita.get(url).page.text
    make.visit(patient=patient, start=datetime(2026, 9, 9, 10, 30))
    assert "2 visits are booked, the next is Tue 8 Sep, 10:30" in rita.get(url).page.text
    assert "New appointment" in rita.get(f"/calendar/patients/{patient.id}/visits").page.text
    rita.htmx.post(f"/patients/{patient.id}/archive", target="dialog", reason="moved away")
    assert "New appointment" not in rita.get(f"/calendar/patients/{patient.id}/visits-panel").page.text
