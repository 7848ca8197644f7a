"""A day with a column for each chair, or for each person."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cpms.calendar.models import Event
from cpms.core.db import db
from tests.make import TUESDAY, Make
from tests.pages import Answer, Person
from tests.series import book

DAY = "/calendar/day/2026-09-01"


def columns(person: Person, url: str) -> dict[str, int]:
    return {
        column.select_one(".col-head").get_text(strip=True): len(column.select(".ev"))
        for column in person.get(url).page.all("#week-grid .col")
    }


def drop(person: Person, visit: Event, to: int, **more: Any) -> Answer:
    form = {"event": visit.id, "version": visit.row_version, "start": f"{visit.start:%Y-%m-%dT%H:%M}", "minutes": 30}
    form |= {"chair": "", "to_provider": to, "view": "day", "day": "2026-09-01", "by": "provider"}
    return person.htmx.post("/calendar/events/move", target="week-grid", **(form | more))


def test_a_column_for_each_person_and_one_for_what_nobody_has(rita: Person, make: Make) -> None:
    make.visit()
    make.visit(TUESDAY + timedelta(hours=1), chair="Chair 2")
    make.block(TUESDAY + timedelta(hours=2))
    assert columns(rita, f"{DAY}?by=provider") == {"Dr Ada Dent": 2, "Hugo Clean": 0, "With nobody": 1}
    assert columns(rita, DAY) == {"Chair 1": 2, "Chair 2": 1}


def test_the_switch_is_remembered(rita: Person, sign_in: Callable[[str], Person]) -> None:
    form = {"view": "day", "day": "2026-09-01", "toggle": "by:provider"}
    answer = rita.htmx.post("/calendar/choose", target="calendar", **form)
    assert answer.headers["HX-Push-Url"] == f"{DAY}?by=provider"
    page = sign_in("rita").get("/calendar/day/2026-09-02").page
    assert page.one("#cal-by-provider")["aria-pressed"] == "true"
    assert page.has(".col[data-provider]") and not page.has(".col[data-chair]")


def test_a_card_that_is_let_go_in_another_column_is_with_that_person(rita: Person, make: Make, last_audit: Any) -> None:
    visit = make.visit()
    answer = drop(rita, visit, make.user("hugo").id)
    assert answer.status_code == 200
    assert answer.page.one(f'.col[data-provider="{make.user("hugo").id}"] #e{visit.id}')
    assert "Hugo Clean" in answer.toast and last_audit().action == "event.move"
    with make.app.app_context():
        moved = db.session.get(Event, visit.id)
        assert (moved.provider_id, moved.chair_id) == (make.user("hugo").id, visit.chair_id)


def test_one_of_a_series_asks_whether_the_others_go_to_that_person_too(rita: Person, make: Make) -> None:
    row = book(rita, make, patient_id=make.patient().id)[0]
    answer = drop(rita, row, make.user("hugo").id)
    assert answer.status_code == 422 and answer.page.has("[name=scope]")
    assert answer.page.value("provider_id") == str(make.user("hugo").id)


def test_one_tap_takes_it_back(rita: Person, make: Make) -> None:
    visit = make.visit()
    undo = drop(rita, visit, make.user("hugo").id).page.one(".toast form")["action"]
    assert rita.htmx.post(str(undo)).status_code == 200
    with make.app.app_context():
        assert db.session.get(Event, visit.id).provider_id == make.user("ada").id


def test_a_visit_is_never_with_nobody_and_a_block_may_be(rita: Person, make: Make) -> None:
    visit, block = make.visit(), make.block(TUESDAY + timedelta(hours=2), provider="ada")
    answer = drop(rita, visit, 0)
    assert answer.status_code == 422 and "Please choose who sees the patient." in answer.toast
    assert drop(rita, block, 0).status_code == 200
    with make.app.app_context():
        assert db.session.get(Event, block.id).provider_id is None


def test_who_is_taken_is_asked_about(rita: Person, make: Make) -> None:
    make.visit(chair="Chair 2", provider="hugo")
    visit = make.visit()
    answer = drop(rita, visit, make.user("hugo").id)
    assert answer.status_code == 409
    assert "Hugo Clean is taken" in answer.page.text
    assert answer.page.value("provider_id") == str(make.user("hugo").id), "the question asks what was meant"


@pytest.mark.parametrize("by", ["chair", "provider"])
def test_the_printed_day_has_the_same_columns(rita: Person, make: Make, by: str) -> None:
    make.visit()
    make.visit(chair="Chair 2", provider="hugo")
    link = str(rita.get(f"{DAY}?by={by}").page.one("#cal-print")["href"])
    heads = [each.get_text() for each in rita.get(link).page.all("h2")]
    assert heads == (["Chair 1", "Chair 2"] if by == "chair" else ["Dr Ada Dent", "Hugo Clean"])
