"""Whatever can be put back is put back from its toast and from the history, under the rules of any other change."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask

from cpms.audit import queries
from cpms.audit.models import AuditEntry
from cpms.auth import queries as auth
from cpms.calendar import queries as calendar
from cpms.calendar.models import Event
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.permissions import Role
from cpms.patients import queries as patients
from cpms.settings import queries as settings
from cpms.settings import services as setting_services
from cpms.xrays import queries as xrays
from cpms.xrays import services as xray_services
from tests import pictures
from tests.conftest import NOW
from tests.make import Make
from tests.pages import Answer, Person
from tests.web.test_auth_users import form_of as user_form
from tests.web.test_patients_edit import open_details, send
from tests.web.test_settings_clinic import form_of as clinic_form

LastAudit = Callable[[], AuditEntry]
SignIn = Callable[[str], Person]


def undo(person: Person, entry_id: int) -> Answer:
    return person.htmx.post(f"/audit/entries/{entry_id}/undo")


def change_clinic(person: Person, **changes: str) -> Answer:
    return person.post("/settings/clinic", **clinic_form(person) | changes)


def change_user(person: Person, user_id: int, **changes: str) -> Answer:
    return person.post(f"/auth/users/{user_id}", **user_form(person, user_id) | changes)


def toast_undo(person: Person, url: str) -> str:
    return str(person.get(url).page.one(".toast form")["hx-post"])


def test_a_setting_is_taken_back_from_its_toast(olga: Person, app: Flask, last_audit: LastAudit) -> None:
    assert change_clinic(olga, clinic_name="Wrong", phone="030 9").status_code == 303
    answer = olga.htmx.post(toast_undo(olga, "/settings/"))
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (200, "true")
    assert last_audit().action == "entry.undo"
    with app.app_context():
        wishes = settings.current()
        assert (wishes.clinic_name, wishes.phone) == ("Test Dental", "")


def test_opening_hours_are_told_by_day_and_taken_back(olga: Person, app: Flask, last_audit: LastAudit) -> None:
    change_clinic(olga, opens_0="09:30", phone="030 1")
    entry = last_audit()
    text = olga.get("/audit/?what=settings").page.text
    assert "Opening hours, Monday: 08:00–18:00 → 09:30–18:00" in text
    assert "Phone: nothing → 030 1" in text
    assert "Tuesday" not in text
    assert undo(olga, entry.id).status_code == 200
    with app.app_context():
        assert settings.current().opening[0].opens.hour == 8  # type: ignore[union-attr]


def test_what_locks_the_backups_is_not_taken_back(olga: Person, app: Flask) -> None:
    with app.app_context(), transaction("settings.change", actor=None) as write:
        setting_services.change_settings(backup_key="age1abc")
    answer = undo(olga, write.entry_id or 0)
    assert (answer.status_code, answer.toast) == (422, "This cannot be taken back.")
    text = olga.get("/audit/?what=settings").page
    assert "Encryption of the backups: none → with the clinic's passphrase" in text.text
    assert "age1abc" not in text.html


def test_a_user_s_change_is_taken_back_and_the_role_ends_the_sessions(
    olga: Person, rita: Person, make: Make, app: Flask, last_audit: LastAudit
) -> None:
    ada = make.user("ada")
    change_user(olga, ada.id, display_name="Dr Ada Wrong", role="hygienist", color="#dc2626")
    url = toast_undo(olga, "/auth/users")
    text = olga.get(f"/audit/users/{ada.id}").page.text
    assert "Name: Dr Ada Dent → Dr Ada Wrong" in text
    assert "Role: Dentist → Hygienist" in text
    assert "Colour: teal → red" in text
    entry = last_audit()
    assert undo(rita, entry.id).status_code == 403
    assert olga.htmx.post(url).status_code == 200
    with app.app_context():
        row = auth.user(ada.id)
        assert (row.display_name, row.role, row.color) == ("Dr Ada Dent", Role.DENTIST, "#0f766e")


def test_one_s_own_profile_is_one_s_own_to_take_back(rita: Person, hugo: Person, app: Flask) -> None:
    page = rita.get("/auth/profile").page
    rita.post("/auth/profile", display_name="Rita Wrong", email=page.value("email"), version=page.value("version"))
    url = toast_undo(rita, "/auth/profile")
    assert hugo.htmx.post(url).status_code == 403
    assert rita.htmx.post(url).status_code == 200
    with app.app_context():
        assert auth.user(rita.id or 0).display_name == "Rita Desk"


def test_a_password_is_never_put_back(olga: Person, make: Make, app: Flask, last_audit: LastAudit) -> None:
    ada = make.user("ada")
    olga.htmx.post(f"/auth/users/{ada.id}/reset-password", target="dialog")
    entry = last_audit()
    assert entry.action == "user.reset_password"
    page = olga.get(f"/audit/users/{ada.id}").page
    assert not page.has(f"form[action='/audit/entries/{entry.id}/undo']")
    assert "Password: ••• → •••" in page.text
    assert "argon2" not in page.html
    assert undo(olga, entry.id).status_code == 422


def test_the_last_owner_stays_an_owner(
    olga: Person, make: Make, sign_in: SignIn, app: Flask, last_audit: LastAudit
) -> None:
    ada = make.user("ada")
    change_user(olga, ada.id, role="owner")
    made_owner = last_audit().id
    in_charge = sign_in("ada")
    in_charge.post(f"/auth/users/{olga.id}/deactivate")
    answer = undo(in_charge, made_owner)
    assert answer.status_code == 422
    assert "Dr Ada Dent is the only owner" in answer.toast
    with app.app_context():
        assert auth.user(ada.id).role is Role.OWNER


def test_letting_somebody_in_again_is_taken_back_and_ends_their_sessions(
    olga: Person, make: Make, sign_in: SignIn, last_audit: LastAudit
) -> None:
    ada = make.user("ada")
    olga.post(f"/auth/users/{ada.id}/deactivate")
    olga.post(f"/auth/users/{ada.id}/reactivate")
    entry, back = last_audit(), sign_in("ada")
    assert back.get("/patients/").status_code == 200
    assert undo(olga, entry.id).status_code == 200
    assert back.get("/patients/").status_code == 302


def test_a_name_that_somebody_took_meanwhile_is_not_put_back(olga: Person, make: Make, last_audit: LastAudit) -> None:
    ada, hugo = make.user("ada"), make.user("hugo")
    change_user(olga, ada.id, username="ada2")
    entry = last_audit()
    change_user(olga, hugo.id, username="ada")
    answer = undo(olga, entry.id)
    assert (answer.status_code, "has this user name already" in answer.toast) == (422, True)


def test_the_state_of_an_entry_follows_the_chain_of_undoes(rita: Person, make: Make, app: Flask) -> None:
    patient = make.patient(mobile_phone="030 1")
    send(rita, patient, open_details(rita, patient), mobile_phone="030 2")

    def newest() -> int:
        with app.app_context():
            return queries.trail(queries.Asked(patient_id=patient.id, looks=False))[0][0].id

    first = newest()
    assert undo(rita, first).status_code == 200
    back = newest()
    assert undo(rita, back).status_code == 200
    page = rita.get(f"/audit/patients/{patient.id}").page
    told = {form["action"]: form.around("li").text for form in page.all(".history form")}
    assert "taken back" not in told[f"/audit/entries/{first}/undo"], "it holds again"
    assert f"/audit/entries/{back}/undo" not in told, "and what took it back does not"
    assert undo(rita, first).status_code == 200, "it can be taken back once more"
    with app.app_context():
        assert patients.patient(patient.id).mobile_phone == "030 1"
        assert list(queries.taken_back_by([first, back])) == [first, back]


def test_a_change_under_one_that_was_taken_back_can_go_too(rita: Person, make: Make, app: Flask) -> None:
    patient = make.patient(mobile_phone="030 1")
    for phone in ("030 2", "030 3"):
        send(rita, patient, open_details(rita, patient), mobile_phone=phone)
    with app.app_context():
        upper, lower = (each.id for each in queries.trail(queries.Asked(patient_id=patient.id, looks=False))[0][:2])
    assert undo(rita, lower).status_code == 409
    assert undo(rita, upper).status_code == 200
    assert undo(rita, lower).status_code == 200
    with app.app_context():
        assert patients.patient(patient.id).mobile_phone == "030 1"


def test_what_is_taken_back_already_says_by_whom_and_when(
    rita: Person, sign_in: SignIn, make: Make, app: Flask
) -> None:
    patient = make.patient(mobile_phone="030 1")
    send(rita, patient, open_details(rita, patient), mobile_phone="030 2")
    with app.app_context():
        entry_id = queries.trail(queries.Asked(patient_id=patient.id, looks=False))[0][0].id
    undo(rita, entry_id)
    with clock.freeze(NOW + timedelta(minutes=5)):
        answer = undo(sign_in("olga"), entry_id)
    assert answer.status_code == 409
    assert "Rita Desk took this back already (Tue 1 Sep, 09:00)." in answer.toast
    plain = rita.post(f"/audit/entries/{entry_id}/undo")
    assert plain.status_code == 303


def move(person: Person, visit: Event, day: str, start: str, minutes: int = 30) -> Answer:
    with person.client.application.app_context():
        version = calendar.event(visit.id).row_version
    return person.htmx.post(
        f"/calendar/events/{visit.id}/move",
        target="dialog",
        version=version,
        day=day,
        start_time=start,
        minutes=minutes,
        chair_id=visit.chair_id,
        provider_id=visit.provider_id,
    )


def test_a_move_back_to_a_taken_time_says_who_has_it(
    rita: Person, make: Make, last_audit: LastAudit, app: Flask
) -> None:
    visit = make.visit()
    move(rita, visit, "2026-09-02", "11:30")
    entry = last_audit()
    other = make.visit(datetime(2026, 9, 1, 10, 15), patient=make.patient(first_name="Mia", last_name="Berg"))
    answer = undo(rita, entry.id)
    assert answer.status_code == 409
    assert "Chair 1 is taken from 10:15 to 10:45: Mia Berg. Nothing was taken back." in answer.toast
    with app.app_context():
        assert calendar.event(visit.id).start == datetime(2026, 9, 2, 11, 30)
    rita.htmx.post(f"/calendar/events/{other.id}/delete", target="dialog", version=other.row_version)
    assert undo(rita, entry.id).status_code == 200


@pytest.mark.parametrize(
    ("start", "minutes", "begins", "then"), [(10, 30, "09:00", 30), (10, 30, "09:00", 60), (8, 450, "15:00", 120)]
)
def test_half_of_a_time_that_does_not_fit_any_more_says_who_changed_the_other_half(
    rita: Person, hugo: Person, make: Make, last_audit: LastAudit, start: int, minutes: int, begins: str, then: int
) -> None:
    visit = make.visit(datetime(2026, 9, 1, start), minutes=minutes)
    earlier = start * 60 - int(begins[:2]) * 60
    assert move(rita, visit, "2026-09-01", begins, minutes + earlier).status_code == 200
    entry = last_audit()
    assert move(hugo, visit, "2026-09-01", begins, then).status_code == 200
    answer = undo(rita, entry.id)
    assert answer.status_code == 409
    assert "Hugo Clean changed this again (Tue 1 Sep, 09:00). Nothing was taken back." in answer.toast


def test_half_of_an_absence_that_does_not_fit_any_more_says_who_changed_the_other_half(
    rita: Person, olga: Person, make: Make, last_audit: LastAudit
) -> None:
    away = {"kind": "holiday", "first": "2026-09-14", "last": "2026-09-18"}
    rita.htmx.post(f"/hours/providers/{make.user('ada').id}/away", **away)
    url = f"/hours/off/{last_audit().about_id}"
    assert rita.htmx.post(url, version=1, **(away | {"first": "2026-09-07"})).status_code == 200
    entry = last_audit()
    assert olga.htmx.post(url, version=2, **(away | {"first": "2026-09-07", "last": "2026-09-09"})).status_code == 200
    answer = undo(rita, entry.id)
    assert answer.status_code == 409
    assert "Olga Owner changed this again (Tue 1 Sep, 09:00). Nothing was taken back." in answer.toast


def test_half_of_a_time_goes_back_where_it_fits(
    rita: Person, hugo: Person, make: Make, last_audit: LastAudit, app: Flask
) -> None:
    visit = make.visit()
    move(rita, visit, "2026-09-01", "09:30", 60)
    entry = last_audit()
    move(hugo, visit, "2026-09-01", "09:30", 90)
    assert undo(rita, entry.id).status_code == 200
    with app.app_context():
        row = calendar.event(visit.id)
        assert (row.start, row.end) == (datetime(2026, 9, 1, 10), datetime(2026, 9, 1, 11))


def test_a_visit_that_was_finished_since_is_not_moved_back(
    rita: Person, make: Make, last_audit: LastAudit, app: Flask
) -> None:
    visit = make.visit()
    move(rita, visit, "2026-09-01", "11:30")
    entry = last_audit()
    with app.app_context():
        version = calendar.event(visit.id).row_version
    rita.htmx.post(f"/calendar/events/{visit.id}/status", target="dialog", status="completed", version=version)
    answer = undo(rita, entry.id)
    assert (answer.status_code, "A finished visit stays where it was" in answer.toast) == (422, True)


def test_a_chair_out_of_use_takes_no_entry_back(olga: Person, make: Make, last_audit: LastAudit) -> None:
    visit = make.visit(chair="Chair 2")
    other = make.chair("Chair 1")
    olga.htmx.post(
        f"/calendar/events/{visit.id}/move",
        target="dialog",
        version=1,
        day="2026-09-01",
        start_time="10:00",
        minutes=30,
        chair_id=other.id,
        provider_id=visit.provider_id,
    )
    entry = last_audit()
    olga.htmx.post(f"/calendar/chairs/{visit.chair_id}/use", target="dialog", version=1)
    answer = undo(olga, entry.id)
    assert (answer.status_code, "not in use any more" in answer.toast) == (422, True)


def test_a_chart_with_visits_is_not_unmade_from_the_history(rita: Person, make: Make, app: Flask) -> None:
    answer = rita.post(
        "/patients/new",
        first_name="Mia",
        last_name="Berg",
        date_of_birth="02.03.1985",
        sex="unknown",
        mobile_phone="030 77",
        home_phone="",
    )
    url = toast_undo(rita, answer.headers["Location"])
    with app.app_context():
        patient = patients.patient(int(answer.headers["Location"].rsplit("/", 1)[1]))
        patient_id = patient.id
    visit = make.visit(patient=patient)
    refused = rita.htmx.post(url)
    assert refused.status_code == 422
    assert "1 visit of Mia Berg is booked" in refused.toast
    rita.htmx.post(f"/calendar/events/{visit.id}/delete", target="dialog", version=1)
    assert rita.htmx.post(url).status_code == 200
    with app.app_context():
        assert patients.patient(patient_id).is_deleted


@pytest.mark.parametrize("came", ["/audit/users/1?before=9", ""])
def test_without_scripts_the_answer_is_the_page_that_was_left(olga: Person, last_audit: LastAudit, came: str) -> None:
    change_clinic(olga, phone="030 9")
    referrer = {"Referer": f"http://localhost{came}"} if came else {"Referer": "http://elsewhere.example/x"}
    answer = olga.post(f"/audit/entries/{last_audit().id}/undo", headers=referrer)
    assert (answer.status_code, answer.headers["Location"]) == (303, came or "/")


def test_a_deleted_picture_lies_in_the_trash_and_comes_back_once(ada: Person, make: Make, app: Flask) -> None:
    content, patient = pictures.png(shade=7), make.patient(first_name="Mia", last_name="Berg")
    xray = make.xray(patient, content)
    with app.app_context(), transaction("xray.delete", actor=None) as write:
        xray_services.delete_xray(xrays.xray_ever(xray.id), seen=xray.row_version)
    page = ada.get("/audit/trash").page
    assert page.one("main form")["action"] == f"/xrays/{xray.id}/undelete"
    make.xray(patient, content)
    refused = undo(ada, write.entry_id or 0)
    assert refused.status_code == 409
    assert "is in this chart already" in refused.toast
    again = make.xray(patient)
    with app.app_context(), transaction("xray.delete", actor=None) as write:
        xray_services.delete_xray(xrays.xray_ever(again.id), seen=again.row_version)
    assert undo(ada, write.entry_id or 0).status_code == 200
    with app.app_context():
        assert not xrays.xray_ever(again.id).is_deleted
