"""Every read of patients."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, Select, String, bindparam, func, or_, select, union

from cpms.core import pages
from cpms.core.db import containing, containing_any_number, db, phrase_parameters
from cpms.core.errors import NotFound
from cpms.core.pages import PER_PAGE, Listing
from cpms.core.text import fold, full_name
from cpms.patients import rules
from cpms.patients.models import Patient, PatientStatus, Sex

MOST_HITS = 200  # that a list shows of a search: who needs more types another letter

_AFTER_EVERY_LETTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Hit:
    """A patient in a list or among the answers of a search."""

    id: int
    name: str
    chart_no: int
    date_of_birth: date
    phone: str
    alert_text: str
    archived: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """What every page about a patient shows; no medical text, only whether there is some."""

    id: int
    chart_no: int
    first_name: str
    last_name: str
    date_of_birth: date
    sex: Sex
    mobile_phone: str
    home_phone: str
    email: str
    address: str
    notes: str
    alert_text: str
    status: PatientStatus
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    medical_asked: bool

    @property
    def name(self) -> str:
        return full_name(self.first_name, self.last_name)

    @property
    def phone(self) -> str:
        return self.mobile_phone or self.home_phone

    @property
    def archived(self) -> bool:
        return self.status is PatientStatus.ARCHIVED

    @property
    def row(self) -> Patient:
        """What an entry of the trail is about; holds nothing but the id."""
        return Patient(id=self.id)


class PatientDeleted(NotFound):
    """The patient lies in the trash; `chart` says who."""

    def __init__(self, chart: Chart) -> None:
        super().__init__()
        self.chart = chart


_column = Patient.__table__.c  # plain columns: what is only shown needs no objects that could be changed
_HIT = (
    _column.id,
    _column.first_name,
    _column.last_name,
    _column.chart_no,
    _column.date_of_birth,
    _column.mobile_phone,
    _column.home_phone,
    _column.alert_text,
    _column.status,
)
_MEDICAL = [column for column in Patient.__table__.columns if column.info.get("medical")]

# Put together once: every page about a patient begins with it.
_CHART = select(
    *(_column[field.name] for field in fields(Chart) if field.name != "medical_asked"),
    or_(*(column != "" for column in _MEDICAL)),
).where(_column.id == bindparam("patient_id"))

Among = tuple[ColumnElement[bool], ...]
_THERE: Among = (Patient.deleted_at.is_(None),)
_ACTIVE: Among = (*_THERE, Patient.status == PatientStatus.ACTIVE)
_ARCHIVED: Among = (*_THERE, Patient.status == PatientStatus.ARCHIVED)


def patient(patient_id: int) -> Patient:
    """The patient, also an archived or a deleted one: links always resolve."""
    found = db.session.get(Patient, patient_id)
    if found is None:
        raise NotFound
    return found


def chart(patient_id: int) -> Chart:
    """The patient as a page shows them. PatientDeleted when they lie in the trash."""
    found = db.session.execute(_CHART, {"patient_id": patient_id}).one_or_none()
    if found is None:
        raise NotFound
    shown = Chart(*tuple(found))
    if shown.deleted_at is not None:
        raise PatientDeleted(shown)
    return shown


def medical(patient_id: int) -> dict[str, str]:
    """The medical text: column → text. Only for those who may read it."""
    row = db.session.execute(select(*_MEDICAL).where(Patient.id == patient_id)).one()
    return dict(row._mapping)


def names(ids: set[int]) -> dict[int, str]:
    """The names of some patients, deleted ones too."""
    rows = db.session.execute(select(Patient.id, Patient.first_name, Patient.last_name).where(Patient.id.in_(ids)))
    return {row.id: full_name(row.first_name, row.last_name) for row in rows}


def hits(ids: Sequence[int]) -> list[Hit]:
    """Some patients as a list shows them, deleted ones too."""
    return _hits(select(*_HIT).where(Patient.id.in_(ids)).order_by(Patient.name_key, Patient.id))


def never_asked(ids: Sequence[int]) -> list[Hit]:
    """Those of some patients whose medical history nobody has asked for yet."""
    unwritten = [column == "" for column in _MEDICAL]
    return _hits(select(*_HIT).where(Patient.id.in_(ids), *unwritten).order_by(Patient.name_key, Patient.id))


def with_chart_no(number: int) -> list[Hit]:
    """Whoever has that chart number, deleted or not."""
    return _hits(select(*_HIT).where(Patient.chart_no == number))


def how_many_ever() -> int:
    """Archived and deleted ones too."""
    return db.session.scalar(select(func.count()).select_from(Patient)) or 0


def next_chart_no() -> int:
    """Deleted patients keep theirs."""
    return (db.session.scalar(select(func.max(Patient.chart_no))) or 0) + 1


def listing(typed: str = "", *, archived: bool = False, page: int = 1) -> Listing[Hit]:
    """A page of the active or the archived patients: all by last name, or what a search finds, the best first."""
    among = _ARCHIVED if archived else _ACTIVE
    if typed.strip():
        found = _found(typed, among, MOST_HITS)
        page = pages.nearest(page, len(found))
        before = pages.skipped(page)
        return Listing(found[before : before + PER_PAGE], page, len(found))
    total = db.session.scalar(select(func.count()).select_from(Patient).where(*among)) or 0
    page = pages.nearest(page, total)
    query = select(*_HIT).where(*among).order_by(Patient.name_key, Patient.id)
    return Listing(_hits(query.limit(PER_PAGE).offset(pages.skipped(page))), page, total)


def search(text: str, *, limit: int = 20, archived: bool = False) -> list[Hit]:
    """Whom a typed text means: last names that begin with its first word, then every other match. With `archived`
    those too, at the end."""
    found = _found(text, _ACTIVE, limit)
    return found + _found(text, _ARCHIVED, limit - len(found)) if archived and len(found) < limit else found


def meant(typed: str) -> ColumnElement[bool] | None:
    """The condition that a patient is one of those whom a typed text means, however many they are, archived ones too;
    for another domain's SELECT. None when the text can mean nobody."""
    sought = rules.sought(typed)
    ids: list[Select[int]] = []
    if sought.begins:
        begins = Patient.name_key >= sought.begins, Patient.name_key < sought.begins + _AFTER_EVERY_LETTER
        ids.append(select(Patient.id).where(*begins, *_THERE).correlate(None))
    for phrases in sought.attempts:
        ids.append(containing_any_number(Patient.search_text, phrases, among=_THERE))
    return _column.id.in_(union(*ids)) if ids else None


