"""The places of the main menu."""

from dataclasses import dataclass

from flask import request, url_for
from flask_babel import lazy_gettext as _l

from cpms.core.permissions import P
from cpms.web.access import can

PLACES = (
    ("calendar.home", "calendar", _l("Calendar"), "calendar", P.CALENDAR_READ),
    ("patients.index", "patients", _l("Patients"), "users", P.PATIENT_READ),
    ("settings.index", "settings", _l("Settings"), "settings", P.PROFILE),
)


@dataclass(frozen=True, slots=True)
class NavItem:
    url: str
    label: str
    icon: str
    current: bool


def nav_items() -> list[NavItem]:
    """The menu of whoever is signed in."""
    return [
        NavItem(url_for(endpoint), str(label), icon, request.blueprint == word)
        for endpoint, word, label, icon, needed in PLACES
        if can(needed)
    ]
