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
