"""Bitewings and full-mouth series side by side."""

from collections.abc import Callable

import pytest
from flask import Flask

from cpms.audit.models import AuditEntry
from cpms.xrays import queries
from cpms.xrays.models import XrayKind
from cpms.xrays.models import XrayMount as Mount
from tests.make import Make
from tests.pages import Answer, Person


@pytest.fixture
def mount(ada: Person, app: Flask, make: Make) -> Mount:
    """Four bitewings; of two pictures one knew its teeth."""
    patient = make.patient(last_name="Frame")
    make.xray(patient, kind=XrayKind.BITEWING, teeth=["16", "17", "46", "47"])
    make.xray(patient, kind=XrayKind.BITEWING)
    answer = ada.post(f"/xrays/of/{patient.id}/mounts", layout="bitewings_4")
    assert answer.status_code == 303
    with app.app_context():
        [row] = queries.mounts_of(patient.id)
        return row


def taken(answer: Answer) -> dict[str, str]:
    return {str(cell["data-cell"]): str(cell["data-xray"]) for cell in answer.page.all(".mount-cell.taken")}


def post(person: Person, mount: Mount, what: str, **form: object) -> Answer:
    return person.htmx.post(f"/xrays/mounts/{mount.id}/{what}", target="mount-page", **form)


def test_pictures_with_teeth_are_placed_and_the_others_wait(ada: Person, mount: Mount) -> None:
    answer = ada.get(f"/xrays/mounts/{mount.id}")
    assert list(taken(answer)) == ["b1"]
    assert len(answer.page.all(".tray [data-pick]")) == 1


def test_ada_places_turns_and_takes_out(ada: Person, mount: Mount) -> None:
    waiting = ada.get(f"/xrays/mounts/{mount.id}").page.one(".tray [data-pick]")["data-xray"]
    placed = post(ada, mount, "place", cell="b4", xray_id=waiting, version=1)
    assert taken(placed)["b4"] == waiting
    assert not placed.page.has(".tray")
    turned = post(ada, mount, "turn", cell="b4", version=2)
    assert turned.page.has(".cell-b4 img.turn-90")
    out = post(ada, mount, "place", cell="b4", xray_id="", version=3)
    assert "b4" not in taken(out)


def test_two_people_at_one_mount_lose_nothing(ada: Person, hugo: Person, mount: Mount) -> None:
    waiting = ada.get(f"/xrays/mounts/{mount.id}").page.one(".tray [data-pick]")["data-xray"]
    post(ada, mount, "place", cell="b4", xray_id=waiting, version=1)
    late = post(hugo, mount, "place", cell="b2", xray_id=waiting, version=1)
    assert late.status_code == 409
    assert taken(late)["b4"] == waiting, "the true mount is shown"


def test_a_picture_of_somebody_else_is_refused(ada: Person, mount: Mount, make: Make) -> None:
    foreign = make.xray()
    answer = post(ada, mount, "place", cell="b2", xray_id=foreign.id, version=1)
    assert answer.status_code == 422
    assert "not of this patient" in answer.toast


@pytest.mark.parametrize(
    "form", [{"cell": "b9", "version": 1}, {"cell": "b1"}, {"version": 1}, {"cell": "b1", "version": "x"}]
)
def test_what_no_mount_sends_changes_nothing(ada: Person, app: Flask, mount: Mount, form: dict[str, object]) -> None:
    assert post(ada, mount, "place", **form).status_code in {400, 404}
    with app.app_context():
        assert queries.mount(mount.id).row_version == 1


def test_a_deleted_picture_leaves_its_place_empty(ada: Person, mount: Mount) -> None:
    [xray_id] = taken(ada.get(f"/xrays/mounts/{mount.id}")).values()
    ada.htmx.post(f"/xrays/{xray_id}/delete", target="dialog", version=1)
    assert taken(ada.get(f"/xrays/mounts/{mount.id}")) == {}


def test_a_mount_has_a_title_and_is_printed_with_the_patient(
    ada: Person, mount: Mount, last_audit: Callable[[], AuditEntry]
) -> None:
    long = post(ada, mount, "title", title="x" * 101, version=1)
    assert "At most 100" in long.page.error("title")
    post(ada, mount, "title", title="Before treatment", version=1)
    page = ada.get(f"/xrays/mounts/{mount.id}/print").page
    assert page.one("h1").get_text() == "Before treatment"
    assert "Selma Frame" in page.text
    assert "/picture/screen" in str(page.one(".cell-b1 img")["src"])
    assert last_audit().action == "xray_mount.print"


