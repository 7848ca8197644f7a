"""Hours, breaks and absences of a provider."""

from typing import Any

import pytest

from cpms.auth import queries as auth
from tests.make import TUESDAY, Make
from tests.pages import Person

OWN = {"mode": "own", "from_1": "08:00", "to_1": "12:00", "from_2": "13:00", "to_2": "17:00"}


def day_url(make: Make, weekday: int = 1) -> str:
    return f"/hours/providers/{make.user('ada').id}/days/{weekday}"


def test_rita_gives_ada_hours_and_a_break(rita: Person, make: Make, last_audit: Any) -> None:
    form = rita.htmx.get(day_url(make), target="dialog").page
    assert form.one('[name="mode"][checked]')["value"] == "clinic"
    answer = rita.htmx.post(
        day_url(make), target="dialog", version=form.value("version"), break_1="Lunch", break_from_1="15:00",
        break_to_1="15:15", **OWN,
    )  # fmt: skip
    assert answer.status_code == 200 and "hours-changed" in answer.headers["HX-Trigger"]
    assert last_audit().action == "hours.change"
    page = rita.get(f"/hours/providers/{make.user('ada').id}").page
    assert "Tuesday 08:00–12:00, 13:00–17:00; Lunch 15:00–15:15" in page.text
    assert "Monday as the clinic" in page.text
    assert "Tue 08:00–12:00, 13:00–17:00" in rita.get("/hours/").page.text


def test_the_same_hours_go_to_other_weekdays_at_once(rita: Person, make: Make) -> None:
    rita.htmx.post(day_url(make), version=0, also=["2", "3"], **OWN)
    words = rita.get(f"/hours/providers/{make.user('ada').id}").page.text
    assert all(f"{day} 08:00–12:00, 13:00–17:00" in words for day in ("Tuesday", "Wednesday", "Thursday"))
    assert "Friday as the clinic" in words


def test_a_day_without_work(rita: Person, make: Make) -> None:
    rita.htmx.post(day_url(make), version=0, **OWN)
    rita.htmx.post(day_url(make), version=1, **(OWN | {"mode": "off", "from_1": "nonsense"}))
    assert "Tuesday not at work" in rita.get(f"/hours/providers/{make.user('ada').id}").page.text


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"from_1": ""}, "from_1", "From when"),
        ({"to_1": ""}, "to_1", "Until when"),
        ({"to_1": "08:00"}, "to_1", "end after it begins"),
        ({"from_2": "11:59"}, "from_2", "lie over others"),
        ({"from_1": "soon"}, "from_1", "hours and minutes"),
        ({"break_1": "Lunch"}, "break_from_1", "From when"),
        ({"break_from_1": "12:00", "break_to_1": "11:00"}, "break_to_1", "end after it begins"),
        ({"from_1": "", "to_1": "", "from_2": "", "to_2": ""}, "from_1", "From when"),
    ],
)
def test_each_wrong_value_is_named(rita: Person, make: Make, changes: dict[str, str], field: str, words: str) -> None:
    answer = rita.htmx.post(day_url(make), target="dialog", version=0, **(OWN | changes))
    assert answer.status_code == 422 and words in answer.page.error(field)
    assert "Tuesday as the clinic" in rita.get(f"/hours/providers/{make.user('ada').id}").page.text


def test_the_second_editor_is_told_and_keeps_what_was_typed(rita: Person, ada: Person, make: Make) -> None:
    rita.htmx.post(day_url(make), version=0, **OWN)
    late = ada.htmx.post(day_url(make), target="dialog", version=0, **(OWN | {"from_1": "07:00"}))
    assert late.status_code == 409 and late.page.value("from_1") == "07:00" and "meanwhile" in late.page.text
    again = ada.htmx.post(
        day_url(make), target="dialog", version=late.page.value("version"), **(OWN | {"from_1": "07:00"})
    )
    assert again.status_code == 200


def test_undo_gives_the_clinics_hours_back(rita: Person, make: Make) -> None:
    undo = rita.htmx.post(day_url(make), version=0, **OWN).undo
    assert rita.htmx.post(undo).status_code == 200
    assert "Tuesday as the clinic" in rita.get(f"/hours/providers/{make.user('ada').id}").page.text


