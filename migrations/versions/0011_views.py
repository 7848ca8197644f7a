"""What somebody sees of the calendar, the clipboard, and visits that want no new date."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_choice",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("providers", sa.JSON(), nullable=False),
        sa.Column("chairs", sa.JSON(), nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column(
            "by",
            sa.Enum("chair", "provider", name="by", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_calendar_choice_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_calendar_choice")),
        info={"unaudited": "what somebody looks at: no record of the clinic changes"},
    )
    op.create_table(
        "calendar_clipboard",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column(
            "held",
            sa.Enum("cut", "copy", name="held", native_enum=False, create_constraint=True, length=12),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_calendar_clipboard_event_id")),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["user_session.id"],
            name=op.f("fk_calendar_clipboard_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_calendar_clipboard")),
        info={"unaudited": "a visit in somebody's hand: what becomes of it leaves its own trace"},
    )
    # Added in place: a rebuilt table would lose the triggers that keep its slots.
    op.add_column("event", sa.Column("no_new_date_reason", sa.String(length=200), nullable=True))
    op.create_index("ix_event_status", "event", ["status", "start"])


def downgrade() -> None:
    op.drop_index("ix_event_status", "event")
    op.drop_column("event", "no_new_date_reason")
    op.drop_table("calendar_clipboard")
    op.drop_table("calendar_choice")