def like(*, first_name: str, last_name: str, date_of_birth: date, phones: Sequence[str], limit: int = 5) -> list[Hit]:
    """Patients who may be the same person: same name in either order, same last name and birthday, or same phone."""
    keys = {rules.name_key(first_name, last_name), rules.name_key(last_name, first_name)} - {""}
    found = _hits(select(*_HIT).where(*_THERE, Patient.name_key.in_(keys)).order_by(Patient.id).limit(limit))
    if last := fold(last_name):
        born_then = _beginning(_THERE).where(Patient.date_of_birth == date_of_birth)
        found += _hits(born_then, **_range(last + " "), most=limit)
    if tails := tuple({rules.phone_tail(phone) for phone in phones} - {""}):
        found += [
            _hit(row)
            for row in db.session.execute(_holding(_THERE, (len(tails),)), phrase_parameters((tails,), most=limit))
            if any(rules.is_same_phone(a, b) for a in phones for b in (row.mobile_phone, row.home_phone))
        ]
    return list({hit.id: hit for hit in found}.values())[:limit]


def _found(typed: str, among: Among, limit: int) -> list[Hit]:
    """First along the sorted names, which stops at `limit` rows; if that gives fewer, in the index of all parts."""
    sought = rules.sought(typed)
    found: dict[int, Hit] = {}
    if sought.begins:
        found = {hit.id: hit for hit in _hits(_beginning(among), **_range(sought.begins), most=limit)}
    for phrases in sought.attempts:
        if len(found) >= limit:
            break
        groups = tuple(len(group) for group in phrases)
        for hit in _hits(_holding(among, groups), **phrase_parameters(phrases, most=limit)):
            found.setdefault(hit.id, hit)
    return list(found.values())[:limit]


# A search runs at every keystroke: putting these statements together took longer than the database takes to answer.
@lru_cache(maxsize=16)
def _beginning(among: Among) -> Select[*tuple[Any, ...]]:
    """Names that begin with a key, sorted: a range of the index."""
    low, high = bindparam("low", type_=String), bindparam("high", type_=String)
    query = select(*_HIT).where(Patient.name_key >= low, Patient.name_key < high, *among)
    return query.order_by(Patient.name_key, Patient.id).limit(bindparam("most", type_=Integer))


def _range(key: str) -> dict[str, str]:
    return {"low": key, "high": key + _AFTER_EVERY_LETTER}


@lru_cache(maxsize=64)
def _holding(among: Among, groups: tuple[int, ...]) -> Select[*tuple[Any, ...]]:
    """Patients whose search text holds what is looked for, sorted."""
    ids = containing(Patient.search_text, groups, among=among)
    return select(*_HIT).where(Patient.id.in_(ids)).order_by(Patient.name_key, Patient.id)


def _hits(query: Select[*tuple[Any, ...]], **parameters: Any) -> list[Hit]:
    return [_hit(row) for row in db.session.execute(query, parameters)]


def _hit(row: Row[*tuple[Any, ...]]) -> Hit:
    patient_id, first, last, chart_no, born, mobile, home, alert, status = tuple(row)
    return Hit(
        patient_id, full_name(first, last), chart_no, born, mobile or home, alert, status is PatientStatus.ARCHIVED
    )
