"""Pictures go out to whoever may see them, as nothing but pictures, and leave a trace."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import Connection, event

from cpms.audit import queries as audit
from cpms.auth import queries as auth
from cpms.core import clock, media
from cpms.core.db import db, look, transaction
from cpms.patients import queries as patients
from cpms.patients import services as patient_services
from cpms.xrays import queries, services
from tests import pictures
from tests.conftest import NOW
from tests.make import Make
from tests.pages import Person

SignIn = Callable[[str], Person]


def actions(app: Flask, patient_id: int) -> list[str]:
    with app.app_context():
        return [entry.action for entry in audit.trail(audit.Asked(patient_id=patient_id))[0]]


@pytest.fixture
def begins(app: Flask) -> Iterator[list[str]]:
    """How each transaction began."""
    said: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("BEGIN"):
            said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("size", "mime", "name"),
    [
        ("thumb", "image/jpeg", "thumb.jpg"),
        ("screen", "image/jpeg", "screen.jpg"),
        ("full", "image/png", "full.png"),
        ("depth", "application/octet-stream", "depth.bin"),
    ],
)
def test_each_size_is_just_what_it_is(make: Make, ada: Person, size: str, mime: str, name: str) -> None:
    xray = make.xray(content=pictures.dicom())
    answer = ada.get(f"/xrays/{xray.id}/picture/{size}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == mime
    assert answer.headers["Content-Disposition"] == f"inline; filename=xray-{xray.id}-{name}"
    assert answer.headers["Content-Security-Policy"].endswith("sandbox")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["ETag"]
    assert answer.headers.get("Content-Encoding") == ("gzip" if size == "depth" else None)
    if size != "depth":
        Image.open(BytesIO(answer.data)).load()


def test_the_model_tells_the_address_and_never_a_path(app: Flask, make: Make, ada: Person) -> None:
    xray = make.xray()
    with app.test_request_context():
        assert xray.image_url == f"/xrays/{xray.id}/picture/screen"
    assert xray.sha256 not in ada.get(f"/xrays/of/{xray.patient_id}").html


def test_looking_leaves_a_trace_and_a_thumbnail_none(app: Flask, make: Make, ada: Person) -> None:
    xray = make.xray(content=pictures.dicom())
    ada.get(f"/xrays/{xray.id}/picture/thumb")
    assert "xray.view" not in actions(app, xray.patient_id)
    for size in ("screen", "full", "depth"):
        ada.get(f"/xrays/{xray.id}/picture/{size}")
        assert actions(app, xray.patient_id).count("xray.view") == 1
    ada.get(f"/xrays/{xray.id}/original")
    with app.app_context():
        entry = audit.entries(limit=1)[0]
        assert (entry.action, entry.actor_id, entry.about_id) == ("xray.original", ada.id, str(xray.id))


def looks(app: Flask) -> list[tuple[str, int | None, str | None, int | None]]:
    """Who looked at what, of which patient, the first look first."""
    with app.app_context():
        found = [(each.action, each.actor_id, each.about_id, each.patient_id) for each in audit.entries(limit=50)]
    return [each for each in reversed(found) if each[0].endswith(".view")]


def test_a_look_is_one_entry_for_each_person_picture_and_ten_minutes(
    app: Flask, make: Make, ada: Person, sign_in: SignIn, begins: list[str]
) -> None:
    xray, other = make.xray(content=pictures.dicom()), make.xray()
    whole = [f"/xrays/{xray.id}", *(f"/xrays/{xray.id}/picture/{size}" for size in ("screen", "full", "depth"))]
    for address in whole:
        assert ada.get(address).status_code == 200
    begins.clear()
    for address in whole:
        assert ada.get(address).status_code == 200
    assert "BEGIN IMMEDIATE" not in begins and "BEGIN" in begins, "a look that stands in the trail writes nothing"
    first, hugo = ("xray.view", ada.id, str(xray.id), xray.patient_id), sign_in("hugo")
    assert looks(app) == [first]

    ada.get(f"/xrays/{other.id}")
    hugo.get(whole[0])
    second = ("xray.view", ada.id, str(other.id), other.patient_id)
    assert looks(app) == [first, second, ("xray.view", hugo.id, str(xray.id), xray.patient_id)]
    for minutes, number in ((9, 1), (10, 2), (19, 2), (20, 3)):
        with clock.freeze(NOW + timedelta(minutes=minutes)):
            sign_in("ada").get(whole[0])
        assert looks(app).count(first) == number, minutes


def test_a_clock_that_was_set_back_hides_no_look(app: Flask, make: Make, ada: Person, sign_in: SignIn) -> None:
    xray = make.xray()
    with clock.freeze(NOW + timedelta(days=30)):
        sign_in("ada").get(f"/xrays/{xray.id}")
    sign_in("ada").get(f"/xrays/{xray.id}")
    assert [each[0] for each in looks(app)] == ["xray.view", "xray.view"]


def test_a_look_at_a_picture_that_went_to_another_chart_stands_there(app: Flask, make: Make, ada: Person) -> None:
    xray, to = make.xray(), make.patient()
    ada.get(f"/xrays/{xray.id}")
    with app.app_context(), transaction("xray.move", actor=ada):
        services.move_to_patient(queries.xray(xray.id), patients.patient(to.id), seen=1)
    ada.get(f"/xrays/{xray.id}")
    assert [each[3] for each in looks(app)] == [xray.patient_id, to.id]


def test_looks_at_the_same_moment_are_one_entry(app: Flask, make: Make, ada: Person) -> None:
    xray = make.xray()
    starting = Barrier(8)

    def ask(_number: int) -> None:
        with app.app_context():
            row, person = queries.xray(xray.id), auth.user(ada.id)
            starting.wait()
            look("xray.view", actor=person, about=row)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(8)))
    assert len(looks(app)) == 1


def test_without_a_trace_there_is_no_look(app: Flask, make: Make, ada: Person) -> None:
    """As with charts. Whoever is in the trail may go on looking when the disk takes no writes."""
    seen, unseen = make.xray(), make.xray()
    ada.get(f"/xrays/{seen.id}")
    with app.app_context():
        engine = db.engine

    def no_writes(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only=1")
        connection.info["query_only"] = "?"

    event.listen(engine, "begin", no_writes)
    try:
        for address, status in ((f"/xrays/{seen.id}", 200), (f"/xrays/{seen.id}/picture/screen", 200)):
            assert ada.get(address).status_code == status
        for address in (f"/xrays/{unseen.id}", f"/xrays/{unseen.id}/picture/full"):
            answer = ada.get(address)
            assert answer.status_code == 503 and "takes no writes" in answer.page.text
    finally:
        event.remove(engine, "begin", no_writes)
        engine.dispose()


def test_the_front_desk_sees_no_pixel_and_no_finding(app: Flask, make: Make, rita: Person, ada: Person) -> None:
    xray = make.xray(content=pictures.dicom())
    with app.app_context(), transaction("xray.report", actor=ada):
        services.report(queries.xray(xray.id), seen=1, findings="canary caries", impression="canary", by=ada)
    for address in (f"/xrays/of/{xray.patient_id}", f"/xrays/{xray.id}/original"):
        assert rita.get(address).status_code == 403
    for size in ("thumb", "screen", "full", "depth"):
        assert rita.get(f"/xrays/{xray.id}/picture/{size}").status_code == 403
    history = rita.get(f"/audit/patients/{xray.patient_id}")
    assert "Findings: changed" in history.page.text
    assert "canary" not in history.html
    assert "canary caries" in ada.get(f"/audit/patients/{xray.patient_id}").html
    assert not rita.get(f"/patients/{xray.patient_id}").page.has(f'a[href="/xrays/of/{xray.patient_id}"]')
    assert ada.get(f"/patients/{xray.patient_id}").page.has(f'a[href="/xrays/of/{xray.patient_id}"]')


def test_what_was_deleted_is_not_here(app: Flask, make: Make, ada: Person, olga: Person) -> None:
    xray = make.xray()
    with app.app_context(), transaction("xray.delete", actor=ada):
        services.delete_xray(queries.xray(xray.id), seen=1)
    addresses = [f"/xrays/{xray.id}/picture/thumb", f"/xrays/{xray.id}/picture/full", f"/xrays/{xray.id}/original"]
    assert {ada.get(address).status_code for address in addresses} == {404}
    trash = olga.get("/audit/trash")
    assert "Photo, 1 September 2026" in trash.page.text
    assert olga.post(f"/xrays/{xray.id}/undelete").status_code == 303
    assert {ada.get(address).status_code for address in addresses} == {200}


def test_the_pictures_of_a_deleted_patient_are_not_here(app: Flask, make: Make, ada: Person) -> None:
    xray = make.xray()
    with app.app_context(), transaction("patient.delete", actor=None):
        patient_services.delete_patient(patients.patient(xray.patient_id))
    assert ada.get(f"/xrays/{xray.id}/picture/thumb").status_code == 404


@pytest.mark.parametrize("address", ["/xrays/1/picture/huge", "/xrays/1/picture/../original", "/xrays/x/original"])
def test_other_addresses_are_not_here(make: Make, ada: Person, address: str) -> None:
    make.xray()
    assert ada.get(address).status_code == 404


def test_a_missing_file_is_said_in_a_drawing(app: Flask, make: Make, ada: Person) -> None:
    xray = make.xray(content=pictures.dicom())
    with app.app_context():
        media.path_of(xray.sha256).unlink()
    for size in ("thumb", "screen", "full"):
        answer = ada.get(f"/xrays/{xray.id}/picture/{size}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
        assert answer.headers["X-Picture"] == "missing"
        assert "File missing" in answer.html
    assert ada.get(f"/xrays/{xray.id}/picture/depth").status_code == 404
    answer = ada.get(f"/xrays/{xray.id}/original")
    assert (answer.status_code, "The file is missing on the server" in answer.page.text) == (404, True)
    assert ada.get(f"/xrays/of/{xray.patient_id}").status_code == 200


@pytest.mark.parametrize("lost", ["all of them", "one that a power cut emptied"])
def test_lost_copies_come_back_by_themselves(app: Flask, make: Make, ada: Person, lost: str) -> None:
    """A backup has the originals alone."""
    xray = make.xray(content=pictures.dicom())
    before = ada.get(f"/xrays/{xray.id}/picture/full").data
    with app.app_context():
        for copy in media.derived_of(xray.sha256).iterdir():
            copy.write_bytes(b"") if lost.startswith("one") else copy.unlink()
    for size in ("thumb", "screen", "depth"):
        assert ada.get(f"/xrays/{xray.id}/picture/{size}").status_code == 200
    assert ada.get(f"/xrays/{xray.id}/picture/full").data == before


def test_what_cannot_be_shown_is_drawn_and_can_be_taken_along(make: Make, ada: Person) -> None:
    content = (pictures.REAL / "reportsi.dcm").read_bytes()
    for what, name, words in ((content, "r.dcm", "Cannot be shown"), (pictures.PDF, "c.pdf", "Document")):
        xray = make.xray(content=what, name=name, sure=True)
        assert words in ada.get(f"/xrays/{xray.id}/picture/thumb").html
        assert ada.get(f"/xrays/{xray.id}/original").data == what


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("plain.png", "attachment; filename=plain.png"),
        ('a"b.png', 'attachment; filename="a\\"b.png"'),
        ("ağız.png", "attachment; filename*=UTF-8''a%C4%9F%C4%B1z.png"),
        ("page.html", "attachment; filename=page.html.png"),
    ],
)
def test_an_original_is_taken_along_and_never_opened(make: Make, ada: Person, name: str, disposition: str) -> None:
    xray = make.xray(name=name)
    answer = ada.get(f"/xrays/{xray.id}/original")
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Security-Policy"].endswith("sandbox")
    given = answer.headers["Content-Disposition"]
    assert given == disposition or given.endswith(disposition.partition("filename*")[2] or "\0"), given


def test_a_part_of_a_picture_is_no_more_than_was_asked_for(make: Make, ada: Person) -> None:
    xray = make.xray(content=pictures.dicom())
    answer = ada.get(f"/xrays/{xray.id}/original", headers={"Range": "bytes=128-131"})
    assert (answer.status_code, answer.data) == (206, b"DICM")
    many = ",".join(f"{n}-{n}" for n in range(1000))
    assert ada.get(f"/xrays/{xray.id}/original", headers={"Range": f"bytes={many}"}).status_code in {200, 416}


def test_opening_the_tab_is_opening_the_chart(app: Flask, make: Make, ada: Person) -> None:
    patient = make.patient()
    assert ada.get(f"/xrays/of/{patient.id}").status_code == 200
    assert actions(app, patient.id)[0] == "patient.view"


def test_the_export_gives_files_their_endings(app: Flask, make: Make, tmp_path: Any) -> None:
    import zipfile

    from cpms.exchange import jobs

    xray = make.xray(content=pictures.dicom())
    with app.app_context():
        jobs.export(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        inside = f"media/{xray.sha256[:2]}/{xray.sha256}.dcm"
        assert archive.read(inside) == pictures.dicom()
        assert xray.sha256 in archive.read("xray.csv").decode()
