"""Reports on pictures, notes upon them, the phrases, and the print."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from pydicom.dataset import Dataset

from cpms.audit import queries as audit
from cpms.audit.models import AuditEntry
from cpms.core import media
from cpms.core.db import db
from cpms.xrays import queries, rules
from cpms.xrays.models import Xray
from tests import films, pictures
from tests.make import Make
from tests.pages import Answer, Person

RULER = {"kind": "ruler", "points": [[1, 2], [1, 12]]}


@pytest.fixture
def xray(make: Make) -> Xray:
    return make.xray(make.patient(alert_text="Latex"))


def stored(app: Flask, xray: Xray) -> Xray:
    with app.app_context():
        row = queries.xray(xray.id)
        db.session.expunge_all()
        return row


def report(person: Person, xray: Xray, *, seen: str = "", htmx: bool = False, **words: str) -> Answer:
    seen = seen or person.get(f"/xrays/{xray.id}").page.value("seen")
    form = {"findings": "", "impression": ""} | words | {"seen": seen}
    post = person.htmx.post if htmx else person.post
    target: dict[str, Any] = {"target": "xray-report"} if htmx else {}
    return post(f"/xrays/{xray.id}/report", **target, **form)


def draw(person: Person, xray: Xray, *marks: Any, htmx: bool = False) -> Answer:
    if htmx:
        return person.htmx.post(f"/xrays/{xray.id}/notes", target="xray-notes", marks=json.dumps(marks))
    return person.post(f"/xrays/{xray.id}/notes", marks=json.dumps(marks))


# --- the report -----------------------------------------------------------------------------------------------------


def test_ada_reports_and_it_is_recorded(
    app: Flask, ada: Person, xray: Xray, last_audit: Callable[[], AuditEntry]
) -> None:
    answer = report(ada, xray, findings="Caries 16 d.", impression="Filling.", htmx=True)
    assert answer.status_code == 200
    assert "Reported by Dr Ada Dent" in answer.page.text
    row = stored(app, xray)
    assert (row.findings, row.impression, row.reported_by_id) == ("Caries 16 d.", "Filling.", ada.id)
    entry = last_audit()
    assert (entry.action, entry.about_id, entry.patient_id) == ("xray.report", str(xray.id), xray.patient_id)


def test_without_htmx_the_report_leads_back_to_the_picture(ada: Person, xray: Xray) -> None:
    answer = report(ada, xray, findings="Caries 16 d.")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/xrays/{xray.id}")
    assert ada.get(f"/xrays/{xray.id}").page.value("findings") == "Caries 16 d."


def test_hugo_reads_the_report_and_does_not_write_it(app: Flask, ada: Person, hugo: Person, xray: Xray) -> None:
    report(ada, xray, findings="Caries 16 d.")
    page = hugo.get(f"/xrays/{xray.id}").page
    assert "Caries 16 d." in page.one("#xray-report").get_text()
    assert not page.has("#xray-report form")
    seen = ada.get(f"/xrays/{xray.id}").page.value("seen")
    assert report(hugo, xray, seen=seen, findings="Mine").status_code == 403
    assert stored(app, xray).findings == "Caries 16 d."


def test_a_clash_keeps_both_texts_and_stores_nothing(app: Flask, ada: Person, olga: Person, xray: Xray) -> None:
    seen = olga.get(f"/xrays/{xray.id}").page.value("seen")
    report(ada, xray, findings="Ada's", impression="Ada's impression")
    answer = report(olga, xray, seen=seen, findings="Olga's", htmx=True)
    assert answer.status_code == 409
    assert answer.page.value("findings") == "Olga's"
    assert answer.page.value("impression") == "Ada's impression"  # Olga left it alone
    assert "Saved now: Ada's" in answer.page.error("findings")
    assert stored(app, xray).findings == "Ada's"
    again = report(olga, xray, seen=answer.page.value("seen"), findings="Both", impression="Ada's impression")
    assert again.status_code == 303
    assert stored(app, xray).findings == "Both"


def test_a_note_is_no_clash_with_the_report(app: Flask, ada: Person, hugo: Person, xray: Xray) -> None:
    seen = ada.get(f"/xrays/{xray.id}").page.value("seen")
    draw(hugo, xray, RULER)
    assert report(ada, xray, seen=seen, findings="Caries 16 d.").status_code == 303
    assert len(stored(app, xray).layers) == 1


def test_too_long_a_report_is_said_beside_the_field(app: Flask, ada: Person, xray: Xray) -> None:
    answer = report(ada, xray, findings="x" * 20_001, htmx=True)
    assert answer.status_code == 422
    assert answer.page.error("findings") == "At most 20000 characters, please."
    assert len(answer.page.value("findings")) == 20_001
    assert stored(app, xray).findings == ""


def test_a_deleted_picture_takes_no_report(app: Flask, ada: Person, xray: Xray) -> None:
    seen = ada.get(f"/xrays/{xray.id}").page.value("seen")
    ada.post(f"/xrays/{xray.id}/delete", version="1", reason="")
    assert report(ada, xray, seen=seen, findings="Late").status_code == 404


# --- notes ----------------------------------------------------------------------------------------------------------


def test_notes_have_an_author_and_a_time(
    app: Flask, hugo: Person, xray: Xray, last_audit: Callable[[], AuditEntry]
) -> None:
    answer = draw(hugo, xray, RULER, {"kind": "text", "points": [[3, 4]], "text": " Old\ncrown "}, htmx=True)
    assert answer.status_code == 200
    assert [each.get_text(" ", strip=True) for each in answer.page.all("#xray-notes .xv-note")] == [
        "Length: 10 px Hugo Clean, Tue 1 Sep, 09:00",
        "Old crown Hugo Clean, Tue 1 Sep, 09:00",
    ]
    assert [(each["author_id"], each["content"]) for each in stored(app, xray).layers] == [
        (hugo.id, RULER),
        (hugo.id, {"kind": "text", "points": [[3, 4]], "text": "Old crown"}),
    ]
    assert last_audit().action == "xray.note"


def test_only_the_author_takes_a_note_away_and_it_comes_back_by_undo(
    app: Flask, ada: Person, hugo: Person, xray: Xray, last_audit: Callable[[], AuditEntry]
) -> None:
    draw(hugo, xray, RULER)
    address = f"/xrays/{xray.id}/notes/{stored(app, xray).layers[0]['id']}/remove"
    assert ada.post(address).status_code == 403
    assert len(stored(app, xray).layers) == 1
    assert hugo.htmx.post(address, target="xray-notes").status_code == 200
    assert stored(app, xray).layers == []
    assert last_audit().action == "xray.remove_note"
    hugo.post(f"/audit/entries/{last_audit().id}/undo")
    assert [each["content"] for each in stored(app, xray).layers] == [RULER]
    assert hugo.post(f"/xrays/{xray.id}/notes/nothere/remove").status_code == 404


def test_the_receptionist_draws_nothing(rita: Person, xray: Xray) -> None:
    assert draw(rita, xray, RULER).status_code == 403


@pytest.mark.parametrize(
    "marks",
    [
        "",
        "{}",
        "[]",
        "[1]",
        "not JSON",
        json.dumps([{"kind": "scribble", "points": [[1, 2]]}]),
        json.dumps([{"kind": "ruler", "points": [[1, 2]]}]),
        json.dumps([{"kind": "ruler", "points": [[1, 2], [1, "2"]]}]),
        json.dumps([{"kind": "ruler", "points": [[1, 2], [1, 1e12]]}]),
        '[{"kind": "ruler", "points": [[1, 2], [1, NaN]]}]',
        json.dumps([{"kind": "ruler", "points": [[1, 2], [True, 2]]}]),
        json.dumps([{"kind": "text", "points": [[1, 2]], "text": "  "}]),
        json.dumps([{"kind": "text", "points": [[1, 2]], "text": "x" * 201}]),
        json.dumps([{"kind": "adjust", "center": 1, "width": 0, "turn": 0}]),
        json.dumps([{"kind": "adjust", "center": 1, "width": 9, "turn": 4}]),
        json.dumps([{"kind": "adjust", "center": None, "width": 9, "turn": 1}]),
        json.dumps([RULER] * 51),
    ],
)
def test_what_nobody_can_have_drawn_is_refused(app: Flask, ada: Person, xray: Xray, marks: str) -> None:
    assert ada.post(f"/xrays/{xray.id}/notes", marks=marks).status_code == 400
    assert stored(app, xray).layers == []


def test_a_kept_view_holds_nothing_but_its_numbers(app: Flask, ada: Person, xray: Xray) -> None:
    view = {"kind": "adjust", "center": 120.5, "width": 90, "turn": 3, "flip": True, "invert": False}
    draw(ada, xray, view | {"author_id": 1, "script": "x"})
    assert stored(app, xray).layers[0]["content"] == view
    page = ada.get(f"/xrays/{xray.id}").page
    assert json.loads(str(page.one("[data-stage]")["data-view"])) == view


def test_lengths_and_angles_know_the_plane(app: Flask, make: Make, ada: Person) -> None:
    spaced = make.xray(content=films.dicom(films.ramp(40, 30), ImagerPixelSpacing=["0.1", "0.2"]))
    draw(ada, spaced, RULER, {"kind": "angle", "points": [[10, 0], [0, 0], [0, 10]]})
    page = ada.get(f"/xrays/{spaced.id}").page
    assert "Length: 1.0 mm at the detector" in page.text
    assert "Angle: 90.0°" in page.text
    assert "not calibrated" in page.text


def test_mathematics_of_measures() -> None:
    assert rules.length([(0, 0), (3, 4)], None) == 5
    assert rules.length([(0, 0), (3, 4)], (0.5, 2)) == pytest.approx(6.3246, abs=1e-4)
    assert rules.angle([(1, 0), (0, 0), (-1, 0)], None) == pytest.approx(180)
    assert rules.angle([(5, 0), (0, 0), (5, 5)], None) == pytest.approx(45)


# --- what is looked at ----------------------------------------------------------------------------------------------


def test_looking_leaves_a_trace(app: Flask, hugo: Person, xray: Xray) -> None:
    assert hugo.get(f"/xrays/{xray.id}").status_code == 200
    with app.app_context():
        entry = audit.entries(about_table="xray", about_id=str(xray.id))[0]
    assert (entry.action, entry.actor_id, entry.patient_id) == ("xray.view", hugo.id, xray.patient_id)


def test_a_curve_of_the_file_that_is_not_applied_is_told_on_the_picture_and_beside_it(ada: Person, make: Make) -> None:
    curve = Dataset()
    curve.add_new("LUTDescriptor", "US", [3, 0, 8])
    curve.add_new("LUTData", "US", [0, 5, 255])
    odd = make.xray(content=films.dicom(films.ramp(40, 30), VOILUTSequence=[curve]))
    page = ada.get(f"/xrays/{odd.id}").page
    words = "The file has a grey curve of its own (VOI LUT), which is not applied."
    assert words in page.one(".xv-foot").get_text() and words in page.one(".facts").get_text()
    plain = make.xray(content=films.dicom(films.ramp(40, 30)))
    assert "curve" not in ada.get(f"/xrays/{plain.id}").page.text


def test_a_file_of_several_frames_says_that_the_first_is_seen(ada: Person, make: Make) -> None:
    frames = films.numpy.stack([films.ramp(16, 16)] * 3)
    xray = make.xray(content=pictures.dicom(frames, frames=3))
    assert ada.get(f"/xrays/of/{xray.patient_id}").page.one(".film-frames").get_text() == "1 of 3"
    page = ada.get(f"/xrays/{xray.id}").page
    assert "Frame 1 of 3; the others are not shown" in page.one(".xv-foot").get_text()
    assert "Frame 1 of 3 is shown" in page.one(".facts").get_text()


def test_two_pictures_beside_each_other_are_of_one_patient(ada: Person, make: Make, xray: Xray) -> None:
    same, other = make.xray(make_patient_of(make, xray)), make.xray()
    assert len(ada.get(f"/xrays/{xray.id}?with={same.id}").page.all("[data-stage]")) == 2
    for wrong in (other.id, xray.id, 987_654, "x"):
        assert ada.get(f"/xrays/{xray.id}?with={wrong}").status_code == 404, wrong
    dialog = ada.get(f"/xrays/{xray.id}/compare").page
    assert [each["href"] for each in dialog.all(".xv-others a")] == [f"/xrays/{xray.id}?with={same.id}"]


def make_patient_of(make: Make, xray: Xray) -> Any:
    from cpms.patients import queries as patients

    with make.app.app_context():
        row = patients.patient(xray.patient_id)
        db.session.expunge_all()
        return row


def test_a_missing_file_is_a_sentence_on_a_whole_page(app: Flask, ada: Person, xray: Xray) -> None:
    with app.app_context():
        media.path_of(xray.sha256).unlink()
    for address in (f"/xrays/{xray.id}", f"/xrays/{xray.id}/print"):
        answer = ada.get(address)
        assert answer.status_code == 200
        assert "The file is missing on the server." in answer.page.text


def test_what_a_file_says_of_itself_can_do_nothing(make: Make, ada: Person) -> None:
    nasty = '"><script>alert(1)</script>'
    xray = make.xray(
        make.patient(alert_text=nasty),
        films.dicom(films.ramp(40, 30), Manufacturer=nasty),
        name="<img src=x onerror=alert(1)>.dcm",
    )
    draw(ada, xray, {"kind": "text", "points": [[1, 1]], "text": nasty})
    for address in (f"/xrays/{xray.id}", f"/xrays/{xray.id}/print"):
        html = ada.get(address).html
        assert "<script>alert" not in html
        assert "<img src=x" not in html


def test_the_print_has_the_patient_the_alert_and_every_word(
    ada: Person, xray: Xray, last_audit: Callable[[], AuditEntry]
) -> None:
    report(ada, xray, findings="Caries 16 d.", impression="Filling.")
    draw(ada, xray, {"kind": "arrow", "points": [[1, 2], [3, 4]], "text": "Here"})
    answer = ada.get(f"/xrays/{xray.id}/print")
    for words in ("Test Dental", "Selma", "born 2 March 1985", "Latex", "Caries 16 d.", "Filling.", "Here", "Dr Ada"):
        assert words in answer.page.text
    assert answer.page.one("svg image")["href"] == f"/xrays/{xray.id}/picture/screen"
    assert last_audit().action == "xray.print"


# --- phrases --------------------------------------------------------------------------------------------------------


def test_the_clinic_has_phrases_of_its_own(ada: Person, xray: Xray, last_audit: Callable[[], AuditEntry]) -> None:
    page = ada.get("/xrays/phrases").page
    assert page.one(".rail [aria-current]").get_text(strip=True) == "Settings"
    seen = page.value("seen")
    answer = ada.post("/xrays/phrases", phrases="  Healthy.\n\nHealthy.\r\nSeen   before.", seen=seen)
    assert answer.status_code == 303
    assert last_audit().action == "settings.change"
    menu = ada.get(f"/xrays/{xray.id}").page.all("[data-phrase]")
    assert [each["data-phrase"] for each in menu] == ["Healthy.", "Seen before."]


def test_phrases_that_somebody_else_changed_are_not_written_over(ada: Person, olga: Person) -> None:
    seen = ada.get("/xrays/phrases").page.value("seen")
    olga.post("/xrays/phrases", phrases="Olga's.", seen=seen)
    answer = ada.post("/xrays/phrases", phrases="Ada's.", seen=seen)
    assert answer.status_code == 409
    assert answer.page.value("phrases") == "Ada's."
    assert "Olga's." in answer.page.text
    assert ada.post("/xrays/phrases", phrases="Ada's.", seen=answer.page.value("seen")).status_code == 303
    assert olga.get("/xrays/phrases").page.value("phrases") == "Ada's."


def test_hugo_does_not_change_the_phrases(hugo: Person) -> None:
    assert hugo.get("/xrays/phrases").status_code == 403
    assert hugo.post("/xrays/phrases", phrases="x", seen="").status_code == 403
