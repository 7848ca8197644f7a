"""Chairs and appointment types: the owner's settings of the calendar."""

from typing import Any

import pytest

from tests.make import Make
from tests.pages import Person


def test_olga_adds_a_chair(olga: Person, make: Make, last_audit: Any) -> None:
    answer = olga.htmx.post("/calendar/chairs", target="dialog", name="Window  seat ")
    assert answer.status_code == 200 and "furniture-changed" in answer.headers["HX-Trigger"]
    assert make.chair("Window seat").active
    assert last_audit().action == "chair.create"


def test_olga_renames_a_chair(olga: Person, make: Make) -> None:
    chair = make.chair("Chair 1")
    olga.htmx.post(f"/calendar/chairs/{chair.id}", target="dialog", name="Blue", version=chair.row_version)
    assert make.chair("Blue").id == chair.id


def test_a_nameless_chair_is_refused(olga: Person) -> None:
    answer = olga.htmx.post("/calendar/chairs", target="dialog", name="   ")
    assert answer.status_code == 422 and "give the chair a name" in answer.page.error("name")


def test_the_second_editor_of_a_chair_is_told(olga: Person, make: Make) -> None:
    chair = make.chair("Chair 1")
    olga.htmx.post(f"/calendar/chairs/{chair.id}", name="Blue", version=chair.row_version)
    late = olga.htmx.post(f"/calendar/chairs/{chair.id}", target="dialog", name="Red", version=chair.row_version)
    assert late.status_code == 409 and late.page.value("name") == "Red"
    assert make.chair("Blue").id == chair.id


def test_a_chair_is_given_up_and_taken_back(olga: Person, make: Make) -> None:
    chair = make.chair("Chair 2")
    assert "out of use" in olga.htmx.post(f"/calendar/chairs/{chair.id}/use", version=chair.row_version).toast
    assert "Chair 2" not in olga.get("/calendar/events/new").page.one("#chair_id").get_text()
    assert "in use again" in olga.htmx.post(f"/calendar/chairs/{chair.id}/use", version=chair.row_version + 1).toast


def test_the_last_chair_stays(olga: Person, make: Make) -> None:
    one, two = make.chair("Chair 1"), make.chair("Chair 2")
    olga.htmx.post(f"/calendar/chairs/{two.id}/use", version=two.row_version)
    answer = olga.htmx.post(f"/calendar/chairs/{one.id}/use", version=one.row_version)
    assert answer.status_code == 422 and "last chair" in answer.toast


def test_olga_adds_a_type_and_visits_get_its_length(olga: Person, make: Make) -> None:
    answer = olga.htmx.post("/calendar/types", target="dialog", name="Whitening", minutes=60, color="#db2777")
    assert answer.status_code == 200
    option = olga.get("/calendar/events/new").page.one(f'#type_id option[value="{make.type("Whitening").id}"]')
    assert option["data-minutes"] == "60"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"minutes": "0"}, "minutes"),
        ({"minutes": "7"}, "minutes"),
        ({"minutes": "500"}, "minutes"),
        ({"minutes": "soon"}, "minutes"),
        ({"color": "#000000"}, "color"),
    ],
)
def test_each_wrong_value_of_a_type_is_named(olga: Person, changes: dict[str, str], field: str) -> None:
    filled = {"name": "Whitening", "minutes": "30", "color": "#db2777"} | changes
    answer = olga.htmx.post("/calendar/types", target="dialog", **filled)
    assert answer.status_code == 422 and answer.page.error(field)


def test_an_odd_colour_gets_the_house_s_own_sentence(olga: Person) -> None:
    answer = olga.htmx.post("/calendar/types", target="dialog", name="Whitening", minutes="30", color="#000000")
    assert answer.page.error("color") == "Please choose from the list."


def test_a_version_of_thousands_of_digits_is_no_version(olga: Person, make: Make) -> None:
    assert olga.htmx.post(f"/calendar/chairs/{make.chair('Chair 2').id}/use", version="9" * 5000).status_code == 409


@pytest.mark.parametrize("who", ["rita", "ada", "hugo"])
def test_only_the_owner_furnishes(request: pytest.FixtureRequest, who: str) -> None:
    person: Person = request.getfixturevalue(who)
    assert person.get("/calendar/chairs").status_code == 403
    assert person.htmx.post("/calendar/types", name="x", minutes=30, color="#db2777").status_code == 403
