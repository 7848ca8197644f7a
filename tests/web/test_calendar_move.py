"""Moving by dragging, and by the dialog that keyboards use."""

from datetime import timedelta
from typing import Any

import pytest

from cpms.calendar.models import Event, Status
from cpms.core.db import db, transaction
from tests.make import TUESDAY, Make
from tests.pages import Answer, Person

LATER = TUESDAY + timedelta(hours=1)


@pytest.fixture
def visit(make: Make) -> Event:
    return make.visit()


def drag(person: Person, visit: Event, **changes: Any) -> Answer:
    """Let the card go somewhere on the week's grid."""
    sent = {
        "event": visit.id,
        "version": visit.row_version,
        "start": f"{LATER:%Y-%m-%dT%H:%M}",
        "minutes": 30,
        "chair": "",
        "view": "week",
        "day": "2026-09-01",
        "provider": "",
        "chair_filter": "",
        "cancelled": "",
    }
    return person.htmx.post("/calendar/events/move", target="week-grid", **(sent | changes))


def stored(make: Make, visit: Event) -> Event:
    with make.app.app_context():
        found = db.session.get(Event, visit.id)
        assert found is not None
        db.session.expunge_all()
        return found


def test_rita_drags_a_visit_and_the_answer_is_the_grid(rita: Person, visit: Event, make: Make, last_audit: Any) -> None:
    answer = drag(rita, visit)
    assert answer.status_code == 200
    assert "11:00" in answer.page.one(f"#week-grid #e{visit.id}").get_text()
    assert stored(make, visit).start == LATER
    assert (last_audit().action, last_audit().about_id) == ("event.move", str(visit.id))


def test_the_move_is_still_there_after_a_reload(rita: Person, visit: Event) -> None:
    drag(rita, visit)
    card = rita.get("/calendar/week/2026-09-01").page.one(f"#e{visit.id}")
    assert "t1100" in card.classes


def test_one_tap_takes_the_move_back(rita: Person, visit: Event, make: Make) -> None:
    undo = str(drag(rita, visit).page.one(".toast form")["hx-post"])
    assert rita.htmx.post(undo, target="week-grid").status_code == 200
    assert stored(make, visit).start == TUESDAY


def test_the_way_back_takes_the_person_away_again(rita: Person, make: Make) -> None:
    block = make.block()
    page = rita.htmx.get(f"/calendar/events/{block.id}/move", target="dialog").page
    form = {name: page.value(name) for name in ("day", "start_time", "minutes", "chair_id", "version", "seen")}
    given = rita.htmx.post(
        f"/calendar/events/{block.id}/move", target="dialog", **form, provider_id=make.user("ada").id
    )
    assert stored(make, block).provider_id == make.user("ada").id
    assert rita.htmx.post(str(given.page.one(".toast form")["hx-post"])).status_code == 200
    assert stored(make, block).provider_id is None


def test_a_visit_is_never_moved_to_nobody(rita: Person, visit: Event, make: Make) -> None:
    answer = drag(rita, visit, provider_back="")
    assert answer.status_code == 422 and "who sees the patient" in answer.toast
    assert stored(make, visit).provider_id == visit.provider_id


def test_the_way_back_over_another_visit_keeps_its_reason(rita: Person, hugo: Person, visit: Event, make: Make) -> None:
    over = make.visit(overbook_reason="Toothache")
    undo = str(drag(rita, over).page.one(".toast form")["hx-post"])
    assert rita.htmx.post(undo).status_code == 200
    now = stored(make, over)
    assert (now.start, now.overbook_reason) == (TUESDAY, "Toothache")
    undo = str(drag(hugo, now, version=now.row_version).page.one(".toast form")["hx-post"])
    assert "Toothache" not in undo
    refused = hugo.htmx.post(undo)
    assert refused.status_code == 409 and "Chair 1 is taken" in refused.page.text, "the dialog says why not"


def test_a_longer_card_is_a_longer_visit(rita: Person, visit: Event, make: Make) -> None:
    assert drag(rita, visit, start=f"{TUESDAY:%Y-%m-%dT%H:%M}", minutes=60).status_code == 200
    assert stored(make, visit).minutes == 60


