"""What can be taken back stays on the next pages, for as long as its time runs."""

import json
from datetime import timedelta

from cpms.auth import services as auth
from cpms.auth.models import User
from cpms.core import clock
from cpms.core.db import db
from tests.conftest import NOW
from tests.make import TUESDAY, Make
from tests.pages import Person


def buttons(person: Person, url: str = "/settings/") -> list[str]:
    return [str(form["hx-post"]) for form in person.get(url).page.all(".toast form")]


def deleted(rita: Person, make: Make) -> str:
    """The address that brings a visit back, whose sentence was shown on the page that followed."""
    visit = make.visit()
    rita.post(f"/calendar/events/{visit.id}/delete", version=visit.row_version)
    (undo,) = buttons(rita, "/calendar/day/2026-09-01")
    assert undo.startswith(f"/calendar/events/{visit.id}/undelete")
    return undo


def test_it_is_on_the_next_page_for_ten_seconds(rita: Person, make: Make) -> None:
    undo = deleted(rita, make)
    assert buttons(rita) == [undo]
    with clock.freeze(NOW + timedelta(seconds=7)):
        page = rita.get("/calendar/week/2026-09-01").page
        assert page.one(".toast")["data-seconds"] == "3"
    with clock.freeze(NOW + timedelta(seconds=10)):
        assert buttons(rita) == []


def test_what_waited_too_long_for_a_page_is_not_told_any_more(rita: Person, make: Make) -> None:
    visit = make.visit()
    rita.post(f"/calendar/events/{visit.id}/delete", version=visit.row_version)
    with clock.freeze(NOW + timedelta(minutes=2)):
        assert rita.get("/settings/").toast == ""
    other = make.visit(TUESDAY + timedelta(hours=4))
    rita.post(f"/calendar/events/{other.id}/delete", version=other.row_version)
    with clock.freeze(NOW + timedelta(seconds=20)):
        assert "Taken off the calendar" in rita.get("/settings/").toast, "a slow page still tells it"


def test_a_visit_moved_without_a_new_page_is_kept_too(rita: Person, make: Make) -> None:
    visit = make.visit()
    answer = rita.htmx.post(f"/calendar/events/{visit.id}/delete", target="dialog", version=visit.row_version)
    assert "Taken off the calendar" in answer.toast
    undo = str(answer.page.one(".toast form")["hx-post"])
    assert buttons(rita) == [undo]
    assert buttons(rita) == [undo], "and not twice"


def test_what_was_taken_back_or_put_away_does_not_return(rita: Person, make: Make) -> None:
    undo = deleted(rita, make)
    rita.htmx.post(undo)
    assert undo not in buttons(rita)
    visit = make.visit(TUESDAY + timedelta(hours=4))
    rita.htmx.post(f"/calendar/events/{visit.id}/delete", target="dialog", version=visit.row_version)
    away = rita.get("/settings/").page.one(".toast [data-toast-close]")
    assert rita.htmx.post(str(away["hx-post"]), **json.loads(str(away["hx-vals"]))).status_code == 204
    assert buttons(rita) == []


def test_a_plain_sentence_and_an_error_are_told_once(rita: Person, make: Make) -> None:
    undo = deleted(rita, make)
    assert "Back on the calendar" in rita.htmx.post(undo, target="dialog").toast
    assert rita.get("/settings/").toast == ""
    assert rita.htmx.get("/nowhere", target="dialog").page.one(".toast.error")
    assert rita.get("/settings/").toast == ""


def test_whoever_signs_in_next_does_not_get_it(rita: Person, make: Make) -> None:
    deleted(rita, make)
    rita.post("/logout")
    assert rita.get("/login").toast == ""


def test_a_locked_screen_tells_none_of_it(rita: Person, make: Make) -> None:
    deleted(rita, make)
    rita.post("/auth/lock", next="/settings/")
    assert rita.get("/login").toast == ""
    assert not {"toasts", "_flashes"} & kept(rita).keys()


def test_a_session_that_is_over_tells_none_of_it(rita: Person, make: Make) -> None:
    visit = make.visit()
    rita.post(f"/calendar/events/{visit.id}/delete", version=visit.row_version)
    assert "_flashes" in kept(rita)
    with make.writing():
        auth.end_sessions(db.session.get(User, rita.id))
    answer = rita.htmx.get("/auth/awake")
    assert answer.status_code == 401 and answer.toast == ""
    assert not {"toasts", "_flashes"} & kept(rita).keys(), "nor does the cookie hold a name any more"


def test_nor_does_the_page_where_one_signs_in_again(rita: Person, make: Make) -> None:
    deleted(rita, make)
    with make.writing():
        auth.end_sessions(db.session.get(User, rita.id))
    assert rita.get("/login").toast == ""


def kept(person: Person) -> dict[str, object]:
    with person.client.session_transaction() as session:
        return dict(session)
