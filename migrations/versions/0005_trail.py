"""The trail: sealed, and written once."""

from datetime import UTC

import sqlalchemy as sa
from alembic import op
from flask import current_app

from cpms.audit import rules

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("audit_entry", "audit_change")
ENTRIES = sa.text("SELECT * FROM audit_entry ORDER BY id").columns(created_at=sa.DateTime())
CHANGES = sa.text("SELECT * FROM audit_change WHERE entry_id = :entry").columns(columns=sa.JSON())


def upgrade() -> None:
    op.execute(
        "ALTER TABLE audit_entry ADD COLUMN undoes_id INTEGER "
        "CONSTRAINT fk_audit_entry_undoes_id REFERENCES audit_entry (id)"
    )
    op.create_index("ix_audit_entry_undoes_id", "audit_entry", ["undoes_id"])
    op.add_column("audit_entry", sa.Column("mac", sa.String(64), nullable=False, server_default=""))
    _seal_what_is_there()
    if op.get_bind().dialect.name == "sqlite":
        _write_once()


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in TABLES:
            for verb in ("update", "delete", "replace"):
                op.execute(f"DROP TRIGGER {table}_no_{verb}")
    op.drop_index("ix_audit_entry_undoes_id", "audit_entry")
    op.execute("ALTER TABLE audit_entry DROP COLUMN mac")
    with op.batch_alter_table("audit_entry") as batch:
        batch.drop_column("undoes_id")


def _seal_what_is_there() -> None:
    connection = op.get_bind()
    key, before = current_app.config["CPMS_AUDIT_KEY"], rules.FIRST
    for row in connection.execute(ENTRIES).mappings().all():
        entry = dict(row) | {"created_at": row["created_at"].replace(tzinfo=UTC)}
        changes = connection.execute(CHANGES, {"entry": row["id"]}).mappings().all()
        before = rules.seal(key, before, entry, changes)
        connection.execute(
            sa.text("UPDATE audit_entry SET mac = :mac WHERE id = :id"), {"mac": before, "id": row["id"]}
        )


def _write_once() -> None:
    """No entry is changed, taken away, or written over: REPLACE would get past a trigger on DELETE alone."""
    for table in TABLES:
        for verb, when in (("update", "UPDATE"), ("delete", "DELETE")):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {when} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the trail is written once'); END"
            )
        there = f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"  # noqa: S608 - our own names
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {there} "
            "BEGIN SELECT RAISE(ABORT, 'the trail is written once'); END"
        )
