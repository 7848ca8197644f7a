"""Audit."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("about_table", sa.String(length=40), nullable=True),
        sa.Column("about_id", sa.String(length=60), nullable=True),
        sa.Column("patient_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("origin", sa.String(length=60), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_audit_entry_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        info={"unaudited": "the trail itself"},
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_about", ["about_table", "about_id"], unique=False)
        batch_op.create_index("ix_audit_entry_patient", ["patient_id", "created_at"], unique=False)

    op.create_table(
        "audit_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(length=40), nullable=False),
        sa.Column("row_id", sa.String(length=60), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=True),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entry.id"], name=op.f("fk_audit_change_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_change")),
        info={"unaudited": "the trail itself"},
    )
    with op.batch_alter_table("audit_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_change_entry_id"), ["entry_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_change_patient_id"), ["patient_id"], unique=False)
        batch_op.create_index("ix_audit_change_row", ["table_name", "row_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("audit_change", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_change_row")
        batch_op.drop_index(batch_op.f("ix_audit_change_patient_id"))
        batch_op.drop_index(batch_op.f("ix_audit_change_entry_id"))

    op.drop_table("audit_change")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_patient")
        batch_op.drop_index("ix_audit_entry_about")

    op.drop_table("audit_entry")
