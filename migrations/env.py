"""Runs the migrations over the application's own engine, so that the same driver and pragmas hold."""

from alembic import context
from flask import current_app

from cpms.core.db import db, migrating

HIDDEN = {
    "patient_search",
    "patient_search_data",
    "patient_search_idx",
    "patient_search_docsize",
    "patient_search_config",
}


def include(_object: object, name: str | None, kind: str, *_more: object) -> bool:
    """The search index belongs to its migration, not to the models."""
    return not (kind == "table" and name in HIDDEN)


def run() -> None:
    with migrating(db.engine) as connection:
        options = current_app.extensions["migrate"].configure_args
        context.configure(connection=connection, target_metadata=db.metadata, include_object=include, **options)
        with context.begin_transaction():
            context.run_migrations()


run()
