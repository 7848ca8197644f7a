"""Mounts of X-rays."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "xray_mount",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "layout",
            sa.Enum(
                "bitewings_2",
                "bitewings_4",
                "full_mouth_18",
                name="mountlayout",
                native_enum=False,
                create_constraint=True,
                length=21,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_xray_mount_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xray_mount")),
    )
    op.create_index(op.f("ix_xray_mount_patient_id"), "xray_mount", ["patient_id"])


def downgrade() -> None:
    op.drop_table("xray_mount")
