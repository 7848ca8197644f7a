"""Long work, and backups."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "work",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("due", sa.String(length=10), nullable=True),
        sa.Column(
            "state",
            sa.Enum("running", "done", "failed", name="state", native_enum=False, create_constraint=True, length=15),
            nullable=False,
        ),
        sa.Column("step", sa.String(length=80), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(length=400), nullable=False),
        sa.Column("result", sa.String(length=60), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_work_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work")),
        sa.UniqueConstraint("name", "due", name="uq_work_name"),
    )
    op.create_index("ix_work_name_created", "work", ["name", "created_at"])
    op.create_table(
        "backup",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "nightly",
                "manual",
                "before_restore",
                "before_upgrade",
                name="backupkind",
                native_enum=False,
                create_constraint=True,
                length=22,
            ),
            nullable=False,
        ),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("verified_at", sa.DateTime(), nullable=True),
        sa.Column(
            "result",
            sa.Enum("good", "failed", name="backupresult", native_enum=False, create_constraint=True, length=14),
            nullable=False,
        ),
        sa.Column("error", sa.String(length=400), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("encrypted", sa.Boolean(), nullable=False),
        sa.Column("target", sa.String(length=300), nullable=False),
        sa.Column("copied_at", sa.DateTime(), nullable=True),
        sa.Column("target_error", sa.String(length=400), nullable=False),
        sa.Column("removed_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup")),
        sa.UniqueConstraint("file_name", name=op.f("uq_backup_file_name")),
    )


def downgrade() -> None:
    op.drop_table("backup")
    op.drop_index("ix_work_name_created", "work")
    op.drop_table("work")
