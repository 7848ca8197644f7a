"""The blueprint that all of the domain's views hang on."""

from flask import Blueprint

bp = Blueprint("audit", __name__, url_prefix="/audit")
