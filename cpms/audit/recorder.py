"""The one mechanism for traces: it listens to every flush and writes down what changed, in the same transaction."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import current_app
from flask_sqlalchemy.session import Session as AppSession
from sqlalchemy import event, insert, inspect, select
from sqlalchemy.orm import Session

from cpms.audit import rules
from cpms.audit.models import AuditChange, AuditEntry
from cpms.core import clock
from cpms.core.db import Model, db, spare_looks_when, writing

MASK = "•••"
SAME_LOOK = timedelta(minutes=10)  # so long a look at something stands for those after it
_HOUSEKEEPING = {"created_at", "updated_at", "row_version"}  # they change with every change and tell nothing

_LAST = select(AuditEntry.id, AuditEntry.mac).order_by(AuditEntry.id.desc()).limit(1)

Origin = Callable[[], tuple[str, str]]  # (where from, request id)


def install(origin: Origin) -> None:
    """Start recording. Installing again only changes where an entry says that it came from."""
    _Recorder.origin = staticmethod(origin)
    spare_looks_when(_is_noted)
    if not event.contains(AppSession, "after_flush", _after_flush):
        event.listen(AppSession, "after_flush", _after_flush)
        event.listen(AppSession, "before_commit", _before_commit)


class _Recorder:
    origin: Origin = staticmethod(lambda: ("", ""))


def _is_noted(action: str, actor_id: int, about: Model) -> bool:
    """Whether the trail says that this person looked at this thing, in the chart where it is, not long ago.

    A look that the trail has in the future, from when the server's clock went wrong, stands for none."""
    now = clock.now()
    looks = select(AuditEntry.id).where(
        AuditEntry.about_table == about.__tablename__,
        AuditEntry.about_id == _row_id(about),
        AuditEntry.action == action,
        AuditEntry.actor_id == actor_id,
        AuditEntry.patient_id == _patient_id(about),
        AuditEntry.created_at > now - SAME_LOOK,
        AuditEntry.created_at <= now,
    )
    return db.session.scalar(looks.limit(1)) is not None


def _after_flush(session: Session, _context: Any) -> None:
    """Remember what the flush changed; it is written down at the end, when all of it is known."""
    write = writing()
    if write is None:
        return
    for rows, kind in ((session.new, "new"), (session.dirty, "dirty"), (session.deleted, "deleted")):
        for row in rows:
            write.changes += _changes(row, kind)
            made = kind == "new" and row.__tablename__ == write.action.partition(".")[0]
            if made and write.about is None and "unaudited" not in row.__table__.info:
                write.about = row  # "event.create" is about the event that it made


def _before_commit(session: Session) -> None:
    """One entry for the write. Opening a chart changes no row, but it has an `about`: it leaves a trace too."""
    write = writing()
    if write is None:
        return
    session.flush()
    about = write.about
    if not write.changes and about is None and not write.reason:
        return
    origin, request_id = _Recorder.origin()
    connection = session.connection()
    last = connection.execute(_LAST).first()  # nobody else writes meanwhile: we hold the lock
    entry = {
        "id": (last.id if last else 0) + 1,
        "created_at": clock.now(),
        "actor_id": write.actor_id,
        "action": write.action,
        "about_table": about.__tablename__ if about is not None else None,
        "about_id": _row_id(about) if about is not None else None,
        "patient_id": _patient_id(about) if about is not None else None,
        "reason": write.reason,
        "origin": origin,
        "request_id": request_id,
        "undoes_id": write.undoes,
    }
    key = current_app.config["CPMS_AUDIT_KEY"]
    entry["mac"] = rules.seal(key, last.mac if last else rules.FIRST, entry, write.changes)
    connection.execute(insert(AuditEntry.__table__), entry)
    if write.changes:
        rows = [change | {"entry_id": entry["id"]} for change in write.changes]
        connection.execute(insert(AuditChange.__table__), rows)
    write.entry_id = entry["id"]


def _changes(row: Any, kind: str) -> list[dict[str, Any]]:
    """What happened to a row: {column: [old, new]}. A row that went to another patient stands in the charts of both."""
    table = row.__table__
    if "unaudited" in table.info:
        return []
    columns = {
        column.key: [MASK if value is not None else None for value in values] if column.info.get("secret") else values
        for column in table.columns
        if not (column.primary_key or column.key in _HOUSEKEEPING)
        and not column.info.get("derived")
        and (values := _old_and_new(row, column.key, kind))
    }
    if not columns:
        return []
    owners = [_patient_id(row)]
    if kind == "dirty" and table.name != "patient" and "patient_id" in columns:
        owners = [owner for owner in columns["patient_id"] if owner is not None]
    return [
        {"table_name": table.name, "row_id": _row_id(row), "patient_id": owner, "columns": columns} for owner in owners
    ]


def _old_and_new(row: Any, key: str, kind: str) -> list[Any] | None:
    """[old, new] as JSON knows them, or None when the column did not change."""
    state = inspect(row)
    if kind == "new":
        old, new = None, state.dict.get(key)  # defaults included
    elif kind == "deleted":
        old, new = getattr(row, key), None
    else:
        history = state.attrs[key].history
        old = history.deleted[0] if history.deleted else None
        new = history.added[0] if history.added else None
    return [_plain(old), _plain(new)] if old != new else None


def _row_id(row: Any) -> str:
    return ",".join(str(part) for part in inspect(row).mapper.primary_key_from_instance(row))


def _patient_id(row: Any) -> int | None:
    return row.id if row.__tablename__ == "patient" else getattr(row, "patient_id", None)


def _plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value
