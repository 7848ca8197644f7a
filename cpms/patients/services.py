"""Every change of a patient."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import gettext as _

from cpms.core import clock
from cpms.core.db import db
from cpms.core.errors import Conflict, Refused, Stale
from cpms.core.text import clean, clean_line
from cpms.patients import queries, rules
from cpms.patients.models import Patient, PatientStatus, Sex
from cpms.patients.rules import Seen

DEMOGRAPHIC = (
    "first_name",
    "last_name",
    "date_of_birth",
    "sex",
    "mobile_phone",
    "home_phone",
    "email",
    "address",
    "notes",
    "alert_text",
)
# What can hurt comes first.
MEDICAL = (
    "any_medical_problems",
    "medical_history",
    "surgery_history",
    "current_treatment",
    "women_specific_info",
)

_PARAGRAPHS = {"address", "notes", *MEDICAL}


class LooksKnown(Refused):
    """Somebody like this is here already; `candidates` are those whom nobody has said to be a different person."""

    def __init__(self, candidates: list[queries.Hit]) -> None:
        super().__init__(_("Somebody like this is here already. Please look whether it is the same person."))
        self.candidates = candidates


def register_patient(
    *,
    first_name: str,
    last_name: str,
    date_of_birth: date,
    sex: Sex = Sex.UNKNOWN,
    mobile_phone: str = "",
    home_phone: str = "",
    different_from: frozenset[int] = frozenset(),
) -> Patient:
    """A new patient, unless they look known. `different_from`: the patients that a person saw and said are others.

    A form that is sent twice meets its own first patient, whom nobody can have said to be different.
    """
    like = queries.like(
        first_name=first_name, last_name=last_name, date_of_birth=date_of_birth, phones=(mobile_phone, home_phone)
    )
    if any(hit.id not in different_from for hit in like):
        raise LooksKnown(like)
    return create_patient(
        first_name=first_name,
        last_name=last_name,
        date_of_birth=date_of_birth,
        sex=sex,
        mobile_phone=mobile_phone,
        home_phone=home_phone,
    )


def create_patient(*, first_name: str, last_name: str, date_of_birth: date, **columns: Any) -> Patient:
    """A new patient, whoever else there is. The chart number is the next that was never given."""
    patient = Patient(chart_no=queries.next_chart_no())
    _put(
        patient,
        {"first_name": first_name, "last_name": last_name, "date_of_birth": date_of_birth, **columns},
        (*DEMOGRAPHIC, *MEDICAL),
    )
    db.session.add(patient)
    db.session.flush()
    return patient


def update_patient(patient: Patient, *, seen: Seen, changes: Mapping[str, Any]) -> None:
    """Store what the form of the demographics says. Stale when one of its fields was changed since it was `seen`."""
    _change(patient, seen, changes, DEMOGRAPHIC)


def update_medical(patient: Patient, *, seen: Seen, changes: Mapping[str, Any]) -> None:
    """Store what the form of the medical text says. Stale when one of its fields was changed since it was `seen`."""
    _change(patient, seen, changes, ("alert_text", *MEDICAL))


def archive_patient(patient: Patient) -> None:
    """Out of the lists, not out of the records. The reason stands in the trail."""
    _check_there(patient)
    patient.status = PatientStatus.ARCHIVED


def restore_patient(patient: Patient) -> None:
    _check_there(patient)
    patient.status = PatientStatus.ACTIVE


def delete_patient(patient: Patient) -> None:
    """Into the trash: nothing is lost, and the chart number stays taken."""
    _check_there(patient)
    patient.deleted_at = clock.now()


def undelete_patient(patient: Patient) -> None:
    patient.deleted_at = None


def put_back(patient: Patient, columns: Mapping[str, Any]) -> None:
    """Earlier values of the trail, search keys included."""
    if "deleted_at" not in columns:
        _check_there(patient)
    typed = (*DEMOGRAPHIC, *MEDICAL)
    _put(patient, {name: value for name, value in columns.items() if name in typed}, typed)
    for name in ("status", "deleted_at"):
        if name in columns:
            setattr(patient, name, columns[name])


def values(patient: Patient, names: tuple[str, ...]) -> dict[str, Any]:
    """The named columns of a patient."""
    return {name: getattr(patient, name) for name in names}


def _change(patient: Patient, seen: Seen, changes: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    _check_there(patient)
    # A newer row in which others changed other fields is no conflict: nothing of theirs is touched.
    if patient.row_version != seen.version and seen.changed(values(patient, tuple(seen.prints))):
        raise Stale
    _put(patient, changes, allowed)


def _check_there(patient: Patient) -> None:
    if patient.is_deleted:
        raise Conflict(_("This patient was deleted meanwhile. Nothing was saved."))


def _put(patient: Patient, columns: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    if unknown := set(columns) - set(allowed):
        raise TypeError(f"no such column here: {', '.join(sorted(unknown))}")
    for name, value in columns.items():
        if isinstance(value, str) and not isinstance(value, Sex):
            value = clean(value) if name in _PARAGRAPHS else clean_line(value)
        setattr(patient, name, value)
    patient.name_key = rules.name_key(patient.first_name, patient.last_name)
    patient.search_text = rules.search_text(
        first_name=patient.first_name,
        last_name=patient.last_name,
        born=patient.date_of_birth,
        chart_no=patient.chart_no,
        phones=(patient.mobile_phone or "", patient.home_phone or ""),
    )