def test_the_log_says_the_hours_in_words(rita: Person, olga: Person, make: Make) -> None:
    rita.htmx.post(day_url(make), version=0, **OWN)
    words = olga.get("/audit/").page.one("main").get_text(" ", strip=True)
    words = " ".join(words.split())
    assert "Rita Desk changed the hours · Dr Ada Dent" in words
    assert "Tuesday: as the clinic → 08:00–12:00, 13:00–17:00" in words


def test_the_log_says_whose_absence_was_planned(rita: Person, olga: Person, make: Make) -> None:
    rita.htmx.post(f"/hours/providers/{make.user('ada').id}/away", kind="sick", first="2026-09-07")
    assert "Rita Desk entered an absence · Dr Ada Dent" in olga.get("/audit/").page.text


def test_an_absence_from_until(rita: Person, make: Make, last_audit: Any) -> None:
    user_id = make.user("ada").id
    answer = rita.htmx.post(
        f"/hours/providers/{user_id}/away", target="dialog", kind="holiday", first="2026-09-07", last="2026-09-11"
    )
    assert answer.status_code == 200 and last_audit().action == "hours.away"
    assert "Mon 7 Sep – Fri 11 Sep 2026 holiday" in rita.get(f"/hours/providers/{user_id}").page.text


def test_a_part_of_a_day_is_changed_and_taken_away(rita: Person, make: Make) -> None:
    user_id = make.user("ada").id
    away = {"kind": "training", "first": "2026-09-07", "starts": "13:00", "ends": "15:00"}
    rita.htmx.post(f"/hours/providers/{user_id}/away", **away)
    page = rita.get(f"/hours/providers/{user_id}").page
    assert "Mon 7 Sep 2026, 13:00–15:00 training" in page.text
    url = str(page.one('#provider-hours a[href^="/hours/off/"]')["href"])
    form = rita.htmx.get(url, target="dialog").page
    assert form.value("starts") == "13:00" and form.value("last") == "2026-09-07"
    changed = rita.htmx.post(url, target="dialog", version=form.value("version"), **(away | {"ends": ""}))
    assert changed.status_code == 200
    assert "13:00–00:00" in rita.get(f"/hours/providers/{user_id}").page.text
    undo = rita.htmx.post(f"{url}/delete", version=2).undo
    assert "No absence is planned" in rita.get(f"/hours/providers/{user_id}").page.text
    assert rita.htmx.post(undo).status_code == 200
    assert "13:00–00:00" in rita.get(f"/hours/providers/{user_id}").page.text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"first": ""}, "first"),
        ({"first": "2026-02-30"}, "first"),
        ({"last": "2026-09-06"}, "last"),
        ({"last": "2028-09-06"}, "last"),
        ({"starts": "10:00", "ends": "10:00", "last": ""}, "ends"),
        ({"kind": "closed"}, "kind"),
    ],
)
def test_a_wrong_absence_is_refused(rita: Person, make: Make, changes: dict[str, str], field: str) -> None:
    form = {"kind": "holiday", "first": "2026-09-07", "last": "2026-09-08"} | changes
    answer = rita.htmx.post(f"/hours/providers/{make.user('ada').id}/away", target="dialog", **form)
    assert answer.status_code == 422 and answer.page.error(field)


def test_why_somebody_is_away_is_not_everybodys_to_read(hugo: Person, rita: Person, make: Make) -> None:
    user_id = make.user("ada").id
    rita.htmx.post(f"/hours/providers/{user_id}/away", kind="sick", first="2026-09-07", name="Broken leg")
    words = hugo.get(f"/hours/providers/{user_id}").page.text
    assert "Mon 7 Sep 2026" in words and "sick" not in words and "Broken leg" not in words


def test_nobody_of_that_name_takes_visits(rita: Person, make: Make) -> None:
    assert rita.get(f"/hours/providers/{make.user('olga').id}").status_code == 404


def test_visits_that_now_lie_outside_are_counted_and_listed(rita: Person, make: Make) -> None:
    inside, outside = make.visit(TUESDAY), make.visit(TUESDAY.replace(hour=12))
    make.visit(TUESDAY.replace(hour=12), chair="Chair 2", provider="hugo")
    note = f"/calendar/outside/note?provider={make.user('ada').id}"
    assert rita.htmx.get(note).page.text == ""
    rita.htmx.post(day_url(make), version=0, **OWN)
    assert "1 booked visit lies outside" in rita.htmx.get(note).page.text
    page = rita.get("/calendar/outside").page
    assert [a["href"] for a in page.all("#outside .row-link")] == [f"/calendar/events/{outside.id}"]
    assert "outside the hours of Dr Ada Dent: 08:00–12:00, 13:00–17:00" in page.text
    assert f"/calendar/events/{inside.id}" not in page.html


