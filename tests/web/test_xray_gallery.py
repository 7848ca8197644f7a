"""The pictures of a chart and of the clinic: found, described, moved, thrown away and brought back."""

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask

from cpms.audit import queries as audit
from cpms.audit.models import AuditEntry
from cpms.core.db import transaction
from cpms.patients.services import create_patient
from cpms.xrays import queries, services
from cpms.xrays.models import Laterality, XrayKind
from tests.make import Make
from tests.pages import Answer, Person

REPORTED = "Caries on 16."


@pytest.fixture
def film(make: Make) -> Callable[..., int]:
    def film(**given: object) -> int:
        return make.xray(**given).id  # type: ignore[arg-type]

    return film


def names(answer: Answer) -> list[str]:
    return [card.get_text() for card in answer.page.all(".film-words strong")]


def test_the_newest_day_comes_first(ada: Person, make: Make) -> None:
    patient = make.patient()
    make.xray(patient, kind=XrayKind.BITEWING, date_performed=date(2025, 3, 2), teeth=["16"])
    make.xray(patient, kind=XrayKind.PANORAMIC, date_performed=date(2026, 8, 31))
    answer = ada.get(f"/xrays/of/{patient.id}")
    assert [each.get_text() for each in answer.page.all(".film-day h2")] == ["31 August 2026 1", "2 March 2025 1"]
    assert names(answer) == ["Panoramic", "Bitewing 16"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"kind": "bitewing"}, ["Bitewing 16"]),
        ({"tooth": "16"}, ["Bitewing 16"]),
        ({"open": "1"}, ["Panoramic"]),
        ({"kind": "photo"}, []),
        ({"kind": "' OR 1=1"}, []),
    ],
)
def test_a_chart_s_pictures_are_filtered(
    ada: Person, make: Make, app: Flask, asked: dict[str, str], found: list[str]
) -> None:
    patient = make.patient()
    reported = make.xray(patient, kind=XrayKind.BITEWING, teeth=["16"])
    make.xray(patient, kind=XrayKind.PANORAMIC)
    by = make.user("ada")
    with app.app_context(), transaction("xray.report", actor=None):
        services.report(queries.xray(reported.id), seen=1, findings=REPORTED, impression="", by=by)
    assert names(ada.htmx.get(f"/xrays/of/{patient.id}", target="xrays", **asked)) == found


def test_an_empty_chart_says_what_to_do(ada: Person, make: Make) -> None:
    page = ada.get(f"/xrays/of/{make.patient().id}").page
    assert "No pictures yet" in page.text
    assert page.one("details.add-pictures").has_attr("open"), "the form is there at once"


def test_ada_says_what_a_picture_is(ada: Person, app: Flask, make: Make) -> None:
    xray = make.xray()
    form = ada.get(f"/xrays/{xray.id}/facts").page
    assert form.value("kind") == "photo"
    answer = ada.htmx.post(
        f"/xrays/{xray.id}/facts",
        target="dialog",
        kind="bitewing",
        date_performed="2026-08-01",
        teeth="16, 46 15",
        laterality="right",
        taken_by_id=make.user("hugo").id,
        version=form.value("version"),
    )
    assert answer.headers["HX-Trigger"] == "dialog-close, xrays-changed"
    with app.app_context():
        row = queries.xray(xray.id)
        told = (row.kind, row.date_performed, row.teeth, row.laterality, row.taken_by_id)
    assert told == (
        XrayKind.BITEWING,
        date(2026, 8, 1),
        ["15", "16", "46"],
        Laterality.RIGHT,
        make.user("hugo").id,
    )


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"teeth": "16 99"}, "teeth", "There is no tooth 99"),
        ({"date_performed": "2026-09-02"}, "date_performed", "cannot be in the future"),
        ({"date_performed": "1970-01-01"}, "date_performed", "was not born then"),
        ({"date_performed": "31.31.2026"}, "date_performed", "a date that exists"),
        ({"date_performed": ""}, "date_performed", "the day on which it was taken"),
        ({"kind": "drawing"}, "kind", "choose from the list"),
        ({"laterality": "up"}, "laterality", "choose from the list"),
        ({"taken_by_id": "4711"}, "taken_by_id", "choose from the list"),
    ],
)
def test_a_wrong_value_gets_its_sentence_and_nothing_is_stored(
    ada: Person, app: Flask, make: Make, wrong: dict[str, str], field: str, sentence: str
) -> None:
    xray = make.xray()
    good = {"kind": "bitewing", "date_performed": "2026-08-01", "teeth": "16", "laterality": "right"}
    answer = ada.htmx.post(f"/xrays/{xray.id}/facts", target="dialog", **(good | {"version": 1} | wrong))
    assert answer.status_code == 422
    assert sentence in answer.page.error(field)
    if "teeth" not in wrong:
        assert answer.page.value("teeth") == "16", "what was typed is kept"
    with app.app_context():
        assert queries.xray(xray.id).kind is XrayKind.PHOTO


