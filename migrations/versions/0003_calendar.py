"""Calendar."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# No chair and no provider is held twice for [start, end), whoever writes. Cancelled, no-show and deleted entries hold
# nothing; an entry with an overbooking reason may lie over others, but no later one may lie over it without a reason of
# its own. An entry that is changed is checked only when it comes to hold something that it did not hold before.
# A migration that rebuilds `event` must make these triggers again.
# Nothing lasts longer than a day: that keeps the look at the neighbours short.
_TAKEN = """
    SELECT RAISE(ABORT, 'constraint failed: event_too_long')
        WHERE NEW."end" > datetime(NEW.start, '+1 day', '+1 second');
    SELECT RAISE(ABORT, 'constraint failed: event_slot_taken') WHERE EXISTS (
        SELECT 1 FROM event AS other
        WHERE other.chair_id = NEW.chair_id AND other.start < NEW."end" AND other."end" > NEW.start
          AND other.start > datetime(NEW.start, '-1 day', '-1 second')
          AND other.id <> NEW.id AND other.deleted_at IS NULL AND other.status NOT IN ('cancelled', 'no_show')
        UNION ALL
        SELECT 1 FROM event AS other
        WHERE other.provider_id = NEW.provider_id AND other.start < NEW."end" AND other."end" > NEW.start
          AND other.start > datetime(NEW.start, '-1 day', '-1 second')
          AND other.id <> NEW.id AND other.deleted_at IS NULL AND other.status NOT IN ('cancelled', 'no_show'))
"""
_HOLDS = "NEW.overbook_reason IS NULL AND NEW.deleted_at IS NULL AND NEW.status NOT IN ('cancelled', 'no_show')"
_HELD_THE_SAME = """OLD.overbook_reason IS NULL AND OLD.deleted_at IS NULL
    AND OLD.status NOT IN ('cancelled', 'no_show')
    AND OLD.chair_id = NEW.chair_id AND OLD.provider_id IS NEW.provider_id
    AND OLD."end" = NEW."end" AND OLD.start = NEW.start"""
SLOTS_ON_SQLITE = (
    f"CREATE TRIGGER event_slot_insert BEFORE INSERT ON event WHEN {_HOLDS} BEGIN {_TAKEN}; END",
    "CREATE TRIGGER event_slot_update BEFORE UPDATE ON event "
    f"WHEN {_HOLDS} AND NOT ({_HELD_THE_SAME}) BEGIN {_TAKEN}; END",
)


def upgrade() -> None:
    op.create_table(
        "appointment_type",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("color", sa.String(length=7), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("minutes BETWEEN 5 AND 480", name=op.f("ck_appointment_type_minutes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment_type")),
    )
    op.create_table(
        "calendar_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_calendar_revision_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_revision")),
        info={"unaudited": "a counter of audited changes"},
    )
    op.create_table(
        "chair",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chair")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("start", sa.DateTime(), nullable=False),
        sa.Column("end", sa.DateTime(), nullable=False),
        sa.Column("color", sa.String(length=7), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("visit", "block", name="kind", native_enum=False, create_constraint=True, length=13),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "scheduled",
                "confirmed",
                "arrived",
                "in_chair",
                "completed",
                "cancelled",
                "no_show",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=17,
            ),
            nullable=False,
        ),
        sa.Column("status_changed_at", sa.DateTime(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("overbook_reason", sa.String(length=200), nullable=True),
        sa.Column("cancel_reason", sa.String(length=200), nullable=True),
        sa.Column("booking_key", sa.String(length=40), nullable=True),
        sa.Column("patient_id", sa.Integer(), nullable=True),
        sa.Column("chair_id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=True),
        sa.Column("type_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind <> 'visit' OR patient_id IS NOT NULL OR title <> ''",
            name=op.f("ck_event_visit_has_subject"),
        ),
        sa.CheckConstraint("kind <> 'visit' OR provider_id IS NOT NULL", name=op.f("ck_event_visit_has_provider")),
        sa.CheckConstraint('"end" > start', name=op.f("ck_event_ends_after_start")),
        sa.ForeignKeyConstraint(["chair_id"], ["chair.id"], name=op.f("fk_event_chair_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_event_patient_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["user.id"], name=op.f("fk_event_provider_id")),
        sa.ForeignKeyConstraint(["type_id"], ["appointment_type.id"], name=op.f("fk_event_type_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("booking_key", name=op.f("uq_event_booking_key")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_chair", ["chair_id", "start", "end"], unique=False)
        batch_op.create_index("ix_event_patient", ["patient_id", "start"], unique=False)
        batch_op.create_index("ix_event_provider", ["provider_id", "start", "end"], unique=False)
        batch_op.create_index("ix_event_start", ["start"], unique=False)
    op.execute(
        "INSERT INTO calendar_revision (id, number, created_at, updated_at) "
        "VALUES (1, 0, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)"
    )
    if op.get_bind().dialect.name == "sqlite":
        for statement in SLOTS_ON_SQLITE:
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER event_slot_update")
        op.execute("DROP TRIGGER event_slot_insert")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("ix_event_start")
        batch_op.drop_index("ix_event_provider")
        batch_op.drop_index("ix_event_patient")
        batch_op.drop_index("ix_event_chair")

    op.drop_table("event")
    op.drop_table("chair")
    op.drop_table("calendar_revision")
    op.drop_table("appointment_type")
