"""Two people at one chart, and a patient's way out of the lists and back."""

from typing import Any

import pytest
from flask import Flask

from cpms.audit import queries as audit
from cpms.core.db import transaction
from cpms.core.errors import Conflict, Stale
from cpms.patients import queries, services
from cpms.patients.models import PatientStatus
from cpms.patients.rules import Seen
from cpms.patients.services import DEMOGRAPHIC, MEDICAL
from tests.make import Make


def look(patient_id: int, names: tuple[str, ...] = DEMOGRAPHIC) -> Seen:
    row = queries.patient(patient_id)
    return Seen.of(row.row_version, services.values(row, names))


def update(patient_id: int, seen: Seen, **changes: Any) -> None:
    with transaction("patient.update", actor=None):
        services.update_patient(queries.patient(patient_id), seen=seen, changes=changes)


def test_a_change_is_stored_and_recorded(ctx: Flask, make: Make) -> None:
    patient = make.patient(email="old@example.org")
    update(patient.id, look(patient.id), email="new@example.org")
    assert queries.patient(patient.id).email == "new@example.org"
    (change,) = audit.changes_of(audit.entries(limit=1)[0].id)
    assert change.columns == {"email": ["old@example.org", "new@example.org"]}
    assert change.patient_id == patient.id


def test_a_changed_name_is_found_and_the_old_one_no_more(ctx: Flask, make: Make) -> None:
    patient = make.patient(first_name="Ada", last_name="Kaya")
    update(patient.id, look(patient.id), last_name="Demir")
    assert [hit.name for hit in queries.search("demir")] == ["Ada Demir"]
    assert queries.search("kaya") == []


def test_the_second_of_two_editors_overwrites_nothing(ctx: Flask, make: Make) -> None:
    patient = make.patient(notes="old")
    seen = look(patient.id)
    update(patient.id, seen, notes="first")
    with pytest.raises(Stale):
        update(patient.id, seen, notes="second")
    assert queries.patient(patient.id).notes == "first"


def test_a_change_of_other_fields_does_not_disturb(ctx: Flask, make: Make) -> None:
    patient = make.patient()
    seen = look(patient.id)
    with transaction("patient.update_medical", actor=None):
        services.update_medical(
            queries.patient(patient.id), seen=look(patient.id, MEDICAL), changes={"medical_history": "asthma"}
        )
    update(patient.id, seen, notes="mine")
    row = queries.patient(patient.id)
    assert (row.notes, row.medical_history) == ("mine", "asthma")


def test_each_form_has_its_own_columns(ctx: Flask, make: Make) -> None:
    patient = make.patient()
    with pytest.raises(TypeError):
        update(patient.id, look(patient.id), medical_history="through the wrong door")


def test_archiving_takes_a_patient_out_of_the_lists(ctx: Flask, make: Make) -> None:
    patient = make.patient(last_name="Kaya")
    with transaction("patient.archive", actor=None, about=patient, reason="moved away"):
        services.archive_patient(queries.patient(patient.id))
    assert queries.search("kaya") == []
    assert [hit.archived for hit in queries.search("kaya", archived=True)] == [True]
    assert queries.listing().total == 0
    assert queries.listing(archived=True).total == 1
    assert audit.entries(limit=1)[0].reason == "moved away"


def test_restoring_puts_a_patient_back(ctx: Flask, make: Make) -> None:
    patient = make.patient(last_name="Kaya")
    with transaction("patient.archive", actor=None):
        services.archive_patient(queries.patient(patient.id))
    with transaction("patient.restore", actor=None):
        services.restore_patient(queries.patient(patient.id))
    assert queries.patient(patient.id).status is PatientStatus.ACTIVE
    assert len(queries.search("kaya")) == 1


def test_deleting_hides_a_patient_and_keeps_everything(ctx: Flask, make: Make) -> None:
    patient = make.patient(last_name="Kaya", notes="keep me")
    with transaction("patient.delete", actor=None):
        services.delete_patient(queries.patient(patient.id))
    assert queries.search("kaya", archived=True) == []
    assert queries.listing().total == queries.listing(archived=True).total == 0
    with pytest.raises(queries.PatientDeleted):
        queries.chart(patient.id)
    with transaction("patient.undelete", actor=None):
        services.undelete_patient(queries.patient(patient.id))
    assert queries.chart(patient.id).notes == "keep me"
    assert len(queries.search("kaya")) == 1


@pytest.mark.parametrize("verb", [services.archive_patient, services.restore_patient, services.delete_patient])
def test_a_deleted_patient_is_left_alone(ctx: Flask, make: Make, verb: Any) -> None:
    patient = make.patient()
    with transaction("patient.delete", actor=None):
        services.delete_patient(queries.patient(patient.id))
    with pytest.raises(Conflict), transaction("test", actor=None):
        verb(queries.patient(patient.id))
