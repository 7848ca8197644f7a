"""The blueprint that all of the domain's views hang on."""

from flask import Blueprint

bp = Blueprint("backups", __name__, url_prefix="/backups")

CHANGED = "backups-changed"
