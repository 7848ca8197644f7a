"""Every route, by every role, on every kind of object: the second opinion on who may do what.

The table is written by hand and on purpose knows nothing of the permissions in the code: a route that is not in it, or
a role that gets in where the table says no, fails the suite.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from cpms.auth.models import User
from cpms.backups.models import Backup, BackupKind, BackupResult
from cpms.core.db import db, transaction
from cpms.core.permissions import Role
from cpms.core.text import fold_name
from cpms.work.models import State, Work
from tests.make import TUESDAY, Make
from tests.pages import Person

OWNER = {"olga"}
STAFF = {"olga", "ada", "hugo", "rita", "otto"}
CLINICAL_READ = {"olga", "ada", "hugo", "otto"}
CLINICAL_WRITE = {"olga", "ada", "hugo"}
FILES = {"olga", "ada", "rita"}  # who puts charts away and takes them out again
ANYBODY = STAFF | {"outsider"}

POLICY: dict[str, set[str]] = {
    "home": ANYBODY,
    "health.healthz": ANYBODY,
    "device.offline": ANYBODY,
    "device.worker": ANYBODY,
    "auth.login": ANYBODY,
    "auth.sign_in": ANYBODY,
    "backups.restore_state": ANYBODY,
    "setup.first_run": ANYBODY,
    "setup.finish": ANYBODY,
    "feeds.feed": ANYBODY,
    **dict.fromkeys(
        (
            "auth.awake", "auth.change_password", "auth.end_other_sessions", "auth.lock", "auth.logout",
            "auth.language", "auth.password", "auth.profile", "auth.theme", "auth.update_profile", "settings.index",
            "backups.mark", "feeds.index", "feeds.renew", "feeds.revoke", "keys.show", "toasts.dismiss",
        ),
        STAFF,
    ),
    **dict.fromkeys(
        (
            "auth.ask_reset", "auth.create_user", "auth.deactivate", "auth.end_session", "auth.end_sessions",
            "auth.new_user", "auth.reactivate", "auth.reset_password", "auth.unlock_sign_in", "auth.update_user",
            "auth.user", "auth.users",
            "settings.change_clinic", "settings.clinic", "calendar.chairs", "calendar.change_chair",
            "calendar.change_type", "calendar.create_chair", "calendar.create_type", "calendar.edit_chair",
            "calendar.edit_type", "calendar.new_chair", "calendar.new_type", "calendar.types", "calendar.use_chair",
            "calendar.use_type",
            "audit.export", "audit.find_patient", "audit.log", "audit.of_user",
            "feeds.renew_for", "feeds.revoke_for", "feeds.show_names", "feeds.switch",
            "exchange.ask_export", "exchange.download", "exchange.export", "exchange.progress",
            "backups.ask_restore", "backups.begin_restore", "backups.choose", "backups.drop", "backups.look",
            "backups.unlock", "backups.upload",
            "backups.ask_download", "backups.ask_key_off", "backups.ask_sheet", "backups.change_plan",
            "backups.download", "backups.drill", "backups.give_reserve",
            "backups.index", "backups.key", "backups.key_off", "backups.make",
            "backups.plan", "backups.progress", "backups.trail", "backups.verify_trail",
            "backups.set_key", "backups.sheet", "backups.verify",
        ),
        OWNER,
    ),
    **dict.fromkeys(
        (
            "audit.of_event", "audit.of_patient", "audit.undo",
            "calendar.ask_no_new_date", "calendar.ask_status", "calendar.change", "calendar.choose", "calendar.create",
            "calendar.day", "calendar.delete", "calendar.draft", "calendar.drop", "calendar.edit", "calendar.event",
            "calendar.find_patient", "calendar.chosen_patient", "calendar.coming_note", "calendar.go",
            "calendar.home", "calendar.let_go", "calendar.list", "calendar.month", "calendar.move",
            "calendar.no_new_date", "calendar.picker", "calendar.rebook", "calendar.strip", "calendar.take_up",
            "calendar.ask_delete", "calendar.extend_series", "calendar.series_of",
            "calendar.new", "calendar.next_visit_badge", "calendar.patient_visits",
            "calendar.patient_visits_panel", "calendar.print_sheet", "calendar.set_status", "calendar.store_move",
            "calendar.undelete", "calendar.visits_of_list", "calendar.week", "patients.create", "patients.edit",
            "patients.find", "patients.index", "patients.new", "patients.patient", "patients.update",
            "calendar.book_free", "calendar.free", "calendar.outside", "calendar.outside_note",
            "hours.index", "hours.provider",
            "today.backup", "today.home", "today.outside", "today.rebook", "today.sheet",
            "today.unconfirmed", "today.unfinished",
        ),
        STAFF,
    ),
    **dict.fromkeys(
        ("audit.trash", "calendar.ask_delete_patient", "calendar.delete_patient", "calendar.undelete_patient",
         "patients.archive", "patients.ask_archive", "patients.restore"),
        FILES,
    ),
    **dict.fromkeys(
        ("xrays.ask_delete", "xrays.ask_move", "xrays.change_facts", "xrays.create_mount", "xrays.delete",
            "xrays.delete_mount", "xrays.facts", "xrays.fill", "xrays.find_patient", "xrays.mount", "xrays.mounts",
            "xrays.move", "xrays.place", "xrays.print_mount", "xrays.rename", "xrays.shelf", "xrays.turn",
            "xrays.add_notes", "xrays.ask_compare", "xrays.print_report", "xrays.remove_note", "xrays.view",
            "xrays.of_patient", "xrays.original", "xrays.picture", "xrays.undelete", "xrays.upload",
            "xrays.chosen_patient", "xrays.undelete_mount"),
        CLINICAL_READ,
    ),
    **dict.fromkeys(
        ("hours.new_closed", "hours.create_closed", "hours.holidays", "hours.change_country", "hours.set_open"), OWNER
    ),
    **dict.fromkeys(
        ("hours.edit_day", "hours.change_day", "hours.new_away", "hours.create_away", "hours.edit_off",
         "hours.change_off", "hours.delete_off"),
        FILES,
    ),
    **dict.fromkeys(
        ("hours.new_closed", "hours.create_closed", "hours.holidays", "hours.change_country", "hours.set_open"), OWNER
    ),
    **dict.fromkeys(
        ("hours.edit_day", "hours.change_day", "hours.new_away", "hours.create_away", "hours.edit_off",
         "hours.change_off", "hours.delete_off"),
        FILES,
    ),
    "today.unasked": CLINICAL_READ,
    "today.unreported": {"olga", "ada"},
    "xrays.save_report": {"olga", "ada"},
    "xrays.phrases": {"olga", "ada"},
    "xrays.change_phrases": {"olga", "ada"},
    "patients.medical": CLINICAL_READ,
    "patients.edit_medical": CLINICAL_WRITE,
    "patients.update_medical": CLINICAL_WRITE,
}  # fmt: skip

MISSING = 987_654
FINE = {200, 204, 302, 303, 400, 409, 422}  # the right is there; what the form lacks is another matter
PEOPLE = sorted(ANYBODY)


@pytest.fixture
def objects(app: Flask, make: Make) -> dict[str, list[Any]]:
    """Ids for each kind of address: of one's own, of others, of what was deleted."""
    from cpms.audit import queries as audit
    from cpms.calendar import queries as calendar
    from cpms.calendar import services as calendar_services
    from cpms.hours import services as hour_services
    from cpms.hours.models import OffKind
    from cpms.patients import queries as patients
    from cpms.patients import services as patient_services
    from cpms.xrays import queries as xrays
    from cpms.xrays import services as xray_services
    from cpms.xrays.models import MountLayout

    with app.app_context(), transaction("test.staff", actor=None):
        for name, role in (("otto", Role.ASSISTANT), ("victim", Role.DENTIST)):
            db.session.add(
                User(
                    username=name,
                    username_key=fold_name(name),
                    email=f"{name}@example.org",
                    email_key=fold_name(f"{name}@example.org"),
                    password_hash="",
                    display_name=name.title(),
                    role=role,
                )
            )
    mine, other, gone = (
        make.visit(),
        make.visit(chair="Chair 2", provider="hugo"),
        make.visit(overbook_reason="x"),
    )
    here, trashed = make.patient(), make.patient()
    picture, thrown = make.xray(here), make.xray(here)
    with app.app_context():
        made = audit.trail(audit.Asked(event_id=mine.id))[0][0].id
    with app.app_context(), transaction("test.delete", actor=None):
        db.session.add(Work(name="backups.manual", state=State.DONE))
        db.session.add(
            Backup(id="b1", file_name="cpms-b1.tar", kind=BackupKind.MANUAL, result=BackupResult.GOOD, counts={})
        )
        calendar_services.delete_event(calendar.event(gone.id), seen=1)
        patient_services.delete_patient(patients.patient(trashed.id))
        xray_services.delete_xray(xrays.xray(thrown.id), seen=1)
    day, ada_id = TUESDAY.date(), make.user("ada").id
    with app.app_context(), transaction("test.off", actor=None):
        off_id = hour_services.add_time_off(
            kind=OffKind.HOLIDAY, first=day, last=day, starts=None, ends=None, name="", provider_id=ada_id
        ).id
    with app.app_context(), transaction("test.mount", actor=None):
        frame = xray_services.create_mount(patients.patient(here.id), MountLayout.BITEWINGS_2)
        frame_id = frame.id
    return {
        "mount_id": [frame_id],
        "event_id": [mine.id, other.id, gone.id],
        "patient_id": [here.id, trashed.id],
        "user_id": [make.user("victim").id],
        "xray_id": [picture.id, thrown.id],
        "off_id": [off_id],
        "session_id": [1],
        "chair_id": [make.chair("Chair 1").id],
        "type_id": [make.type("Check-up").id],
        "backup_id": ["b1"],
        "entry_id": [made],
        "work_id": [1],
    }