def test_somebody_else_s_change_is_not_overwritten(ada: Person, hugo: Person, make: Make) -> None:
    xray = make.xray()
    good = {"kind": "bitewing", "date_performed": "2026-08-01", "teeth": "16", "laterality": "right", "version": 1}
    assert ada.htmx.post(f"/xrays/{xray.id}/facts", target="dialog", **good).status_code == 200
    late = hugo.htmx.post(f"/xrays/{xray.id}/facts", target="dialog", **(good | {"teeth": "17"}))
    assert late.status_code == 409
    assert late.page.value("teeth") == "17"
    again = hugo.htmx.post(
        f"/xrays/{xray.id}/facts", target="dialog", **(good | {"teeth": "17", "version": late.page.value("version")})
    )
    assert again.status_code == 200, "who saw it may decide"


def test_a_picture_goes_to_whom_it_is_of_and_stands_in_both_charts(
    ada: Person, app: Flask, make: Make, last_audit: Callable[[], AuditEntry]
) -> None:
    here, there = make.patient(last_name="Wrong"), make.patient(last_name="Right")
    xray = make.xray(here)
    options = ada.htmx.get("/xrays/find-patient", target="patient-options", patient_name="right").page
    assert options.one("[data-value]")["data-value"] == str(there.id)
    answer = ada.htmx.post(
        f"/xrays/{xray.id}/move",
        target="dialog",
        patient_name="Right",
        patient_id=there.id,
        reason="mixed up at the sensor",
        version=1,
    )
    assert answer.status_code == 200, answer.page.text
    assert "is in the chart of Selma Right now" in answer.toast
    assert names(ada.get(f"/xrays/of/{here.id}")) == []
    assert len(names(ada.get(f"/xrays/of/{there.id}"))) == 1
    for patient in (here, there):
        assert "mixed up at the sensor" in ada.get(f"/audit/patients/{patient.id}").page.text
    with app.app_context():
        assert any(entry.action == "xray.move" for entry in audit.entries(limit=5))


def test_a_move_needs_a_patient_from_the_list(ada: Person, make: Make) -> None:
    xray = make.xray()
    nobody = ada.htmx.post(f"/xrays/{xray.id}/move", target="dialog", patient_name="Rig", patient_id="", version=1)
    assert "choose a patient from the list" in nobody.page.text
    assert nobody.page.value("patient_name") == "Rig"
    found = make.patient(date_of_birth=date(1985, 3, 2), alert_text="Latex allergy")
    lines = ada.htmx.get("/xrays/chosen-patient", target="chosen-owner", patient_id=found.id).page
    assert "born 2 March 1985 (41 y)" in lines.text and "Latex allergy" in lines.text
    assert ada.htmx.get("/xrays/chosen-patient", target="chosen-owner", patient_id="").page.text == ""
    same = ada.htmx.post(
        f"/xrays/{xray.id}/move", target="dialog", patient_name="x", patient_id=xray.patient_id, version=1
    )
    assert (same.status_code, "already" in same.page.text) == (422, True)


