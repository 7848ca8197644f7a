"""Reading the trail."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from cpms.audit import rules
from cpms.audit.models import AuditChange, AuditEntry
from cpms.audit.rules import Anchor, Verdict
from cpms.core.db import db, fresh_read


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
