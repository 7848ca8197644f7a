"""Pictures in a chart: what goes in, what is said about them, where they go; and what the trail keeps of it."""

from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import pytest
from flask import Flask

from cpms.audit import queries as audit
from cpms.audit import services as undo
from cpms.auth.models import User
from cpms.core import media
from cpms.core.db import db, transaction
from cpms.core.errors import Conflict, ConstraintBroken, NotFound, Refused, Stale
from cpms.patients import queries as patients
from cpms.patients import services as patient_services
from cpms.xrays import queries, services
from cpms.xrays.models import Laterality, Xray, XrayKind
from tests import pictures
from tests.make import Make

TODAY = date(2026, 9, 1)


@pytest.fixture
def ada(make: Make) -> User:
    return make.user("ada")


def change(verb: str, xray: Xray, ada: User) -> AbstractContextManager[Any]:
    return transaction(f"xray.{verb}", actor=ada)


def changed() -> dict[str, Any]:
    """What the newest entry of the trail says."""
    entry = audit.entries(limit=1)[0]
    return {name: values for each in audit.changes_of(entry.id) for name, values in each.columns.items()}


def test_what_is_not_given_comes_from_the_file(ctx: Flask, make: Make) -> None:
    content = pictures.dicom(
        StudyDate="20260810", ImageLaterality="L", **pictures.tooth_shown("Mandibular left first molar tooth")
    )
    xray = make.xray(content=content, name="IMG1")
    assert (xray.kind, xray.date_performed, xray.teeth) == (XrayKind.PERIAPICAL, date(2026, 8, 10), ["36"])
    assert (xray.laterality, xray.findings, xray.impression, xray.original_name) == (Laterality.LEFT, "", "", "IMG1")
    assert (xray.width, xray.height, xray.bit_depth, xray.frames, xray.mime) == (32, 32, 16, 1, "application/dicom")
    assert xray.size == len(content)
    assert xray.uploaded_by_id == make.user("ada").id
    assert not xray.is_reported


def test_a_file_that_says_no_day_is_of_today(ctx: Flask, make: Make) -> None:
    assert make.xray().date_performed == TODAY


def test_what_is_given_counts_more(ctx: Flask, make: Make) -> None:
    xray = make.xray(
        content=pictures.dicom(StudyDate="20260810"),
        kind=XrayKind.BITEWING,
        date_performed=date(2026, 8, 1),
        teeth=["17", "16"],
        laterality=Laterality.RIGHT,
    )
    assert (xray.kind, xray.date_performed, xray.teeth) == (XrayKind.BITEWING, date(2026, 8, 1), ["16", "17"])


@pytest.mark.parametrize("day", [date(2026, 9, 2), date(1985, 3, 1)])
def test_a_day_that_cannot_be_is_refused(ctx: Flask, make: Make, day: date) -> None:
    with pytest.raises(Refused) as refusal:
        make.xray(date_performed=day)
    assert refusal.value.field == "date_performed"
    assert not media.root().exists() or not [p for p in media.root().rglob("*") if p.is_file()]


def test_a_devices_wrong_clock_is_asked_about(ctx: Flask, make: Make) -> None:
    content = pictures.dicom(StudyDate="20310101")
    with pytest.raises(Refused, match=r"which cannot be\. Please give the date"):
        make.xray(content=content)
    assert make.xray(content=content, date_performed=TODAY).date_performed == TODAY


def test_no_tooth_19(ctx: Flask, make: Make) -> None:
    with pytest.raises(Refused, match="There is no tooth 19"):
        make.xray(teeth=["11", "19"])


def test_the_same_file_twice_is_found(ctx: Flask, make: Make) -> None:
    patient = make.patient()
    first = make.xray(patient, pictures.png(), date_performed=date(2026, 8, 3))
    with pytest.raises(
        services.AlreadyThere, match=r"again.png is in this chart already, with the date 3 Aug 2026"
    ) as known:
        make.xray(patient, pictures.png(), name="again.png")
    assert known.value.xray_id == first.id
    assert media.path_of(first.sha256).exists()
    assert len(queries.of_patient(patient.id)) == 1


def test_two_patients_may_have_the_same_file(ctx: Flask, make: Make) -> None:
    first, second = make.xray(content=pictures.png()), make.xray(content=pictures.png())
    assert first.sha256 == second.sha256
    assert len([path for path in media.root().rglob("*") if path.is_file()]) == 1


def test_a_file_of_somebody_else_stops_and_asks(ctx: Flask, make: Make) -> None:
    content = pictures.dicom(**pictures.of_patient(name="Kaya^Ali", born=date(1970, 1, 1)))
    patient = make.patient()
    with pytest.raises(services.PatientMismatch) as asked:
        make.xray(patient, content, name="x.dcm")
    assert str(asked.value) == (
        "x.dcm says it is of another patient (Kaya Ali, born 1 January 1970), "
        f"not of {patient.name}, born 2 March 1985."
    )
    assert not [path for path in media.root().rglob("*") if path.is_file()]
    assert make.xray(patient, content, sure=True).patient_id == patient.id


