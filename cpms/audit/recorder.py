"""The one mechanism for traces: it listens to every flush and writes down what changed, in the same transaction."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from flask_sqlalchemy.session import Session as AppSession
from sqlalchemy import event, insert, inspect
from sqlalchemy.orm import Session

from cpms.audit.models import AuditChange, AuditEntry
from cpms.core import clock
from cpms.core.db import Writing, writing

MASK = "•••"
_HOUSEKEEPING = {"created_at", "updated_at", "row_version"}  # they change with every change and tell nothing

Origin = Callable[[], tuple[str, str]]  # (where from, request id)


def install(origin: Origin) -> None:
    """Start recording. Installing again only changes where an entry says that it came from."""
    _Recorder.origin = staticmethod(origin)
    if not event.contains(AppSession, "after_flush", _after_flush):
        event.listen(AppSession, "after_flush", _after_flush)
        event.listen(AppSession, "before_commit", _before_commit)


class _Recorder:
    origin: Origin = staticmethod(lambda: ("", ""))


def _after_flush(session: Session, _context: Any) -> None:
    write = writing()
    if write is None:
        return
    changes = [
        change
        for rows, kind in ((session.new, "new"), (session.dirty, "dirty"), (session.deleted, "deleted"))
        for row in rows
        if (change := _change(row, kind))
    ]
    if not changes:
        return
    entry_id = _entry(session, write)
    session.connection().execute(insert(AuditChange.__table__), [change | {"entry_id": entry_id} for change in changes])


def _before_commit(session: Session) -> None:
    """An entry with an `about` or a reason is written even when no row changed: opening a chart leaves a trace too."""
    write = writing()
    if write is not None and write.entry_id is None:
        session.flush()
        if write.entry_id is None and (write.about is not None or write.reason):
            _entry(session, write)


def _entry(session: Session, write: Writing) -> int:
    if write.entry_id is None:
        about = write.about
        origin, request_id = _Recorder.origin()
        values = {
            "at": clock.now(),
            "actor_id": write.actor_id,
            "action": write.action,
            "about_table": about.__tablename__ if about is not None else None,
            "about_id": _row_id(about) if about is not None else None,
            "patient_id": _patient_id(about) if about is not None else None,
            "reason": write.reason,
            "origin": origin,
            "request_id": request_id,
        }
        result = session.connection().execute(insert(AuditEntry.__table__), values)
        write.entry_id = result.inserted_primary_key[0]
    assert write.entry_id is not None
    return write.entry_id


def _change(row: Any, kind: str) -> dict[str, Any] | None:
    table = row.__table__
    if "unaudited" in table.info:
        return None
    state = inspect(row)
    columns: dict[str, list[Any]] = {}
    for column in table.columns:
        if column.key in _HOUSEKEEPING or column.info.get("derived"):
            continue
        history = state.attrs[column.key].history
        old = history.deleted[0] if history.deleted else None
        new = history.added[0] if history.added else None
        if kind == "new":
            old = None
        elif kind == "deleted":
            old, new = getattr(row, column.key), None
        if old == new or (kind == "dirty" and not history.has_changes()):
            continue
        if column.info.get("secret"):
            old, new = (MASK if old is not None else None), (MASK if new is not None else None)
        columns[column.key] = [_plain(old), _plain(new)]
    if not columns:
        return None
    return {
        "table_name": table.name,
        "row_id": _row_id(row),
        "patient_id": _patient_id(row),
        "columns": columns,
    }


def _row_id(row: Any) -> str:
    return ",".join(str(part) for part in inspect(row).mapper.primary_key_from_instance(row))


def _patient_id(row: Any) -> int | None:
    return row.id if row.__tablename__ == "patient" else getattr(row, "patient_id", None)


def _plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value
