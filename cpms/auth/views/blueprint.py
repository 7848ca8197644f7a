"""The blueprint that all of the domain's views hang on, and what they share."""

from datetime import timedelta

from flask import Blueprint, url_for

from cpms.core.db import Writing
from cpms.settings import queries as settings

bp = Blueprint("auth", __name__)


def idle_limit() -> timedelta:
    return timedelta(minutes=settings.current().idle_minutes)


def way_back(write: Writing) -> str | None:
    """The address that takes the write back; None when it changed nothing."""
    return url_for("audit.undo", entry_id=write.entry_id) if write.changes else None
