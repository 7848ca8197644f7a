"""The X-rays' blueprint."""

from flask import Blueprint

bp = Blueprint("xrays", __name__, url_prefix="/xrays")

CHANGED = "xrays-changed"  # the page event that galleries listen to