def test_a_file_of_this_patient_is_not_asked_about(ctx: Flask, make: Make) -> None:
    patient = make.patient(first_name="Işıl", last_name="Çağ")
    said = pictures.of_patient(name="CAG^ISIL", born=patient.date_of_birth, number="X-900")
    make.xray(patient, pictures.dicom(**said))


def test_a_deleted_patient_takes_no_pictures(ctx: Flask, make: Make) -> None:
    patient = make.patient()
    with transaction("patient.delete", actor=None):
        patient_services.delete_patient(patients.patient(patient.id))
    with pytest.raises(Refused, match="Restore the patient first"):
        make.xray(patient)


def test_making_is_recorded_with_who_and_where(ctx: Flask, make: Make) -> None:
    xray = make.xray()
    entry = audit.entries(limit=1)[0]
    (row,) = audit.changes_of(entry.id)
    assert (row.table_name, row.patient_id) == ("xray", xray.patient_id)
    assert row.columns["sha256"] == [None, xray.sha256]


def test_facts_are_changed_and_recorded(ctx: Flask, make: Make, ada: User) -> None:
    made = make.xray()
    facts = {"kind": XrayKind.OCCLUSAL, "date_performed": date(2026, 8, 2), "teeth": ["41", "31"]}
    facts |= {"laterality": Laterality.BOTH, "taken_by_id": ada.id}
    with change("update", made, ada):
        services.update_facts(queries.xray(made.id), seen=1, **facts)
    assert changed()["teeth"] == [[], ["31", "41"]]
    assert changed()["kind"] == ["photo", "occlusal"]
    with pytest.raises(Stale), change("update", made, ada):
        services.update_facts(queries.xray(made.id), seen=1, **facts)
    for wrong in ({"date_performed": date(2026, 9, 2)}, {"teeth": ["99"]}):
        with pytest.raises(Refused), change("update", made, ada):
            services.update_facts(queries.xray(made.id), seen=2, **(facts | wrong))


def test_a_report_says_who_and_when(ctx: Flask, make: Make, ada: User) -> None:
    made = make.xray(kind=XrayKind.BITEWING)
    assert queries.how_many_without_findings() == 1
    with change("report", made, ada):
        services.report(queries.xray(made.id), seen=1, findings=" Caries 16\r\n", impression="Fill 16", by=ada)
    xray = queries.xray(made.id)
    assert (xray.findings, xray.impression, xray.reported_by_id) == ("Caries 16", "Fill 16", ada.id)
    assert xray.is_reported
    assert queries.how_many_without_findings() == 0
    assert queries.listing(without_findings=True).rows == []
    with change("report", made, ada):
        services.report(xray, seen=2, findings="", impression=" ", by=ada)
    assert queries.how_many_without_findings() == 1
    assert queries.xray(made.id).reported_by_id is None


def test_a_move_stands_in_both_charts(ctx: Flask, make: Make, ada: User) -> None:
    made, right = make.xray(), make.patient()
    wrong_id = made.patient_id
    with change("move", made, ada):
        services.move_to_patient(queries.xray(made.id), patients.patient(right.id), seen=1)
    assert [card.id for card in queries.of_patient(right.id)] == [made.id]
    assert queries.of_patient(wrong_id) == []
    moved = audit.entries(limit=1)[0]
    assert {row.patient_id for row in audit.changes_of(moved.id)} == {wrong_id, right.id}
    for patient_id in (wrong_id, right.id):
        assert audit.trail(audit.Asked(patient_id=patient_id))[0][0].id == moved.id


def test_a_move_to_where_it_is_or_where_the_same_file_is_does_not_happen(ctx: Flask, make: Make, ada: User) -> None:
    made, other = make.xray(content=pictures.png()), make.xray(content=pictures.png())
    for target, error in ((made.patient_id, Refused), (other.patient_id, services.AlreadyThere)):
        with pytest.raises(error), change("move", made, ada):
            services.move_to_patient(queries.xray(made.id), patients.patient(target), seen=1)


def test_deleting_keeps_the_file_and_shows_it_to_nobody(ctx: Flask, make: Make, ada: User) -> None:
    made = make.xray()
    with change("delete", made, ada):
        services.delete_xray(queries.xray(made.id), seen=1)
    with pytest.raises(NotFound):
        queries.xray(made.id)
    assert queries.of_patient(made.patient_id) == []
    assert media.path_of(made.sha256).exists()
    [thrown] = audit.trash(pictures=True).rows
    assert (thrown.row.__tablename__, thrown.put and thrown.put.action) == ("xray", "xray.delete")
    with pytest.raises(Conflict), change("note", made, ada):
        services.add_note(queries.xray_ever(made.id), {}, by=ada)
    with change("undelete", made, ada):
        services.undelete_xray(queries.xray_ever(made.id))
    assert queries.xray(made.id).id == made.id


def test_what_was_deleted_can_come_in_again_and_then_stands_in_the_way(ctx: Flask, make: Make, ada: User) -> None:
    patient = make.patient()
    made = make.xray(patient, pictures.png())
    with change("delete", made, ada):
        services.delete_xray(queries.xray(made.id), seen=1)
    again = make.xray(patient, pictures.png())
    assert again.id != made.id
    with pytest.raises(services.AlreadyThere), change("undelete", made, ada):
        services.undelete_xray(queries.xray_ever(made.id))


