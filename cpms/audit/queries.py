"""Reading the trail."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, literal, or_, select, union_all

from cpms.audit import rules
from cpms.audit.models import AuditChange, AuditEntry
from cpms.audit.rules import Anchor, Verdict
from cpms.calendar import queries as calendar
from cpms.calendar.models import Event
from cpms.core import clock, pages
from cpms.core.db import db, fresh_read
from cpms.core.errors import NotFound
from cpms.core.pages import PER_PAGE, Listing
from cpms.patients.models import Patient
from cpms.xrays.models import Xray, XrayMount
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


LOOKS = ("patient.view", "patient.view_medical", "event.view", "today.view", *LOOKS_AT_PICTURES)


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
    looks: bool = True  # openings of charts and of visits, too


def trail(asked: Asked, *, before: int | None = None, size: int = 50) -> tuple[list[AuditEntry], bool]:
    """Entries, newest first, and whether there are older ones. `before` an entry, so that pages stay what they were
    while new entries come."""
    query = _asked(asked).order_by(AuditEntry.id.desc()).limit(size + 1)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    rows = list(db.session.scalars(query))
    return rows[:size], len(rows) > size


def whole_trail(asked: Asked, *, size: int = 500) -> Iterator[list[AuditEntry]]:
    """All of it as it is now, newest first, in short reads."""
    before, more = None, True
    while more:
        fresh_read()
        rows, more = trail(asked, before=before, size=size)
        if rows:
            before = rows[-1].id
            yield rows


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


def taken_back_by(entry_ids: Iterable[int]) -> dict[int, AuditEntry]:
    """Which of the entries are taken back now, and the entry that did it. Taking back can be taken back, too."""
    ids = list(entry_ids)
    tree = select(AuditEntry.id).where(AuditEntry.undoes_id.in_(ids)).cte("undo", recursive=True)
    tree = tree.union(select(AuditEntry.id).join(tree, AuditEntry.undoes_id == tree.c.id))
    undoes = {row.id: row for row in db.session.scalars(select(AuditEntry).where(AuditEntry.id.in_(select(tree.c.id))))}
    valid = rules.undoes_in_force({row.id: row.undoes_id for row in undoes.values() if row.undoes_id is not None})
    return {entry_id: undoes[valid[entry_id]] for entry_id in ids if entry_id in valid}


def newer_change(change: AuditChange, columns: Collection[str] | None = None) -> AuditEntry | None:
    """The newest entry that changed the same row afterwards, in one of the same or of those columns, and holds."""
    meant = set(change.columns if columns is None else columns)
    later = (
        select(AuditChange)
        .where(
            AuditChange.table_name == change.table_name,
            AuditChange.row_id == change.row_id,
            AuditChange.entry_id > change.entry_id,
        )
        .order_by(AuditChange.id.desc())
    )
    ids = [each.entry_id for each in db.session.scalars(later) if set(each.columns) & meant]
    taken_back = taken_back_by(ids)
    for newer in (entry(entry_id) for entry_id in dict.fromkeys(ids) if entry_id not in taken_back):
        # What took a newer change back left the row as it was before that one.
        if newer.undoes_id is None or newer.undoes_id <= change.entry_id:
            return newer
    return None


OF_PICTURES: dict[str, type[Any]] = {"xray": Xray, "xray_mount": XrayMount}
TRASHED: dict[str, type[Any]] = {"patient": Patient, "event": Event, **OF_PICTURES}


@dataclass(frozen=True, slots=True)
class Trashed:
    """Something in the trash, the entry that put it there, and the visits that come back with a chart."""

    row: Patient | Event | Xray | XrayMount
    put: AuditEntry | None
    visits: tuple[Event, ...] = ()


def trash(*, pictures: bool, page: int = 1, size: int = PER_PAGE) -> Listing[Trashed]:
    """What lies in the trash, the newest first. A visit that went with its patient comes back with the patient.
    Without `pictures` nothing tells that there are some."""
    patient, event = Patient.__table__.c, Event.__table__.c
    alone = (
        select(literal("event").label("kind"), event.id, event.deleted_at)
        .select_from(Event.__table__.outerjoin(Patient.__table__, patient.id == event.patient_id))
        .where(
            event.deleted_at.is_not(None),
            or_(patient.deleted_at.is_(None), patient.deleted_at != event.deleted_at),
        )
    )
    charts = select(literal("patient").label("kind"), patient.id, patient.deleted_at).where(
        patient.deleted_at.is_not(None)
    )
    seen = [
        select(literal(name).label("kind"), model.id, model.deleted_at).where(model.deleted_at.is_not(None))
        for name, model in (OF_PICTURES if pictures else {}).items()
    ]
    both = union_all(charts, alone, *seen).subquery()
    total = db.session.scalar(select(func.count()).select_from(both)) or 0
    page = pages.nearest(page, total, size)
    wanted = select(both).order_by(both.c.deleted_at.desc(), both.c.kind.desc(), both.c.id.desc())
    keys = [(row.kind, row.id) for row in db.session.execute(wanted.limit(size).offset(pages.skipped(page, size)))]
    found: dict[tuple[str, int], Patient | Event | Xray | XrayMount] = {}
    for table, model in TRASHED.items():
        ids = [row_id for kind, row_id in keys if kind == table]
        found |= {(table, row.id): row for row in db.session.scalars(select(model).where(model.id.in_(ids)))}
    put = _put_there_by(keys)
    visits = calendar.deleted_with(row for row in found.values() if isinstance(row, Patient))
    rows = [
        Trashed(found[key], put.get(key), tuple(visits.get(key[1], ())) if key[0] == "patient" else ()) for key in keys
    ]
    return Listing(rows, page, total, size)


def _put_there_by(keys: list[tuple[str, int]]) -> dict[tuple[str, int], AuditEntry]:
    """The newest entry about each of those rows: what lies in the trash does not change there."""
    newest: dict[tuple[str, int], int] = {}
    for table in TRASHED:
        ids = [str(row_id) for kind, row_id in keys if kind == table]
        query = (
            select(AuditChange.row_id, func.max(AuditChange.entry_id))
            .where(AuditChange.table_name == table, AuditChange.row_id.in_(ids))
            .group_by(AuditChange.row_id)
        )
        newest |= {(table, int(row_id)): entry_id for row_id, entry_id in db.session.execute(query)}
    entries = {row.id: row for row in db.session.scalars(select(AuditEntry).where(AuditEntry.id.in_(newest.values())))}
    return {key: entries[entry_id] for key, entry_id in newest.items()}


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