def test_dropping_in_another_chair_s_column_changes_the_chair(rita: Person, visit: Event, make: Make) -> None:
    chair = make.chair("Chair 2").id
    assert drag(rita, visit, chair=chair, view="day").status_code == 200
    assert stored(make, visit).chair_id == chair


def test_a_stale_drag_gets_the_true_grid_and_the_reason(rita: Person, visit: Event, make: Make) -> None:
    drag(rita, visit)
    answer = drag(rita, visit, start=f"{TUESDAY + timedelta(hours=3):%Y-%m-%dT%H:%M}")
    assert answer.status_code == 409
    assert "t1100" in answer.page.one(f"#week-grid #e{visit.id}").classes
    assert "Somebody else changed this" in answer.toast
    assert stored(make, visit).start == LATER


def test_a_drag_onto_somebody_asks_with_the_dialog(rita: Person, visit: Event, make: Make) -> None:
    make.visit(LATER, patient=make.patient(last_name="Koç"))
    answer = drag(rita, visit)
    assert answer.status_code == 409
    assert "t1000" in answer.page.one(f"#week-grid #e{visit.id}").classes, "the card is back"
    asked = answer.page.one('hx-partial[hx-target="#dialog"]')
    assert "Chair 1 is taken from 11:00 to 11:30: Selma Koç." in asked.get_text(" ", strip=True)
    assert asked.select_one('[name="overbook_reason"]') is not None
    assert stored(make, visit).start == TUESDAY


def test_a_drag_outside_the_hours_asks_first(rita: Person, visit: Event, make: Make) -> None:
    answer = drag(rita, visit, start="2026-09-01T19:00")
    assert answer.status_code == 422
    key = answer.page.one('hx-partial [name="confirmed"]')["value"]
    form = {
        "day": "2026-09-01",
        "start_time": "19:00",
        "minutes": 30,
        "chair_id": visit.chair_id,
        "provider_id": visit.provider_id,
        "version": visit.row_version,
        "confirmed": key,
    }
    assert rita.htmx.post(f"/calendar/events/{visit.id}/move", target="dialog", **form).status_code == 200
    assert stored(make, visit).start.hour == 19


def test_a_finished_visit_does_not_move(rita: Person, make: Make) -> None:
    done = make.visit(status=Status.COMPLETED)
    answer = drag(rita, done)
    assert answer.status_code == 422 and "stays where it was" in answer.toast


@pytest.mark.parametrize(
    "changes",
    [
        {"start": "soon"},
        {"start": "2026-09-01T10:00:30"},
        {"start": "2026-09-01T10:00+02:00"},
        {"minutes": "long"},
        {"event": "x"},
        {"version": ""},
        {"view": "year"},
        {"start": "2026-09-01T10:00:00.5"},
        {"start": "9999-12-31T23:55"},
        {"start": "0001-01-01T00:00"},
        {"day": "9999-12-31"},
        {"minutes": "0"},
        {"minutes": "1445"},
        {"minutes": "9" * 5000},
        {"provider": "9" * 5000},
        {"chair_filter": "1,x"},
    ],
)
def test_what_no_screen_sends_is_refused(rita: Person, visit: Event, make: Make, changes: dict[str, str]) -> None:
    assert drag(rita, visit, **changes).status_code == 400
    assert stored(make, visit).start == TUESDAY


def test_a_visit_that_is_not_there_is_a_404(rita: Person, visit: Event) -> None:
    assert drag(rita, visit, event=4711).status_code == 404


def test_a_deleted_visit_does_not_move(rita: Person, visit: Event) -> None:
    rita.htmx.post(f"/calendar/events/{visit.id}/delete", version=visit.row_version)
    answer = drag(rita, visit, version=visit.row_version + 1)
    assert answer.status_code == 409 and "deleted" in answer.toast


