"""Who did what, when and from where. Written by the recorder, never by hand; the database refuses to change it."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cpms.core.columns import Timestamped
from cpms.core.db import Model

UNAUDITED = {"info": {"unaudited": "the trail itself"}}


class AuditEntry(Timestamped, Model):
    """One write, or one look at a chart, at `created_at`."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_about", "about_table", "about_id"),
        Index("ix_audit_entry_patient", "patient_id", "created_at"),
        UNAUDITED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))  # none: a job or a command
    action: Mapped[str] = mapped_column(String(60))
    about_table: Mapped[str | None] = mapped_column(String(40))
    about_id: Mapped[str | None] = mapped_column(String(60))
    patient_id: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(String(300))
    origin: Mapped[str] = mapped_column(String(60), default="")
    request_id: Mapped[str] = mapped_column(String(32), default="")
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("audit_entry.id"), index=True)  # the entry it takes back
    mac: Mapped[str] = mapped_column(String(64), info={"secret": True})  # see `rules`


class AuditChange(Timestamped, Model):
    """One row that the write changed: {column: [old, new]}, as JSON values."""

    __tablename__ = "audit_change"
    __table_args__ = (Index("ix_audit_change_row", "table_name", "row_id"), UNAUDITED)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("audit_entry.id"), index=True)
    table_name: Mapped[str] = mapped_column(String(40))
    row_id: Mapped[str] = mapped_column(String(60))
    patient_id: Mapped[int | None] = mapped_column(index=True)
    columns: Mapped[Any] = mapped_column(JSON)