def test_notes_have_an_author_and_a_time(ctx: Flask, make: Make, ada: User) -> None:
    made, hugo = make.xray(), make.user("hugo")
    with change("note", made, ada):
        first = services.add_note(queries.xray(made.id), {"kind": "arrow", "x": 1}, by=ada)
        services.add_note(queries.xray(made.id), {"kind": "text", "text": "here"}, by=hugo)
    notes = queries.xray(made.id).layers
    assert [(note["author_id"], note["content"]["kind"]) for note in notes] == [
        (ada.id, "arrow"),
        (hugo.id, "text"),
    ]
    assert notes[0]["at"].startswith("2026-09-01T07:00")
    with change("remove_note", made, ada):
        services.remove_note(queries.xray(made.id), first)
    assert [note["content"]["kind"] for note in queries.xray(made.id).layers] == ["text"]
    with pytest.raises(NotFound), change("remove_note", made, ada):
        services.remove_note(queries.xray(made.id), first)
    with pytest.raises(Refused), change("note", made, ada):
        services.add_note(queries.xray(made.id), {"text": "x" * 20_001}, by=ada)


@pytest.mark.parametrize("verb", ["make", "update", "report", "move", "delete"])
def test_every_change_can_be_taken_back(ctx: Flask, make: Make, ada: User, verb: str) -> None:
    made, other = make.xray(), make.patient()
    if verb != "make":
        with change(verb, made, ada):
            xray = queries.xray(made.id)
            {
                "update": lambda: services.update_facts(
                    xray, seen=1, kind=XrayKind.OTHER, date_performed=date(2026, 8, 1), teeth=["11"],
                    laterality=Laterality.LEFT, taken_by_id=ada.id,
                ),
                "report": lambda: services.report(xray, seen=1, findings="f", impression="i", by=ada),
                "move": lambda: services.move_to_patient(xray, patients.patient(other.id), seen=1),
                "delete": lambda: services.delete_xray(xray, seen=1),
            }[verb]()  # fmt: skip
    entry = audit.entries(limit=1)[0] if verb != "make" else audit.trail(audit.Asked(patient_id=made.patient_id))[0][0]
    changes = audit.changes_of(entry.id)
    needed = {permission.value for permission in undo.needed(changes, by=ada.id)}
    assert needed == {"xray.read", "xray.write"} | ({"xray.report"} if verb == "report" else set())
    with transaction("entry.undo", actor=ada):
        undo.take_back(entry, changes, may_overbook=False)
    xray = queries.xray_ever(made.id)
    if verb == "make":
        assert xray.is_deleted
        return
    same = ("kind", "date_performed", "teeth", "laterality", "findings", "reported_at", "patient_id", "deleted_at")
    assert {name: getattr(xray, name) for name in same} == {name: getattr(made, name) for name in same}


def test_the_list_finds_by_patient_and_day(ctx: Flask, make: Make, statements: list[str]) -> None:
    ayla = make.patient(first_name="Ayla", last_name="Kaya")
    old, new = make.xray(ayla, date_performed=date(2025, 1, 1)), make.xray(ayla)
    other = make.xray(date_performed=date(2026, 8, 31))

    def found(*args: Any, **asked: Any) -> list[int]:
        return [card.id for card in queries.listing(*args, **asked).rows]

    assert found() == [new.id, other.id, old.id]
    assert found("ayla") == [new.id, old.id]
    assert found("nobody") == []
    assert found(since=date(2026, 8, 31)) == [new.id, other.id]
    assert found("kaya", until=date(2025, 1, 1)) == [old.id]
    card = queries.listing("ayla").rows[0]
    assert (card.patient, card.chart_no, card.kind) == ("Ayla Kaya", ayla.chart_no, XrayKind.PHOTO)
    statements.clear()
    queries.of_patient(ayla.id)
    assert len(statements) == 1


def test_a_photo_needs_no_findings(ctx: Flask, make: Make) -> None:
    make.xray(kind=XrayKind.PHOTO)
    make.xray(content=pictures.PDF)
    assert queries.how_many_without_findings() == 0


def test_the_list_has_pages(ctx: Flask, make: Make) -> None:
    made = [make.xray() for _ in range(3)]
    first, second, beyond = (queries.listing(page=page, size=2) for page in (1, 2, 9))
    assert [card.id for card in first.rows] == [made[2].id, made[1].id]
    assert [card.id for card in second.rows] == [card.id for card in beyond.rows] == [made[0].id]
    assert (first.pages, first.total) == (2, 3)


def test_the_database_refuses_a_second_one_too(ctx: Flask, make: Make) -> None:
    """What a service overlooks, as when two rows are written at once."""
    made = make.xray()
    with pytest.raises(ConstraintBroken), transaction("test.twice", actor=None):
        db.session.add(
            Xray(patient_id=made.patient_id, sha256=made.sha256, size=1, mime=made.mime, date_performed=TODAY)
        )
