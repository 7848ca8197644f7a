"""GET /healthz: tells anybody only whether all is well."""

from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cpms.core.db import db
from cpms.web.access import passive, public

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public
@passive
def healthz() -> tuple[Response, int]:
    """`ok`, or `degraded` with status 503 when the database does not answer."""
    try:
        db.session.execute(text("SELECT number FROM calendar_revision"))
    except DBAPIError:
        return jsonify(status="degraded"), 503
    return jsonify(status="ok"), 200