def test_whom_to_call_stands_with_the_telephone_number(rita: Person, make: Make) -> None:
    mobile, home = {"mobile_phone": "0150 123 456", "home_phone": "030 1"}, {"home_phone": "030 789"}
    for hour, phones in enumerate((mobile, home, {})):
        patient = make.patient(last_name=f"Schneider{hour}", **phones)
        make.visit(TUESDAY.replace(hour=20 + hour), patient=patient)
    page = rita.get("/calendar/outside").page
    assert [a["href"] for a in page.all('#outside a[href^="tel:"]')] == ["tel:0150123456", "tel:030789"]


def test_a_visit_under_way_is_on_it_until_its_end_however_long(rita: Person, make: Make) -> None:
    make.visit(TUESDAY.replace(hour=1, minute=5), minutes=480)  # until 09:05, and it is 09:00
    make.visit(TUESDAY.replace(hour=0, minute=55), minutes=480, chair="Chair 2", provider="hugo")  # over
    assert len(rita.get("/calendar/outside").page.all("#outside .row-link")) == 1
    assert "1 visit lies outside the hours" in rita.htmx.get("/today/outside").page.text


def test_every_look_at_the_names_leaves_a_trace(rita: Person, olga: Person, make: Make, last_audit: Any) -> None:
    make.visit(TUESDAY.replace(hour=20))
    page = rita.get("/calendar/outside").page
    assert (last_audit().action, last_audit().actor_id) == ("calendar.outside_list", rita.id)
    before = last_audit().id
    assert rita.htmx.get(str(page.one("#outside")["hx-get"]), target="outside").page.has("#outside .row-link")
    assert (last_audit().action, last_audit().id > before) == ("calendar.outside_list", True)
    before = last_audit().id
    for number in ("/calendar/outside/note", "/today/outside"):
        rita.htmx.get(number)
        assert last_audit().id == before, "a number is nobody's name"
    log = olga.get("/audit/?what=calendar").page.text
    assert "opened the list of visits outside the hours" in log and "1 September 2026" in log


def test_of_somebody_who_left_the_list_stays_theirs(rita: Person, make: Make) -> None:
    make.visit(TUESDAY.replace(hour=20))
    theirs = make.visit(TUESDAY.replace(hour=20), chair="Chair 2", provider="hugo")
    hugo = make.user("hugo").id
    for active, is_provider in ((False, True), (True, False)):
        with make.writing():
            auth.user(hugo).active, auth.user(hugo).is_provider = active, is_provider
        page = rita.get(f"/calendar/outside?provider={hugo}").page
        again = rita.htmx.get(str(page.one("#outside")["hx-get"]), target="outside").page
        for each in (page, again):
            assert [a["href"] for a in each.all("#outside .row-link")] == [f"/calendar/events/{theirs.id}"]
        assert rita.get(str(page.one("a.back")["href"])).status_code == 200
    assert rita.get("/calendar/outside?provider=9999").status_code == 404


def test_a_day_with_a_break_becomes_one_without_work(rita: Person, make: Make) -> None:
    lunch = {"break_1": "Lunch", "break_from_1": "12:00", "break_to_1": "12:30"}
    rita.htmx.post(day_url(make), version=0, mode="clinic", **lunch)
    answer = rita.htmx.post(day_url(make), version=1, mode="off", **lunch)
    assert answer.status_code == 200, "what the dialog hides must not stand in the way"
    assert "Tuesday not at work" in rita.get(f"/hours/providers/{make.user('ada').id}").page.text


def test_hours_that_touch_are_one_span(rita: Person, make: Make) -> None:
    rita.htmx.post(day_url(make), version=0, **(OWN | {"from_2": "12:00"}))
    assert "Tuesday 08:00–17:00" in rita.get(f"/hours/providers/{make.user('ada').id}").page.text
    make.visit(TUESDAY.replace(hour=11, minute=45))
    assert "Every visit lies within the hours" in rita.get("/calendar/outside").page.text
