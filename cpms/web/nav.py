"""The places of the main menu, and the tabs of a chart."""

from dataclasses import dataclass

from flask import request, url_for
from flask_babel import lazy_gettext as _l

from cpms.core.permissions import P
from cpms.web.access import can

PLACES = (
    ("today.home", "today", _l("Today"), "clock", P.CALENDAR_READ),
    ("calendar.home", "calendar", _l("Calendar"), "calendar", P.CALENDAR_READ),
    ("patients.index", "patients", _l("Patients"), "users", P.PATIENT_READ),
    ("xrays.shelf", "xrays", _l("X-rays"), "photo", P.XRAY_READ),
    ("settings.index", "settings", _l("Settings"), "settings", P.PROFILE),
)

# The tabs of a patient's chart; the first of the endpoints is where the tab leads, at the others it is current too.
TABS = (
    (("patients.patient", "patients.edit"), _l("Overview"), P.PATIENT_READ),
    (("patients.medical", "patients.edit_medical"), _l("Medical"), P.MEDICAL_READ),
    (("calendar.patient_visits",), _l("Visits"), P.CALENDAR_READ),
    (("xrays.of_patient", "xrays.upload", "xrays.mounts", "xrays.mount"), _l("X-rays"), P.XRAY_READ),
    (("audit.of_patient",), _l("History"), P.PATIENT_READ),
)
# Where pages are found that other domains draw, and domains that have no place of their own in the menu.
BEHIND = {
    **{endpoint: "patients" for endpoints, _label, _needed in TABS for endpoint in endpoints},
    "calendar.ask_delete_patient": "patients",
    "calendar.undelete_patient": "patients",
    "audit.of_event": "calendar",
    "audit": "settings",
    "auth": "settings",
    "backups": "settings",
    "exchange": "settings",
    "hours": "settings",
    "feeds": "settings",
}


@dataclass(frozen=True, slots=True)
class NavItem:
    url: str
    label: str
    icon: str
    current: bool


def nav_items() -> list[NavItem]:
    """The menu of whoever is signed in. A tab of a chart is a page about a patient, whichever domain draws it."""
    domain = request.blueprint or ""
    here = BEHIND.get(request.endpoint or "") or BEHIND.get(domain, domain)
    return [
        NavItem(url_for(endpoint), str(label), icon, here == word)
        for endpoint, word, label, icon, needed in PLACES
        if can(needed)
    ]


def chart_tabs(patient_id: int) -> list[NavItem]:
    """The tabs that whoever is signed in may open."""
    return [
        NavItem(url_for(endpoints[0], patient_id=patient_id), str(label), "", request.endpoint in endpoints)
        for endpoints, label, needed in TABS
        if can(needed)
    ]
