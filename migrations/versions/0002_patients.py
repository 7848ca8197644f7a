"""Patients."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Full-text search by three letters, for any part of any name. The text stays in `patient`; triggers keep the index.
SEARCH_ON_SQLITE = (
    """CREATE VIRTUAL TABLE patient_search USING fts5(
        search_text, content='patient', content_rowid='id', tokenize='trigram case_sensitive 1')""",
    """CREATE TRIGGER patient_search_insert AFTER INSERT ON patient BEGIN
        INSERT INTO patient_search (rowid, search_text) VALUES (NEW.id, NEW.search_text);
    END""",
    """CREATE TRIGGER patient_search_update AFTER UPDATE OF search_text ON patient
    WHEN OLD.search_text IS NOT NEW.search_text BEGIN
        INSERT INTO patient_search (patient_search, rowid, search_text) VALUES ('delete', OLD.id, OLD.search_text);
        INSERT INTO patient_search (rowid, search_text) VALUES (NEW.id, NEW.search_text);
    END""",
    """CREATE TRIGGER patient_search_delete AFTER DELETE ON patient BEGIN
        INSERT INTO patient_search (patient_search, rowid, search_text) VALUES ('delete', OLD.id, OLD.search_text);
    END""",
)


def upgrade() -> None:
    op.create_table(
        "patient",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chart_no", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("date_of_birth", sa.Date(), nullable=False),
        sa.Column(
            "sex",
            sa.Enum(
                "female",
                "male",
                "other",
                "unknown",
                name="sex",
                native_enum=False,
                create_constraint=True,
                length=15,
            ),
            nullable=False,
        ),
        sa.Column("home_phone", sa.String(length=40), nullable=False),
        sa.Column("mobile_phone", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("alert_text", sa.String(length=300), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "archived",
                name="patientstatus",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("current_treatment", sa.Text(), nullable=False),
        sa.Column("medical_history", sa.Text(), nullable=False),
        sa.Column("surgery_history", sa.Text(), nullable=False),
        sa.Column("any_medical_problems", sa.Text(), nullable=False),
        sa.Column("women_specific_info", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("name_key", sa.String(length=220), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("chart_no", name=op.f("uq_patient_chart_no")),
    )
    with op.batch_alter_table("patient", schema=None) as batch_op:
        batch_op.create_index("ix_patient_name_key", ["name_key", "id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        for statement in SEARCH_ON_SQLITE:
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER patient_search_{name}")
        op.execute("DROP TABLE patient_search")
    with op.batch_alter_table("patient", schema=None) as batch_op:
        batch_op.drop_index("ix_patient_name_key")

    op.drop_table("patient")
