"""The blueprint that all of the domain's views hang on, and what they share."""

from datetime import timedelta

from flask import Blueprint

from cpms.settings import queries as settings

bp = Blueprint("auth", __name__)


def idle_limit() -> timedelta:
    return timedelta(minutes=settings.current().idle_minutes)
