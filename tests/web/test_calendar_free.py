"""Finding a free time, and booking it with one tap."""

from datetime import date, timedelta
from typing import Any

from cpms.calendar import queries as calendar
from cpms.calendar.models import Status
from cpms.core.db import transaction
from cpms.hours import services
from cpms.hours.models import OffKind
from tests.make import TUESDAY, Make
from tests.pages import Answer, Person


def found(answer: Answer) -> list[str]:
    return [each.get_text(" ", strip=True) for each in answer.page.all("#free-times .free-answer")]


def search(person: Person, **asked: Any) -> Answer:
    return person.htmx.get("/calendar/free", target="free-times", **asked)


def test_thirty_minutes_with_ada_in_the_mornings_from_next_monday(rita: Person, make: Make) -> None:
    monday = TUESDAY.replace(day=7)
    make.visit(monday.replace(hour=8), minutes=225)
    answer = search(rita, minutes=30, provider_id=make.user("ada").id, part="morning", day="2026-09-07")
    times = found(answer)
    assert times[0] == "Tue 8 Sep, 08:00–08:30 Dr Ada Dent · Chair 1", "11:45 would end after noon"
    assert len(times) == 10


def test_later_shows_what_follows_without_a_gap(rita: Person, make: Make) -> None:
    first = search(rita, minutes=30, provider_id=make.user("ada").id, day="2026-09-07")
    later = rita.htmx.get(str(first.page.one(".actions a")["href"]), target="free-times")
    assert found(first)[-1].startswith("Mon 7 Sep, 12:30–13:00")
    assert found(later)[0].startswith("Mon 7 Sep, 13:00–13:30")


def test_only_the_chosen_weekdays(rita: Person) -> None:
    times = found(search(rita, minutes=240, day="2026-09-01", weekday=["2", "5"]))
    assert {words[:3] for words in times} == {"Wed", "Sat"}


def test_nothing_before_now_and_nothing_on_closed_days(rita: Person, make: Make) -> None:
    with make.app.app_context(), transaction("test.hours", actor=None):
        services.add_time_off(
            kind=OffKind.CLOSED, first=date(2026, 9, 2), last=date(2026, 9, 10), starts=None, ends=None, name="Leave",
            provider_id=None,
        )  # fmt: skip
    times = found(search(rita, minutes=480, day="2020-01-01"))
    assert times[0].startswith("Tue 1 Sep, 09:00–17:00")
    assert times[1].startswith("Fri 11 Sep")


def test_when_there_is_no_time_it_says_so_and_offers_the_days_after(rita: Person, make: Make) -> None:
    with make.app.app_context(), transaction("test.hours", actor=None):
        services.add_time_off(
            kind=OffKind.CLOSED, first=date(2026, 9, 1), last=date(2026, 12, 31), starts=None, ends=None, name="Leave",
            provider_id=None,
        )  # fmt: skip
    nothing = search(rita, minutes=30, day="2026-09-01")
    assert "No free time until Sat 31 Oct" in nothing.page.text
    after = rita.htmx.get(str(nothing.page.one(".actions a")["href"]), target="free-times")
    assert "No free time until Wed 30 Dec" in after.page.text


def test_a_tap_opens_the_form_filled_in(rita: Person, make: Make) -> None:
    page = search(rita, minutes=45, type_id=make.type("Filling").id, day="2026-09-07").page
    form = rita.htmx.get(str(page.all(".free-answer")[0]["href"]), target="dialog").page
    shown = {name: form.value(name) for name in ("day", "start_time", "minutes", "type_id")}
    assert shown == {
        "day": "2026-09-07", "start_time": "08:00", "minutes": "45", "type_id": str(make.type("Filling").id)
    }  # fmt: skip


def test_for_a_chosen_patient_a_tap_books(rita: Person, make: Make, last_audit: Any) -> None:
    patient = make.patient()
    page = rita.htmx.get(f"/calendar/free?patient_id={patient.id}&day=2026-09-07&minutes=30", target="dialog").page
    assert f"For {patient.name}" in page.text
    form = page.all("#free-times form")[0]
    fields = {str(each["name"]): str(each["value"]) for each in form.select("input")}
    booked = rita.htmx.post(str(form["action"]), target="dialog", **fields)
    assert booked.status_code == 200 and "Mon 7 Sep, 08:00" in booked.toast and last_audit().action == "event.create"
    twice = rita.htmx.post(str(form["action"]), target="dialog", **fields)
    assert twice.status_code == 200
    with make.app.app_context():
        assert len(calendar.coming(patient.id)) == 1
    assert rita.htmx.post(booked.undo).status_code == 200