def test_the_dialog_moves_without_dragging(rita: Person, visit: Event, make: Make) -> None:
    page = rita.htmx.get(f"/calendar/events/{visit.id}/move", target="dialog").page
    form = {name: page.value(name) for name in ("day", "start_time", "minutes", "chair_id", "provider_id", "version")}
    answer = rita.htmx.post(
        f"/calendar/events/{visit.id}/move", target="dialog", **form | {"start_time": "14:30", "day": "2026-09-02"}
    )
    assert answer.status_code == 200
    assert stored(make, visit).start == TUESDAY.replace(day=2, hour=14, minute=30)


def test_of_two_editors_the_second_sees_both_and_loses_nothing(
    rita: Person, ada: Person, visit: Event, make: Make
) -> None:
    page = rita.htmx.get(f"/calendar/events/{visit.id}/edit", target="dialog").page
    names = ("kind", "patient_id", "patient_name", "title", "day", "start_time", "minutes", "chair_id", "provider_id")
    form = {name: page.value(name) for name in (*names, "version")}
    assert ada.htmx.post(f"/calendar/events/{visit.id}/edit", **form | {"title": "Ada's words"}).status_code == 200
    late = rita.htmx.post(f"/calendar/events/{visit.id}/edit", target="dialog", **form | {"title": "Rita's words"})
    assert late.status_code == 409
    assert late.page.value("title") == "Rita's words" and "Ada's words" in late.page.text
    assert stored(make, visit).title == "Ada's words"
    again = form | {"title": "Rita's words", "version": late.page.value("version")}
    assert rita.htmx.post(f"/calendar/events/{visit.id}/edit", target="dialog", **again).status_code == 200
    assert stored(make, visit).title == "Rita's words"


def opened(person: Person, visit: Event) -> dict[str, str]:
    """What the dialog "Edit" would send if nothing were changed."""
    page = person.htmx.get(f"/calendar/events/{visit.id}/edit", target="dialog").page
    names = "kind patient_id patient_name title day start_time minutes chair_id provider_id type_id color notes"
    return {name: page.value(name) for name in (*names.split(), "version", "seen", "confirmed")}


def edit(person: Person, visit: Event, form: dict[str, str], **changes: str) -> Answer:
    return person.htmx.post(f"/calendar/events/{visit.id}/edit", target="dialog", **form | changes)


def test_what_the_other_stored_is_not_wiped_by_a_form_that_never_showed_it(
    rita: Person, ada: Person, visit: Event, make: Make
) -> None:
    form = opened(rita, visit)
    assert edit(ada, visit, opened(ada, visit), notes="Needs a long needle", minutes="45").status_code == 200
    late = edit(rita, visit, form, title="Crown")
    assert late.status_code == 409
    assert (late.page.value("notes"), late.page.value("minutes")) == ("Needs a long needle", "45")
    assert late.page.value("title") == "Crown" and not late.page.has('[aria-invalid="true"]')
    again = {name: late.page.value(name) for name in form}
    assert edit(rita, visit, again).status_code == 200
    now = stored(make, visit)
    assert (now.notes, now.minutes, now.title) == ("Needs a long needle", 45, "Crown")


@pytest.mark.parametrize(
    ("field", "adas", "ritas", "words"),
    [
        ("notes", "Ada's note", "Rita's note", "Saved now: Ada's note"),
        ("start_time", "11:00", "12:00", "Saved now: 11:00"),
        ("day", "2026-09-02", "2026-09-03", "Saved now: 2 September 2026"),
        ("minutes", "45", "60", "Saved now: 45"),
        ("color", "#2563eb", "#dc2626", "Saved now: blue"),
    ],
)
def test_what_both_changed_stands_beside_what_was_typed(
    rita: Person, ada: Person, visit: Event, field: str, adas: str, ritas: str, words: str
) -> None:
    form = opened(rita, visit)
    assert edit(ada, visit, opened(ada, visit), **{field: adas}).status_code == 200
    late = edit(rita, visit, form, **{field: ritas})
    assert late.status_code == 409
    assert late.page.value(field) == ritas
    assert words in late.page.one(f'.field:has([name="{field}"])').get_text(" ", strip=True)
    assert "Somebody else changed this meanwhile" in late.page.error(field)


