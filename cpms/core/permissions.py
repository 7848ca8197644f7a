"""One closed list of permissions and one matrix of roles. A screen asks for permissions, never for a role."""

from enum import StrEnum


class P(StrEnum):
    """What a person may do."""

    PROFILE = "profile"  # own name, password, theme: everybody
    CALENDAR_READ = "calendar.read"
    CALENDAR_WRITE = "calendar.write"
    CALENDAR_OVERBOOK = "calendar.overbook"
    CALENDAR_SETUP = "calendar.setup"  # chairs and appointment types
    HOURS_WRITE = "hours.write"  # when whom takes visits: hours, breaks, absences
    PATIENT_READ = "patient.read"
    PATIENT_WRITE = "patient.write"
    PATIENT_ARCHIVE = "patient.archive"
    MEDICAL_READ = "medical.read"  # the medical text; the alert strip is for everybody who may see the patient
    MEDICAL_WRITE = "medical.write"
    XRAY_READ = "xray.read"  # whoever has it not sees no pixel
    XRAY_WRITE = "xray.write"  # bring in, describe, move, delete
    XRAY_REPORT = "xray.report"  # findings and impression
    SETTINGS_WRITE = "settings.write"
    USERS_MANAGE = "users.manage"
    AUDIT_READ = "audit.read"  # the whole trail, and who opened which chart
    BACKUP_MANAGE = "backup.manage"  # make, take away, put back: all of the clinic's data


class Role(StrEnum):
    OWNER = "owner"
    DENTIST = "dentist"
    HYGIENIST = "hygienist"
    ASSISTANT = "assistant"
    RECEPTIONIST = "receptionist"


_XRAYS = frozenset({P.XRAY_READ, P.XRAY_WRITE})
_EVERYBODY = frozenset({P.PROFILE, P.CALENDAR_READ, P.CALENDAR_WRITE, P.PATIENT_READ, P.PATIENT_WRITE})

ROLES: dict[Role, frozenset[P]] = {
    Role.OWNER: frozenset(P),
    Role.DENTIST: _EVERYBODY
    | _XRAYS
    | {P.CALENDAR_OVERBOOK, P.HOURS_WRITE, P.PATIENT_ARCHIVE, P.MEDICAL_READ, P.MEDICAL_WRITE, P.XRAY_REPORT},
    Role.HYGIENIST: _EVERYBODY | _XRAYS | {P.MEDICAL_READ, P.MEDICAL_WRITE},
    Role.ASSISTANT: _EVERYBODY | _XRAYS | {P.MEDICAL_READ},
    Role.RECEPTIONIST: _EVERYBODY | {P.CALENDAR_OVERBOOK, P.HOURS_WRITE, P.PATIENT_ARCHIVE},
}
