"""Series of entries."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "unit",
            sa.Enum("week", "month", name="unit", native_enum=False, create_constraint=True, length=13),
            nullable=False,
        ),
        sa.Column("every", sa.Integer(), nullable=False),
        sa.Column("weekdays", sa.String(length=13), nullable=False),
        sa.Column(
            "monthly",
            sa.Enum("day", "nth", "last", name="monthly", native_enum=False, create_constraint=True, length=12),
            nullable=False,
        ),
        sa.Column("anchor", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("every BETWEEN 1 AND 52", name=op.f("ck_event_series_every")),
        sa.ForeignKeyConstraint(["made_by_id"], ["user.id"], name=op.f("fk_event_series_made_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_series")),
    )
    # Columns are added without rebuilding `event`: its triggers stay.
    op.execute(
        "ALTER TABLE event ADD COLUMN series_id INTEGER CONSTRAINT fk_event_series_id REFERENCES event_series (id)"
    )
    op.add_column("event", sa.Column("series_slot", sa.String(length=60), nullable=True))
    op.create_index("ix_event_series", "event", ["series_id", "start"])


def downgrade() -> None:
    op.drop_index("ix_event_series", "event")
    op.drop_column("event", "series_slot")
    op.drop_column("event", "series_id")
    op.drop_table("event_series")
