"""A provider's calendar at a secret address, read by a real calendar library."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from flask import Flask

from cpms.audit import queries as audit
from cpms.auth.models import User
from cpms.calendar.models import Event, Status
from cpms.core import clock
from cpms.core.db import db, transaction
from cpms.feeds import services
from cpms.feeds.models import Feed
from cpms.settings import services as settings
from tests.conftest import NOW
from tests.make import Make
from tests.pages import Answer, Person


@pytest.fixture
def feeds_on(app: Flask) -> None:
    with app.app_context(), transaction("settings.change", actor=None):
        settings.change_settings(feeds_on=True)


@pytest.fixture
def address(feeds_on: None, ada: Person) -> str:
    """That of Dr Ada's calendar, as the screen shows it once."""
    return shown(ada.post("/feeds/renew"))


def shown(answer: Answer) -> str:
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.page.one("[data-secret]")["value"].removeprefix("http://localhost")


def events(answer: Answer) -> list[icalendar.Event]:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    return icalendar.Calendar.from_ical(answer.data).walk("VEVENT")


def actions(app: Flask) -> list[str]:
    with app.app_context():
        return [entry.action for entry in audit.entries(limit=50) if entry.action.startswith("feed.")]


def test_a_telephone_reads_what_kind_where_and_initials_alone(address: str, make: Make, outsider: Person) -> None:
    patient = make.patient(first_name="Işıl", last_name="Çağ", notes="canary", alert_text="canary")
    make.visit(datetime(2026, 9, 2, 10, 0), patient=patient, notes="canary", type_id=make.type("Check-up").id)
    make.visit(datetime(2026, 9, 2, 10, 0), chair="Chair 2", provider="hugo")
    answer = outsider.get(address)
    [event] = events(answer)
    assert (str(event["SUMMARY"]), str(event["LOCATION"])) == ("IÇ · Check-up", "Chair 1")
    assert event["DTSTART"].dt == datetime(2026, 9, 2, 8, 0, tzinfo=UTC)
    for word in ("canary", "Işıl", "Çağ", "DESCRIPTION"):
        assert word not in answer.html
    assert "Dr Ada Dent" in str(icalendar.Calendar.from_ical(answer.data)["X-WR-CALNAME"])


def test_what_was_typed_as_a_title_may_be_a_name(address: str, make: Make, outsider: Person) -> None:
    stranger = make.visit(datetime(2026, 9, 2, 10, 0), title="New: Mrs Kaya")
    with make.writing():
        db.session.get(Event, stranger.id).patient_id = None
    make.block(datetime(2026, 9, 2, 12, 0), title="Call Mrs Kaya", provider="ada")
    answer = outsider.get(address)
    assert [str(event["SUMMARY"]) for event in events(answer)] == ["Visit", "Blocked"]
    assert "Kaya" not in answer.html


def test_times_are_right_on_both_sides_of_summer_time(address: str, make: Make, outsider: Person) -> None:
    starts = [datetime(2026, 10, 23, 10, 0), datetime(2026, 10, 26, 10, 0), datetime(2027, 3, 29, 10, 0)]
    for start in starts:
        make.visit(start)
    berlin = ZoneInfo("Europe/Berlin")
    told = [event["DTSTART"].dt for event in events(outsider.get(address))]
    assert [at.astimezone(berlin).replace(tzinfo=None) for at in told] == starts
    assert [at.astimezone(UTC).hour for at in told] == [8, 9, 8]


def test_a_month_back_and_a_year_ahead_are_told(address: str, make: Make, outsider: Person) -> None:
    inside = [datetime(2026, 8, 3, 10, 0), datetime(2027, 8, 31, 10, 0)]
    for start in (datetime(2026, 7, 31, 10, 0), *inside, datetime(2027, 9, 2, 10, 0)):
        make.visit(start)
    berlin = ZoneInfo("Europe/Berlin")
    told = [event["DTSTART"].dt.astimezone(berlin).replace(tzinfo=None) for event in events(outsider.get(address))]
    assert told == inside


def test_a_move_keeps_its_identity_and_counts_up(
    address: str, make: Make, outsider: Person, rita: Person, app: Flask
) -> None:
    visit = make.visit(datetime(2026, 9, 2, 10, 0))
    [before] = events(outsider.get(address))
    rita.post(f"/calendar/events/{visit.id}/status", status="confirmed", version=visit.row_version)
    [after] = events(outsider.get(address))
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]


def test_cancelled_ones_are_told_as_such_and_deleted_ones_not(address: str, make: Make, outsider: Person) -> None:
    make.visit(datetime(2026, 9, 2, 10, 0), status=Status.CANCELLED)
    gone = make.visit(datetime(2026, 9, 2, 12, 0))
    with make.writing():
        db.session.get(Event, gone.id).deleted_at = clock.now()
    assert [event["STATUS"] for event in events(outsider.get(address))] == ["CANCELLED"]