def addresses(rule: Rule, objects: dict[str, list[Any]]) -> Iterator[tuple[str, bool]]:
    """Each address of a rule, and whether there is something there."""
    given = {
        "day": "2026-09-01",
        "token": "a-token-that-was-never-made",
        "view": "week",
        "size": "thumb",
        "note_id": "0a1b",
        "weekday": 1,
        "word": "open",
    }
    ids = [name for name in rule.arguments if name in objects]
    if not ids:
        yield rule.build({name: given[name] for name in rule.arguments}, append_unknown=False)[1], True
        return
    first, others = ids[0], {name: given[name] for name in rule.arguments if name in given and name not in objects}
    for value in [*objects[first], MISSING]:
        values = others | {name: objects[name][0] for name in ids} | {first: value}
        yield rule.build(values, append_unknown=False)[1], value != MISSING


@pytest.mark.parametrize("who", PEOPLE)
def test_nobody_gets_where_the_table_does_not_let_them(
    app: Flask, objects: dict[str, list[Any]], sign_in: Callable[[str], Person], who: str
) -> None:
    deviations = []
    person: Person | None = None
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: "POST" in (rule.methods or set())):
        writes = "POST" in (rule.methods or set())
        for address, exists in addresses(rule, objects):
            if writes or person is None:  # a write may end the session
                person = Person(app.test_client()) if who == "outsider" else sign_in(who)
            answer = person.post(address) if writes else person.get(address)
            allowed = who in POLICY[rule.endpoint]
            if rule.endpoint.startswith("setup."):
                right = answer.status_code == 303  # this clinic is set up: the door leads to the sign-in page
            elif who == "outsider" and not allowed:
                right = answer.status_code == 302 and answer.headers["Location"].startswith("/login")
            elif not allowed:
                right = answer.status_code == 403
            elif exists:
                right = answer.status_code in FINE | {404, 429}
            else:
                right = answer.status_code in {404, 400, 422}
            if not right:
                deviations.append((rule.endpoint, address, answer.status_code))
    assert deviations == []


