"""What no screen sends still gets an answer in words, and never an error of ours."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.routing import Rule

from cpms.core.db import transaction
from cpms.patients import queries as patients
from cpms.xrays import services
from cpms.xrays.models import MountLayout
from tests.make import Make
from tests.pages import Person

SignIn = Callable[[str], Person]

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
        "/backups/?page=" + HUGE,
        "/backups/?page=-1",
        "/backups/?page=" + "9" * 18,
        "/patients/?page=" + "9" * 15,
        "/audit/trash?page=" + HUGE,
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


@pytest.mark.parametrize("odd", ["99999999999999999999", "9" * 400, "-1", "٣", "\x00"])
def test_odd_values_anywhere_in_what_pictures_take(app: Flask, make: Make, odd: str, sign_in: SignIn) -> None:
    """Every address of the X-rays, with the odd value for each number in it, for each word of the query and for each
    field of a form; and with true numbers in the address and oddities in the rest."""
    xray, other = make.xray(), make.xray()
    with app.app_context(), transaction("xray_mount.create", actor=None):
        mount_id = services.create_mount(patients.patient(xray.patient_id), MountLayout.BITEWINGS_2).id
    true = {"xray_id": other.id, "patient_id": other.patient_id, "mount_id": mount_id, "note_id": odd, "size": "screen"}
    ada, asked = sign_in("ada"), 0
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("xrays."):
            odd_ones = {name: odd if name.endswith("_id") else true[name] for name in rule.arguments}
            for values in (odd_ones, {name: true[name] for name in rule.arguments}):
                asked += ask(ada, rule, values, dict.fromkeys(FIELDS, odd))
    assert asked > 60


FIELDS = (
    *("with", "page", "kind", "tooth", "open", "since", "q", "patient_name", "marks", "seen", "version", "cell"),
    *("xray_id", "patient_id", "layout", "title", "reason", "findings", "phrases", "teeth", "taken_by_id"),
    *("date_performed", "laterality", "sure"),
)


def ask(person: Person, rule: Rule, values: dict[str, Any], said: dict[str, str]) -> int:
    """How often something was asked; nothing of it may be an error of ours."""
    address, asked = rule.rule, 0
    for name, value in values.items():
        address = re.sub(rf"<([^<>]*:)?{name}>", quote(str(value), safe=""), address)
    for method in (rule.methods or set()) & {"GET", "POST"}:
        forms = [said]
        if method == "POST" and rule.endpoint == "xrays.add_notes":
            marks = [{"kind": "ruler", "points": [[1, 2], [3, 4]]}]
            numbers = (said["with"], "1e400", "[" * 20_000)
            forms += [{"marks": json.dumps(marks).replace("[1,", f"[{number},")} for number in numbers]
        for form in forms:
            if method == "GET":
                answer = person.client.get(address, query_string=form)  # what the page says is not looked at
            else:
                answer = person.client.post(address, data=form | {"csrf_token": person.csrf_token()})
            answer.close()
            assert answer.status_code < 500, (method, rule.rule, values, str(form)[:300])
            asked += 1
    return asked


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
