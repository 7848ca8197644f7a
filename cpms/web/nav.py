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

# What the settings page lists, and the search field finds.
SETTINGS = (
    (
        "settings.clinic",
        _l("Clinic"),
        _l("Name, address, language, opening hours, time zone, when a screen locks itself"),
        "dental",
        P.SETTINGS_WRITE,
    ),
    (
        "auth.users",
        _l("Users"),
        _l("Who works here, what they may do, where they are signed in"),
        "users",
        P.USERS_MANAGE,
    ),
    (
        "hours.index",
        _l("Hours"),
        _l("Who works when, breaks, absences, closed days, public holidays"),
        "clock",
        P.CALENDAR_READ,
    ),
    ("calendar.chairs", _l("Chairs"), _l("The columns of the calendar"), "armchair", P.CALENDAR_SETUP),
    (
        "calendar.types",
        _l("Appointment types"),
        _l("What visits are for, how long they take, their colours"),
        "tag",
        P.CALENDAR_SETUP,
    ),
    (
        "xrays.phrases",
        _l("Phrases of X-ray reports"),
        _l("What goes into findings and impression with one tap"),
        "clipboard-text",
        P.XRAY_REPORT,
    ),
    (
        "backups.index",
        _l("Backups"),
        _l("Whether the clinic's data is safe, and how to get it back"),
        "shield-check",
        P.BACKUP_MANAGE,
    ),
    (
        "feeds.index",
        _l("Calendar feeds"),
        _l("Whether providers read their visits in the calendar of a telephone"),
        "calendar",
        P.USERS_MANAGE,
    ),
    ("audit.log", _l("Audit log"), _l("Who did what, when, and from where"), "history", P.AUDIT_READ),
    ("audit.trash", _l("Trash"), _l("What was deleted, and putting it back"), "trash", P.PATIENT_ARCHIVE),
    (
        "auth.profile",
        _l("Your profile"),
        _l("Name, e-mail, password, language, light or dark"),
        "user-circle",
        P.PROFILE,
    ),
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
    "calendar.chairs": "settings",
    "calendar.new_chair": "settings",
    "calendar.edit_chair": "settings",
    "calendar.types": "settings",
    "calendar.new_type": "settings",
    "calendar.edit_type": "settings",
    "calendar.outside": "settings",
    "xrays.phrases": "settings",
    "xrays.change_phrases": "settings",
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
    text: str = ""


def nav_items() -> list[NavItem]:
    """The menu of whoever is signed in. A tab of a chart is a page about a patient, whichever domain draws it."""
    domain = request.blueprint or ""
    here = BEHIND.get(request.endpoint or "") or BEHIND.get(domain, domain)
    return [
        NavItem(url_for(endpoint), str(label), icon, here == word)
        for endpoint, word, label, icon, needed in PLACES
        if can(needed)
    ]


def settings_pages() -> list[NavItem]:
    """The pages of the settings that whoever is signed in may open."""
    return [
        NavItem(url_for(endpoint), str(label), icon, request.endpoint == endpoint, str(text))
        for endpoint, label, text, icon, needed in SETTINGS
        if can(needed)
    ]


def chart_tabs(patient_id: int) -> list[NavItem]:
    """The tabs that whoever is signed in may open."""
    return [
        NavItem(url_for(endpoints[0], patient_id=patient_id), str(label), "", request.endpoint in endpoints)
        for endpoints, label, needed in TABS
        if can(needed)
    ]
