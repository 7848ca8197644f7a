"""The calendar's blueprint, and the page events that its screens fire."""

from flask import Blueprint

bp = Blueprint("calendar", __name__, url_prefix="/calendar")

CHANGED = "calendar-changed"
VISITS_CHANGED = "visits-changed"
CLIPBOARD_CHANGED = "clipboard-changed"
FURNITURE_CHANGED = "furniture-changed"