def test_a_mount_taken_away_comes_back(ada: Person, mount: Mount) -> None:
    gone = ada.htmx.post(f"/xrays/mounts/{mount.id}/delete", version=1)
    assert gone.headers["HX-Redirect"].endswith("/mounts")
    undo = ada.get(gone.headers["HX-Redirect"]).page.one(".toast form")["action"]
    assert ada.get(f"/xrays/mounts/{mount.id}").status_code == 404
    assert ada.htmx.post(str(undo)).status_code == 200
    assert list(taken(ada.get(f"/xrays/mounts/{mount.id}"))) == ["b1"]


def undo_of(answer: Answer) -> str:
    return str(answer.page.all(".toast form")[-1]["action"])


def test_every_step_at_a_mount_is_taken_back_from_its_toast(ada: Person, mount: Mount) -> None:
    def now() -> dict[str, str]:
        return taken(ada.get(f"/xrays/mounts/{mount.id}"))

    waiting = ada.get(f"/xrays/mounts/{mount.id}").page.one(".tray [data-pick]")["data-xray"]
    before = now()
    placed = post(ada, mount, "place", cell="b4", xray_id=waiting, version=1)
    assert "The mount is changed." in placed.toast
    moved = post(ada, mount, "place", cell="b1", xray_id=waiting, version=2)
    assert now() == {"b1": waiting, "b4": before["b1"]}
    assert ada.htmx.post(undo_of(moved)).status_code == 200
    out = post(ada, mount, "place", cell="b4", xray_id="", version=4)
    assert now() == before
    assert ada.htmx.post(undo_of(out)).status_code == 200
    assert now() == before | {"b4": waiting}
    nothing = post(ada, mount, "place", cell="b4", xray_id=waiting, version=6)
    assert (nothing.status_code, nothing.toast) == (200, ""), "it lies there already"


def test_a_mount_lies_in_the_trash_and_comes_back(
    ada: Person, mount: Mount, last_audit: Callable[[], AuditEntry]
) -> None:
    post(ada, mount, "title", title="Before treatment", version=1)
    ada.htmx.post(f"/xrays/mounts/{mount.id}/delete", version=2)
    line = ada.get("/audit/trash").page.one(".trash > li")
    assert "Selma Frame · Mount: Four bitewings, Before treatment deleted by Dr Ada Dent" in " ".join(
        line.get_text(" ").split()
    )
    assert ada.htmx.post(line.select("form")[0]["action"]).headers["HX-Redirect"] == f"/xrays/mounts/{mount.id}"
    assert last_audit().action == "xray_mount.undelete"
    assert list(taken(ada.get(f"/xrays/mounts/{mount.id}"))) == ["b1"]
    assert not ada.get("/audit/trash").page.has(".trash > li")


def test_a_mount_comes_back_only_with_what_it_shows(ada: Person, mount: Mount) -> None:
    [xray_id] = taken(ada.get(f"/xrays/mounts/{mount.id}")).values()
    gone = ada.htmx.post(f"/xrays/mounts/{mount.id}/delete", version=1)
    undo = undo_of(ada.get(gone.headers["HX-Redirect"]))
    ada.htmx.post(f"/xrays/{xray_id}/delete", target="dialog", version=1)
    for way in (undo, f"/xrays/mounts/{mount.id}/undelete"):
        refused = ada.htmx.post(way)
        assert refused.status_code == 422
        assert "A picture of this mount is in the trash: Bitewing, 1 Sep 2026. Restore it first." in refused.toast
    ada.htmx.post(f"/xrays/{xray_id}/undelete")
    ada.htmx.post(f"/calendar/patients/{mount.patient_id}/delete", target="dialog", reason="x", coming="keep")
    for way in (undo, f"/xrays/mounts/{mount.id}/undelete"):
        assert "Selma Frame was deleted. Restore the patient first." in ada.htmx.post(way).toast
    ada.htmx.post(f"/calendar/patients/{mount.patient_id}/undelete")
    assert ada.htmx.post(undo).status_code == 200


def test_the_list_counts_the_pictures_that_are_there(ada: Person, mount: Mount) -> None:
    def said() -> str:
        return ada.get(f"/xrays/of/{mount.patient_id}/mounts").page.one(".list > li").get_text(" ", strip=True)

    assert "1 of 4 placed" in said()
    [xray_id] = taken(ada.get(f"/xrays/mounts/{mount.id}")).values()
    ada.htmx.post(f"/xrays/{xray_id}/delete", target="dialog", version=1)
    assert "0 of 4 placed" in said()


def test_the_trash_tells_the_front_desk_nothing_of_pictures(ada: Person, rita: Person, mount: Mount) -> None:
    [xray_id] = taken(ada.get(f"/xrays/mounts/{mount.id}")).values()
    ada.htmx.post(f"/xrays/mounts/{mount.id}/delete", version=1)
    ada.htmx.post(f"/xrays/{xray_id}/delete", target="dialog", reason="a hand", version=1)
    assert len(ada.get("/audit/trash").page.all(".trash > li")) == 2
    assert "The trash is empty" in rita.get("/audit/trash").page.text
