"""Reading the trail."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, String, and_, cast, or_, select

from cpms.audit import rules
from cpms.audit.models import AuditChange, AuditEntry
from cpms.audit.rules import Anchor, Verdict
from cpms.calendar.models import Event
from cpms.core import clock
from cpms.core.db import db, fresh_read
from cpms.core.errors import NotFound
from cpms.patients.models import Patient
from cpms.xrays.models import Xray
from cpms.xrays.rules import LOOKS as LOOKS_AT_PICTURES


def entries(*, about_table: str | None = None, about_id: str | None = None, limit: int = 50) -> list[AuditEntry]:
    """Newest first."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if about_table is not None:
        query = query.where(AuditEntry.about_table == about_table)
    if about_id is not None:
        query = query.where(AuditEntry.about_id == about_id)
    return list(db.session.scalars(query))


def changes_of(entry_id: int) -> list[AuditChange]:
    return list(
        db.session.scalars(select(AuditChange).where(AuditChange.entry_id == entry_id).order_by(AuditChange.id))
    )


LOOKS = ("patient.view", "patient.view_medical", *LOOKS_AT_PICTURES)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries somebody wants to see; what is None does not matter."""

    patient_id: int | None = None
    event_id: int | None = None
    user_id: int | None = None  # whom it is about
    actor_id: int | None = None
    what: str | None = None  # the beginning of the action: "event", "patient.view"
    since: date | None = None  # days of the clinic, both included
    until: date | None = None
    looks: bool = True  # openings of charts, too


def trail(asked: Asked, *, page: int = 1, size: int = 50) -> tuple[list[AuditEntry], bool]:
    """A page of entries, newest first, and whether there are older ones."""
    query = _asked(asked).order_by(AuditEntry.id.desc()).limit(size + 1).offset((page - 1) * size)
    rows = list(db.session.scalars(query))
    return rows[:size], len(rows) > size


def _asked(asked: Asked) -> Select[AuditEntry]:
    query = select(AuditEntry)
    if asked.patient_id is not None:
        theirs = select(AuditChange.entry_id).where(AuditChange.patient_id == asked.patient_id)
        query = query.where(or_(AuditEntry.patient_id == asked.patient_id, AuditEntry.id.in_(theirs)))
    for table, row_id in (("event", asked.event_id), ("user", asked.user_id)):
        if row_id is not None:
            its = select(AuditChange.entry_id).where(AuditChange.table_name == table, AuditChange.row_id == str(row_id))
            about = and_(AuditEntry.about_table == table, AuditEntry.about_id == str(row_id))
            query = query.where(or_(about, AuditEntry.id.in_(its)))
    if asked.actor_id is not None:
        query = query.where(AuditEntry.actor_id == asked.actor_id)
    if asked.what:
        query = query.where(AuditEntry.action.startswith(asked.what, autoescape=True))
    if asked.since:
        query = query.where(AuditEntry.created_at >= clock.to_instant(datetime.combine(asked.since, time())))
    if asked.until:
        query = query.where(
            AuditEntry.created_at < clock.to_instant(datetime.combine(asked.until + timedelta(days=1), time()))
        )
    if not asked.looks:
        query = query.where(AuditEntry.action.not_in(LOOKS))
    return query


def changes_of_all(entry_ids: Iterable[int]) -> dict[int, list[AuditChange]]:
    """The changes of many entries in one question; a row that went to another patient is told once."""
    found: dict[int, list[AuditChange]] = {entry_id: [] for entry_id in entry_ids}
    rows = select(AuditChange).where(AuditChange.entry_id.in_(found)).order_by(AuditChange.id)
    told = set()
    for change in db.session.scalars(rows):
        if (change.entry_id, change.table_name, change.row_id) not in told:
            told.add((change.entry_id, change.table_name, change.row_id))
            found[change.entry_id].append(change)
    return found


def entry(entry_id: int) -> AuditEntry:
    """Raises NotFound."""
    row = db.session.get(AuditEntry, entry_id)
    if row is None:
        raise NotFound
    return row


def taken_back_by(entry_ids: Iterable[int]) -> dict[int, int | None]:
    """Which of the entries were taken back, and by whom."""
    rows = select(AuditEntry.undoes_id, AuditEntry.actor_id).where(AuditEntry.undoes_id.in_(list(entry_ids)))
    return {row.undoes_id: row.actor_id for row in db.session.execute(rows)}


def newer_change(change: AuditChange) -> AuditEntry | None:
    """The newest entry that changed one of the same columns of the same row afterwards."""
    later = (
        select(AuditChange)
        .where(
            AuditChange.table_name == change.table_name,
            AuditChange.row_id == change.row_id,
            AuditChange.entry_id > change.entry_id,
        )
        .order_by(AuditChange.id.desc())
    )
    for each in db.session.scalars(later):
        if set(each.columns) & set(change.columns):
            return entry(each.entry_id)
    return None


def trash(*, limit: int = 200) -> list[tuple[Patient | Event | Xray, AuditEntry]]:
    """What lies in the trash, newest first, with the entry that put it there."""
    found: dict[tuple[str, int], tuple[Any, AuditEntry]] = {}
    kinds: tuple[tuple[Any, Any, Any], ...] = (
        (Patient, Patient.id, Patient.deleted_at),
        (Event, Event.id, Event.deleted_at),
        (Xray, Xray.id, Xray.deleted_at),
    )
    for model, id_column, deleted_at in kinds:
        rows = (
            select(model, AuditEntry)
            .join(AuditChange, AuditChange.row_id == cast(id_column, String))
            .join(AuditEntry, AuditEntry.id == AuditChange.entry_id)
            .where(AuditChange.table_name == model.__tablename__, deleted_at.is_not(None))
            .order_by(AuditEntry.id.desc())
            .limit(limit * 4)
        )
        for row, put in db.session.execute(rows):
            found.setdefault((model.__tablename__, row.id), (row, put))
    return sorted(found.values(), key=lambda each: each[1].id, reverse=True)[:limit]


def head() -> Anchor | None:
    """The newest entry, to be remembered outside the database."""
    row = db.session.execute(
        select(AuditEntry.id, AuditEntry.mac, AuditEntry.created_at).order_by(AuditEntry.id.desc()).limit(1)
    ).first()
    return Anchor(row.id, row.mac, row.created_at) if row else None


def verify(key: bytes, anchors: Sequence[Anchor] = ()) -> Verdict:
    """Read the whole trail and say whether anybody changed it. Takes seconds on a long one."""
    return rules.check(rules.in_pages(_page), key=key, anchors=anchors)


def _page(after: int, size: int) -> list[rules.Sealed]:
    fresh_read()
    entry, change = AuditEntry.__table__, AuditChange.__table__
    rows = db.session.execute(select(entry).where(entry.c.id > after).order_by(entry.c.id).limit(size)).mappings().all()
    found: dict[int, list[Any]] = {row["id"]: [] for row in rows}
    for each in db.session.execute(select(change).where(change.c.entry_id.in_(found))).mappings():
        found[each["entry_id"]].append(each)
    return [(dict(row), found[row["id"]]) for row in rows]