def test_a_deleted_picture_comes_back_by_undo_and_from_the_trash(ada: Person, app: Flask, make: Make) -> None:
    xray = make.xray()
    answer = ada.htmx.post(f"/xrays/{xray.id}/delete", target="dialog", reason="a hand", version=1)
    undo = answer.page.one(".toast form")["action"]
    assert ada.get(f"/xrays/{xray.id}/picture/thumb").status_code == 404
    assert "a hand" in ada.get("/audit/trash").page.text
    assert ada.htmx.post(str(undo)).status_code == 200
    assert ada.get(f"/xrays/{xray.id}/picture/thumb").status_code == 200
    with app.app_context():
        version = queries.xray(xray.id).row_version
    ada.htmx.post(f"/xrays/{xray.id}/delete", target="dialog", reason="", version=version)
    assert ada.htmx.post(f"/xrays/{xray.id}/undelete").status_code == 200
    assert ada.get(f"/xrays/{xray.id}/picture/thumb").status_code == 200


def test_the_clinic_s_pictures_are_found_by_patient_and_day(
    ada: Person, make: Make, last_audit: Callable[[], AuditEntry]
) -> None:
    selma, kemal = make.patient(last_name="Yıldız"), make.patient(last_name="Öz")
    make.xray(selma, date_performed=date(2025, 3, 2), kind=XrayKind.BITEWING)
    make.xray(kemal, date_performed=date(2026, 8, 31), kind=XrayKind.PANORAMIC)

    def rows(**asked: str) -> list[str]:
        found = ada.htmx.get("/xrays/", target="shelf", **asked).page
        return [link.text for link in found.all("tbody th a:first-child")]

    assert rows() == ["Selma Öz", "Selma Yıldız"]
    assert rows(q="yildiz") == ["Selma Yıldız"]
    assert rows(since="2026-01-01") == ["Selma Öz"]
    assert rows(until="2025-12-31") == ["Selma Yıldız"]
    assert rows(q="nobody") == []
    assert rows(open="1") == ["Selma Öz", "Selma Yıldız"]
    assert last_audit().action == "xray.list"
    assert ada.get("/xrays/", since="tomorrow").status_code == 400


def test_a_name_of_many_patients_is_searched_to_its_end(ada: Person, app: Flask, make: Make) -> None:
    """The pictures are of those whom a cut after so many patients would leave out, by name and by number."""
    first, archived = make.patient(last_name="Aa Yılmaz"), make.patient(last_name="Yılmaz", archived=True)
    with app.app_context(), transaction("test.make", actor=None):
        for number in range(230):
            create_patient(first_name="Ali", last_name=f"Yılmaz {number}", date_of_birth=date(1980, 1, 1))
    last = make.patient(first_name="Zoe", last_name="Yılmaz Z", mobile_phone="0171 5558899")
    for patient in (first, archived, last):
        make.xray(patient)
    make.xray(make.patient(last_name="Öz"))

    def found(words: str) -> str:
        return str(ada.htmx.get("/xrays/", target="shelf", q=words).page.one(".pager > span").get_text())

    assert found("yilmaz") == "1 to 3 of 3"
    assert found("zoe yilm") == found("5558899") == found(f"{last.chart_no}") == "1 to 1 of 1"
    assert found("yilmaz zoe") == "1 to 1 of 1"
    assert "No picture fits" in ada.htmx.get("/xrays/", target="shelf", q="!?").page.text


@pytest.mark.parametrize("known", [1, 30])
def test_the_lists_cost_few_statements(ada: Person, make: Make, statements: list[str], known: int) -> None:
    patient = make.patient()
    for _ in range(known):
        make.xray(patient)
    for address in (f"/xrays/of/{patient.id}", "/xrays/"):
        statements.clear()
        assert ada.get(address).status_code == 200
        assert len([each for each in statements if each.startswith("SELECT")]) <= 8, statements


def test_the_front_desk_sees_no_pixel_and_no_place(rita: Person, make: Make) -> None:
    xray = make.xray()
    assert rita.get("/xrays/").status_code == 403
    assert rita.get(f"/xrays/of/{xray.patient_id}").status_code == 403
    page = rita.get(f"/patients/{xray.patient_id}").page
    assert "X-rays" not in page.text