@pytest.mark.parametrize("who", ["outsider", "rita", "olga"])
def test_no_write_goes_through_without_its_token(
    app: Flask, objects: dict[str, list[Any]], sign_in: Callable[[str], Person], who: str
) -> None:
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or set()):
            client = app.test_client() if who == "outsider" else sign_in(who).client
            for address, _exists in addresses(rule, objects):
                assert client.post(address).status_code == 400, address


def test_no_other_method_is_answered(app: Flask, objects: dict[str, list[Any]], olga: Person) -> None:
    for rule in app.url_map.iter_rules():
        for address, _exists in addresses(rule, objects):
            for method in ("PUT", "PATCH", "DELETE"):
                token = {"X-CSRFToken": olga.csrf_token()}
                assert olga.client.open(address, method=method, headers=token).status_code == 405, address


@pytest.mark.parametrize("who", ["hugo", "rita", "otto"])
def test_opening_a_chart_leaves_exactly_one_trace(
    app: Flask, objects: dict[str, list[Any]], sign_in: Callable[[str], Person], who: str
) -> None:
    from cpms.audit import queries as audit

    patient_id = objects["patient_id"][0]
    person = sign_in(who)
    for address in (f"/patients/{patient_id}", f"/calendar/patients/{patient_id}/visits"):
        with app.app_context():
            before = len(audit.entries(about_table="patient", about_id=str(patient_id)))
        assert person.get(address).status_code == 200
        with app.app_context():
            after = audit.entries(about_table="patient", about_id=str(patient_id))
        assert len(after) == before + 1
        assert (after[0].action, after[0].actor_id, after[0].patient_id) == (
            "patient.view",
            person.id,
            patient_id,
        )


def test_the_receptionist_never_receives_medical_text(make: Make, rita: Person, ada: Person) -> None:
    secret = {
        name: f"canary-{name}"
        for name in (
            "current_treatment", "medical_history", "surgery_history", "any_medical_problems", "women_specific_info",
        )
    }  # fmt: skip
    patient = make.patient(**secret)
    visit = make.visit(patient=patient)
    for address in (
        f"/patients/{patient.id}",
        f"/patients/{patient.id}/edit",
        "/patients/",
        f"/patients/find?q={patient.last_name}",
        f"/calendar/events/{visit.id}",
        "/calendar/week/2026-09-01",
    ):
        assert "canary" not in rita.get(address).html, address
    assert rita.get(f"/patients/{patient.id}/medical").status_code == 403
    assert "canary-medical_history" in ada.get(f"/patients/{patient.id}/medical").html