def test_a_time_that_was_taken_meanwhile_is_said_and_the_list_is_fresh(rita: Person, make: Make) -> None:
    patient = make.patient()
    page = rita.htmx.get(f"/calendar/free?patient_id={patient.id}&day=2026-09-07&minutes=30", target="dialog").page
    form = page.all("#free-times form")[0]
    fields = {str(each["name"]): str(each["value"]) for each in form.select("input")}
    make.visit(TUESDAY.replace(day=7, hour=8), provider="ada")
    make.visit(TUESDAY.replace(day=7, hour=8), provider="hugo", chair="Chair 2")
    answer = rita.htmx.post(str(form["action"]), target="dialog", **fields)
    assert answer.status_code == 409 and "is taken from 08:00 to 08:30" in answer.toast
    assert found(answer)[0].startswith("Mon 7 Sep, 08:30")


def test_the_patients_other_visits_are_in_the_way(rita: Person, make: Make) -> None:
    visit = make.visit(TUESDAY.replace(day=7, hour=8))
    times = found(search(rita, minutes=30, day="2026-09-07", patient_id=visit.patient_id))
    assert times[0].startswith("Mon 7 Sep, 08:30")
    assert found(search(rita, minutes=30, day="2026-09-07"))[0] == "Mon 7 Sep, 08:00–08:30 Hugo Clean · Chair 2"


def test_another_time_for_a_visit_opens_the_move_filled_in(rita: Person, make: Make) -> None:
    visit = make.visit(TUESDAY.replace(day=7, hour=8), minutes=40)
    page = search(rita, event_id=visit.id, day="2026-09-07").page
    first = page.all(".free-answer")[0]
    assert first.get_text(" ", strip=True).startswith("Mon 7 Sep, 08:00–08:40 Dr Ada"), "it is not in its own way"
    form = rita.htmx.get(str(page.all(".free-answer")[1]["href"]), target="dialog").page
    assert (form.value("day"), form.value("start_time"), form.value("minutes")) == ("2026-09-07", "08:40", "40")


def test_a_form_that_asks_gets_answers_to_fill_itself(rita: Person, make: Make) -> None:
    new = rita.htmx.get("/calendar/events/new", target="dialog").page
    url = str(new.one("[data-find-time]")["hx-get"])
    page = rita.htmx.get(f"{url}&minutes=30&day=2026-09-07", target="free-panel").page
    assert page.has("[data-free-back]") and not page.has(".sheet-head")
    assert '"start_time": "08:00"' in str(page.all("[data-fill]")[0]["data-fill"])


def test_cancelled_visits_hold_no_time(rita: Person, make: Make) -> None:
    for chair, provider in (("Chair 1", "ada"), ("Chair 2", "hugo")):
        make.visit(TUESDAY.replace(day=7, hour=8), chair=chair, provider=provider, status=Status.CANCELLED)
    assert found(search(rita, minutes=30, day="2026-09-07"))[0].startswith("Mon 7 Sep, 08:00")


def test_each_wrong_value_is_said(rita: Person) -> None:
    for wrong in ({"minutes": "7"}, {"minutes": "485"}, {"minutes": ""}, {"day": "soon"}, {"provider_id": "987"}):
        answer = search(rita, **({"minutes": "30", "day": "2026-09-07"} | wrong))
        assert answer.status_code == 422 and answer.page.has("#free-times .alert.danger"), wrong
    assert search(rita, after="yesterday").status_code == 404
    assert rita.htmx.post("/calendar/free", start="2026-09-07T08:00").status_code == 400


def test_a_fortnight_costs_one_look_at_the_calendar(rita: Person, make: Make, statements: list[str]) -> None:
    for day in range(5):
        make.visit(TUESDAY + timedelta(days=day))
    statements.clear()
    search(rita, minutes=30, day="2026-09-07")
    assert len([each for each in statements if "FROM event" in each]) == 1


def test_another_time_for_a_visit_whose_dentist_or_type_is_gone(rita: Person, make: Make) -> None:
    visit = make.visit(TUESDAY.replace(day=8), provider="hugo", type_id=make.type("Filling").id)
    with make.writing():
        stored = calendar.event(visit.id)
        stored.provider.is_provider = stored.type.active = False
    for asked in ({"event_id": visit.id}, {"fill": 1, "minutes": 30, "provider_id": visit.provider_id}):
        answer = search(rita, **asked)
        assert answer.status_code == 200
        assert "Dr Ada Dent" in found(answer)[0]


def test_an_address_with_a_number_that_no_visit_has(rita: Person) -> None:
    for number in ("9" * 10, "9" * 40, "-1", "x"):
        assert search(rita, event_id=number).status_code == 404, number
