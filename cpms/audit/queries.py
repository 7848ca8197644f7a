"""Reading the trail."""

from sqlalchemy import select

from cpms.audit.models import AuditChange, AuditEntry
from cpms.core.db import db


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
