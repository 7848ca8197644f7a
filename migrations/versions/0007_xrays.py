"""X-rays."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "xray",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("date_performed", sa.Date(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("impression", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "periapical",
                "bitewing",
                "panoramic",
                "cephalometric",
                "occlusal",
                "cbct_slice",
                "photo",
                "other",
                "document",
                name="xraykind",
                native_enum=False,
                create_constraint=True,
                length=21,
            ),
            nullable=False,
        ),
        sa.Column("teeth", sa.JSON(), nullable=False),
        sa.Column(
            "laterality",
            sa.Enum(
                "unknown",
                "right",
                "left",
                "both",
                name="laterality",
                native_enum=False,
                create_constraint=True,
                length=15,
            ),
            nullable=False,
        ),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("mime", sa.String(length=60), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bit_depth", sa.Integer(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("original_name", sa.String(length=255), nullable=False),
        sa.Column("dicom", sa.JSON(), nullable=False),
        sa.Column("problem", sa.String(length=20), nullable=False),
        sa.Column("layers", sa.JSON(), nullable=False),
        sa.Column("taken_by_id", sa.Integer(), nullable=True),
        sa.Column("uploaded_by_id", sa.Integer(), nullable=True),
        sa.Column("reported_by_id", sa.Integer(), nullable=True),
        sa.Column("reported_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("size > 0", name=op.f("ck_xray_size")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_xray_patient_id")),
        sa.ForeignKeyConstraint(["reported_by_id"], ["user.id"], name=op.f("fk_xray_reported_by_id")),
        sa.ForeignKeyConstraint(["taken_by_id"], ["user.id"], name=op.f("fk_xray_taken_by_id")),
        sa.ForeignKeyConstraint(["uploaded_by_id"], ["user.id"], name=op.f("fk_xray_uploaded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xray")),
    )
    op.create_index("ix_xray_date_performed", "xray", ["date_performed", "id"])
    op.create_index(op.f("ix_xray_patient_id"), "xray", ["patient_id"])
    op.create_index(op.f("ix_xray_sha256"), "xray", ["sha256"])
    op.create_index(
        "uq_xray_patient_sha256",
        "xray",
        ["patient_id", "sha256"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("xray")
