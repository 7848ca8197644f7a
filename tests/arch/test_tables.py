"""Every table keeps its dates and leaves its trace, or says why not; and the models are what the migrations make."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

from cpms.core.db import db


def test_every_table_has_created_and_updated() -> None:
    for table in db.metadata.sorted_tables:
        assert {"created_at", "updated_at"} <= set(table.columns.keys()), table.name


def test_a_table_that_leaves_no_trace_says_why() -> None:
    exempt = {table.name for table in db.metadata.sorted_tables if "unaudited" in table.info}
    assert exempt == {
        *("user_session", "sign_in_attempt", "calendar_revision", "audit_entry", "audit_change", "work"),
        *("calendar_choice", "calendar_clipboard"),
    }


def test_the_models_are_what_the_migrations_make(ctx: Flask) -> None:
    with db.engine.connect() as connection:
        hidden = "patient_search"
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _object, name, kind, *_rest: (
                    not (kind == "table" and (name or "").startswith(hidden))
                ),
            },
        )
        assert compare_metadata(context, db.metadata) == []


def test_the_migrations_are_one_chain(ctx: Flask) -> None:
    script = ScriptDirectory(ctx.extensions["migrate"].directory)
    assert len(script.get_heads()) == 1
    assert all(not revision.is_branch_point for revision in script.walk_revisions())