def test_an_unchanged_calendar_is_not_sent_again(address: str, make: Make, outsider: Person) -> None:
    make.visit(datetime(2026, 9, 2, 10, 0))
    first = outsider.get(address)
    assert first.headers["Cache-Control"] == "private, max-age=300"
    again = outsider.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    make.visit(datetime(2026, 9, 2, 12, 0))
    assert outsider.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_only_the_hash_of_the_secret_is_kept_and_the_trail_does_not_know_it(address: str, app: Flask) -> None:
    secret = address.removeprefix("/feeds/").removesuffix(".ics")
    assert len(secret) == 43  # 256 bits
    with app.app_context():
        [row] = db.session.query(Feed)
        assert secret not in repr(vars(row))
        [change] = audit.changes_of(audit.entries(limit=1)[0].id)
        assert row.token_hash not in str(change.columns) and secret not in str(change.columns)


def test_a_reading_leaves_one_trace_a_day(address: str, app: Flask, outsider: Person) -> None:
    for _ in range(3):
        outsider.get(address)
    assert actions(app) == ["feed.read", "feed.renew"]
    with clock.freeze(NOW + timedelta(days=1)):
        outsider.get(address)
    assert actions(app) == ["feed.read", "feed.read", "feed.renew"]


def revoked(app: Flask, ada: Person, olga: Person) -> None:
    assert ada.post("/feeds/revoke").status_code == 303


def revoked_by_the_owner(app: Flask, ada: Person, olga: Person) -> None:
    assert olga.post(f"/feeds/{ada.id}/revoke").status_code == 303


def renewed(app: Flask, ada: Person, olga: Person) -> None:
    shown(olga.post(f"/feeds/{ada.id}/renew"))


def switched_off(app: Flask, ada: Person, olga: Person) -> None:
    assert olga.post("/feeds/switch").status_code == 303


def left(app: Flask, ada: Person, olga: Person) -> None:
    with app.app_context(), transaction("test.leave", actor=None):
        db.session.get(User, ada.id).active = False


def takes_no_visits(app: Flask, ada: Person, olga: Person) -> None:
    with app.app_context(), transaction("test.leave", actor=None):
        db.session.get(User, ada.id).is_provider = False


def restored(app: Flask, ada: Person, olga: Person) -> None:
    with app.app_context(), transaction("test.restore", actor=None):
        services.revoke_all()


@pytest.mark.parametrize(
    "does",
    [revoked, revoked_by_the_owner, renewed, switched_off, left, takes_no_visits, restored],
    ids=lambda each: each.__name__,
)
def test_an_address_that_is_none_any_more_is_as_one_that_never_was(
    address: str, app: Flask, ada: Person, olga: Person, outsider: Person, does: Callable[..., None]
) -> None:
    assert outsider.get(address).status_code == 200
    does(app, ada, olga)
    now, never = outsider.get(address), outsider.get("/feeds/" + "x" * 43 + ".ics")
    assert (now.status_code, never.status_code) == (404, 404)
    assert now.page.text == never.page.text


def test_names_are_told_when_the_owner_says_so(
    address: str, make: Make, outsider: Person, olga: Person, ada: Person
) -> None:
    patient = make.patient(first_name="Işıl", last_name="Çağ")
    make.visit(datetime(2026, 9, 2, 10, 0), patient=patient, type_id=make.type("Check-up").id)
    assert ada.post(f"/feeds/{ada.id}/names", on="y").status_code == 403
    olga.post(f"/feeds/{ada.id}/names", on="y")
    [event] = events(outsider.get(address))
    assert str(event["SUMMARY"]) == "Işıl Çağ · Check-up"
    assert "whole names" in ada.get("/feeds/").page.text


def test_a_clinic_that_did_not_switch_them_on_has_none(ada: Person, olga: Person, app: Flask) -> None:
    assert ada.post("/feeds/renew").status_code == 422
    assert "Calendar feed" not in ada.get("/auth/profile").page.text
    assert ada.post("/feeds/switch", on="y").status_code == 403
    assert olga.post("/feeds/switch", on="y").status_code == 303
    assert "Calendar feed" in ada.get("/auth/profile").page.text
    assert ada.post("/feeds/renew").status_code == 200


def test_who_takes_no_visits_has_none(feeds_on: None, rita: Person) -> None:
    assert rita.post("/feeds/renew").status_code == 422
    assert "Only somebody who takes visits" in rita.get("/feeds/").page.text


def test_nobody_keeps_the_machine_busy(address: str, app: Flask, outsider: Person) -> None:
    statuses = [outsider.get(f"/feeds/{'y' * 42}{turn % 10}.ics").status_code for turn in range(32)]
    assert statuses == [404] * 30 + [429] * 2
    assert outsider.get(address).status_code == 200, "a good address is read from there all the same"
    with clock.freeze(NOW + timedelta(minutes=11)):
        assert outsider.get("/feeds/wrong.ics").status_code == 404