def test_the_other_s_patient_is_named_beside_the_field(rita: Person, ada: Person, visit: Event, make: Make) -> None:
    adas, ritas = make.patient(last_name="Koç"), make.patient(last_name="Berg")
    form = opened(rita, visit)
    edit(ada, visit, opened(ada, visit), patient_id=str(adas.id), patient_name=adas.name)
    late = edit(rita, visit, form, patient_id=str(ritas.id), patient_name=ritas.name)
    assert late.status_code == 409 and "Saved now: Selma Koç" in late.page.error("patient_name")
    untouched = edit(rita, visit, form)
    assert untouched.page.value("patient_id") == str(adas.id)
    assert untouched.page.value("patient_name") == "Selma Koç"


def test_one_letter_in_the_patient_field_does_not_take_the_patient_away(rita: Person, visit: Event, make: Make) -> None:
    form = opened(rita, visit) | {"title": "Crown", "patient_id": "", "patient_name": "Selma Yil"}
    answer = edit(rita, visit, form)
    assert answer.status_code == 422 and "choose the patient from the list" in answer.page.error("patient_name")
    assert stored(make, visit).patient_id == visit.patient_id
    assert edit(rita, visit, form, patient_name="").status_code == 200
    assert stored(make, visit).patient_id is None


def test_a_note_is_added_to_the_visit_of_somebody_archived(rita: Person, visit: Event, make: Make) -> None:
    from cpms.patients import queries as patients
    from cpms.patients import services as patient_services

    with make.app.app_context(), transaction("patient.archive", actor=None):
        patient_services.archive_patient(patients.patient(visit.patient_id))
    assert edit(rita, visit, opened(rita, visit), notes="Moved away").status_code == 200
    assert stored(make, visit).notes == "Moved away"
    form = opened(rita, visit) | {"start_time": "10:30"}
    assert edit(rita, visit, form).status_code == 200, "the visit moves, the patient is as chosen as before"


def test_hugo_writes_a_note_on_an_overbooked_visit(hugo: Person, visit: Event, make: Make) -> None:
    over = make.visit(overbook_reason="Toothache")
    form = opened(hugo, over)
    assert edit(hugo, over, form, notes="Two roots").status_code == 200
    now = stored(make, over)
    assert (now.notes, now.overbook_reason) == ("Two roots", "Toothache")
    form = opened(hugo, over)
    assert edit(hugo, over, form, start_time="10:15").status_code == 409
    assert edit(hugo, over, form, start_time="10:15", overbook_reason="I want to").status_code == 403
    assert edit(hugo, over, form, start_time="11:30", overbook_reason="I want to").status_code == 200


def test_a_chair_given_up_stays_on_its_visits(olga: Person, rita: Person, visit: Event, make: Make) -> None:
    from cpms.calendar import queries, services

    with make.app.app_context(), transaction("chair.retire", actor=None):
        chair = queries.chair(visit.chair_id)
        services.retire_chair(chair, seen=chair.row_version)
    assert drag(rita, visit).status_code == 200
    assert rita.htmx.get(f"/calendar/events/{visit.id}/edit", target="dialog").page.value("chair_id") == str(
        visit.chair_id
    )


def test_what_is_said_of_a_move_is_what_is_new(rita: Person, make: Make) -> None:
    visit = make.visit()
    longer = rita.htmx.post(
        "/calendar/events/move", target="week-grid", event=visit.id, version=1, start="2026-09-01T10:00", minutes=45
    )
    assert "Tue 1 Sep, 10:00, now 45 min." in longer.toast
    back = rita.htmx.post(str(longer.page.one(".toast form")["hx-post"]))
    assert "moved back to Tue 1 Sep, 10:00, now 30 min." in back.toast
    later = rita.htmx.post(
        "/calendar/events/move", target="week-grid", event=visit.id, version=3, start="2026-09-02T11:00", minutes=30
    )
    assert "Wed 2 Sep, 11:00, Chair 1." in later.toast and "min" not in later.toast
    back = rita.htmx.post(str(later.page.one(".toast form")["hx-post"]))
    assert "moved back to Tue 1 Sep, 10:00, Chair 1." in back.toast
    assert not back.page.has(".toast form"), "the way back of a way back is the card itself"
