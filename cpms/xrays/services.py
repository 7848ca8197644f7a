"""Every change of X-rays. None of them touches the original."""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import format_date
from flask_babel import gettext as _

from cpms.core import clock
from cpms.core import teeth as fdi
from cpms.core.db import Actor, db
from cpms.core.errors import Conflict, Forbidden, NotFound, Refused, Stale
from cpms.core.text import clean
from cpms.patients.models import Patient
from cpms.patients.rules import Seen
from cpms.settings import queries as settings
from cpms.settings.services import change_settings
from cpms.xrays import queries, rules
from cpms.xrays.models import Laterality, MountLayout, Xray, XrayKind, XrayMount
from cpms.xrays.rules import Read

MOST_NOTES = 500
LARGEST_NOTE = 20_000  # characters of its JSON


class AlreadyThere(Conflict):
    """The same file is in the chart; `xray` is the one that is there."""

    def __init__(self, xray: Xray, name: str) -> None:
        day = format_date(xray.date_performed, _("d MMM y"))
        super().__init__(_("%(name)s is in this chart already, with the date %(day)s.", name=name, day=day))
        self.xray_id = xray.id


class PatientMismatch(Refused):
    """The file says that it is somebody else's; a person who looked can say that it is this patient's all the same."""

    def __init__(self, doubts: str) -> None:
        super().__init__(doubts)


def attach(
    patient: Patient,
    read: Read,
    *,
    by: Actor,
    kind: XrayKind | None = None,
    date_performed: date | None = None,
    teeth: Sequence[str] | None = None,
    laterality: Laterality | None = None,
    taken_by_id: int | None = None,
    sure: bool = False,
) -> Xray:
    """Put a file that was looked at into a chart. What is not given comes from the file; the day else is today.

    Raises AlreadyThere; PatientMismatch unless somebody is `sure`; Refused with the field at fault.
    """
    _check_patient(patient)
    if same := queries.same_in_chart(patient.id, read.sha256):
        raise AlreadyThere(same, rules.short_name(read.name))
    if (words := doubts(patient, read)) and not sure:
        raise PatientMismatch(words)
    day = date_performed or read.day or clock.today()
    _check_day(day, patient, from_file=date_performed is None)
    row = Xray(
        patient_id=patient.id,
        date_performed=day,
        kind=kind or read.kind,
        teeth=_teeth(read.teeth if teeth is None else teeth),
        laterality=laterality or read.laterality,
        sha256=read.sha256,
        size=read.size,
        mime=read.mime,
        width=read.width,
        height=read.height,
        bit_depth=read.bits,
        frames=read.frames,
        original_name=read.name,
        dicom=dict(read.facts or {}),
        problem=read.problem,
        taken_by_id=taken_by_id,
        uploaded_by_id=by.id,
    )
    db.session.add(row)
    db.session.flush()
    return row


def doubts(patient: Patient, read: Read) -> str:
    """A sentence when the file says that it is somebody else's, else nothing."""
    said = (read.facts or {}).get("patient", {})
    found = rules.differences(
        said,
        first=patient.first_name,
        last=patient.last_name,
        born=patient.date_of_birth,
        chart_no=patient.chart_no,
    )
    if not found:
        return ""
    theirs = {
        "name": said.get("name", "").replace("^", " ").strip(),
        "birth_date": _("born %(day)s", day=_said_day(said.get("birth_date", ""))),
        "id": _("number %(id)s", id=said.get("id", "")),
    }
    return _(
        "%(name)s says it is of another patient (%(theirs)s), not of %(patient)s, born %(day)s.",
        name=rules.short_name(read.name),
        theirs=", ".join(theirs[each] for each in found),
        patient=patient.name,
        day=format_date(patient.date_of_birth, _("d MMMM y")),
    )


def _said_day(text: str) -> str:
    """A file's date as people say it; what is no date stays as it stands there."""
    try:
        return str(format_date(date.fromisoformat(text), _("d MMMM y")))
    except ValueError:
        return text


def update_facts(
    xray: Xray,
    *,
    seen: int,
    kind: XrayKind,
    date_performed: date,
    teeth: Sequence[str],
    laterality: Laterality,
    taken_by_id: int | None,
) -> None:
    """Store what the form of a picture says about it."""
    xray.expect_version(seen)
    _check_there(xray)
    if date_performed != xray.date_performed:
        _check_day(date_performed, xray.patient, from_file=False)
    xray.kind, xray.date_performed, xray.laterality = kind, date_performed, laterality
    xray.teeth = _teeth(teeth)
    xray.taken_by_id = taken_by_id


def report(xray: Xray, *, seen: int, findings: str, impression: str, by: Actor) -> None:
    """Write the findings and the impression; with both empty the picture is one without a report again."""
    xray.expect_version(seen)
    _check_there(xray)
    findings, impression = clean(findings), clean(impression)
    if (findings, impression) == (xray.findings, xray.impression) and (findings or impression) and xray.is_reported:
        return
    xray.findings, xray.impression = findings, impression
    is_empty = not (findings or impression)
    xray.reported_by_id, xray.reported_at = (None, None) if is_empty else (by.id, clock.now())


def move_to_patient(xray: Xray, patient: Patient, *, seen: int) -> None:
    """Into the chart of whom it is of; the move stands in both charts."""
    xray.expect_version(seen)
    _check_there(xray)
    _check_patient(patient)
    if patient.id == xray.patient_id:
        raise Refused(_("This picture is in the chart of %(name)s already.", name=patient.name), field="patient_id")
    if same := queries.same_in_chart(patient.id, xray.sha256):
        raise AlreadyThere(same, rules.short_name(xray.original_name))
    xray.patient_id = patient.id


def delete_xray(xray: Xray, *, seen: int) -> None:
    """Into the trash: the file stays, and nobody sees it."""
    xray.expect_version(seen)
    _check_there(xray)
    xray.deleted_at = clock.now()


def undelete_xray(xray: Xray) -> None:
    """Out of the trash, unless the same file was put into the chart meanwhile."""
    if not xray.is_deleted:
        return
    if xray.patient.is_deleted:
        raise Refused(_("%(name)s was deleted. Restore the patient first.", name=xray.patient.name))
    if same := queries.same_in_chart(xray.patient_id, xray.sha256):
        raise AlreadyThere(same, rules.short_name(xray.original_name))
    xray.deleted_at = None


def put_back(xray: Xray, columns: Mapping[str, Any]) -> None:
    """Earlier values of the trail; the same file is in a chart once, and in one that is there."""
    patient_id = columns.get("patient_id", xray.patient_id)
    if columns.get("deleted_at", xray.deleted_at) is None:
        same = queries.same_in_chart(patient_id, xray.sha256)
        if same is not None and same.id != xray.id:
            raise AlreadyThere(same, rules.short_name(xray.original_name))
    if "deleted_at" not in columns:
        _check_there(xray)
    owner = db.session.get(Patient, patient_id)
    if owner is not None and columns.get("deleted_at", xray.deleted_at) is None:
        _check_patient(owner)
    for name, value in columns.items():
        setattr(xray, name, value)


def add_note(xray: Xray, content: dict[str, Any], *, by: Actor) -> str:
    """Lay a note over the picture; the id of the note. What a note holds is the viewer's matter."""
    _check_there(xray)
    if len(xray.layers) >= MOST_NOTES:
        raise Refused(_("There are %(n)d notes on this picture already.", n=MOST_NOTES))
    if len(json.dumps(content)) > LARGEST_NOTE:
        raise Refused(_("This note is too long."))
    note = {"id": secrets.token_hex(4), "author_id": by.id, "at": clock.now().isoformat(), "content": content}
    xray.layers = [*xray.layers, note]
    return str(note["id"])


def remove_note(xray: Xray, note_id: str) -> None:
    """Take a note off the picture; the trail keeps it."""
    _check_there(xray)
    left = [note for note in xray.layers if note["id"] != note_id]
    if len(left) == len(xray.layers):
        raise NotFound
    xray.layers = left


def _check_there(xray: Xray) -> None:
    if xray.is_deleted:
        raise Conflict(_("This picture was deleted meanwhile. Nothing was saved."))


def _check_patient(patient: Patient) -> None:
    if patient.is_deleted:
        raise Refused(_("%(name)s was deleted. Restore the patient first.", name=patient.name), field="patient_id")


def _check_day(day: date, patient: Patient, *, from_file: bool) -> None:
    if patient.date_of_birth <= day <= clock.today():
        return
    if from_file:
        shown = format_date(day, _("d MMM y"))
        raise Refused(
            _("The file says that it was taken on %(day)s, which cannot be. Please give the date.", day=shown),
            field="date_performed",
        )
    if day > clock.today():
        raise Refused(_("The date a picture was taken cannot be in the future."), field="date_performed")
    raise Refused(_("The patient was not born then."), field="date_performed")


def _teeth(codes: Sequence[str]) -> list[str]:
    if wrong := sorted(code for code in codes if not fdi.is_tooth(code)):
        raise Refused(_("There is no tooth %(codes)s.", codes=", ".join(wrong)), field="teeth")
    return fdi.in_order(set(codes))


def create_mount(patient: Patient, layout: MountLayout) -> XrayMount:
    """An empty one, which takes what fits by the teeth of the newest pictures."""
    _check_patient(patient)
    cells = rules.filled(layout, {}, queries.of_patient(patient.id))
    row = XrayMount(patient_id=patient.id, layout=layout, cells=cells)
    db.session.add(row)
    db.session.flush()
    return row


def place(mount: XrayMount, cell: str, xray_id: int | None, *, seen: int) -> None:
    """Put a picture of the same patient into a cell, or take out what is in it."""
    mount.expect_version(seen)
    if cell not in {each.name for each in rules.LAYOUTS[mount.layout]}:
        raise NotFound
    if xray_id is not None and queries.xray(xray_id).patient_id != mount.patient_id:
        raise Refused(_("This picture is not of this patient."))
    mount.cells = rules.placed(_present(mount), cell, xray_id)


def _present(mount: XrayMount) -> rules.Cells:
    return rules.present(mount.cells, {each.id for each in queries.of_patient(mount.patient_id)})


def turn(mount: XrayMount, cell: str, *, seen: int) -> None:
    mount.expect_version(seen)
    mount.cells = rules.turned(mount.cells, cell)


def fill(mount: XrayMount, *, seen: int) -> None:
    """Empty cells take what fits by the teeth."""
    mount.expect_version(seen)
    mount.cells = rules.filled(mount.layout, _present(mount), queries.of_patient(mount.patient_id))


def rename_mount(mount: XrayMount, title: str, *, seen: int) -> None:
    mount.expect_version(seen)
    mount.title = title


def delete_mount(mount: XrayMount, *, seen: int) -> None:
    """The frame goes; the pictures stay in the chart."""
    mount.expect_version(seen)
    mount.deleted_at = clock.now()


def undelete_mount(mount: XrayMount) -> None:
    """Out of the trash, when everything it shows is there."""
    if not mount.is_deleted:
        return
    _check_whole(mount, mount.cells)
    mount.deleted_at = None


def _check_whole(mount: XrayMount, cells: rules.Cells) -> None:
    """Raise Refused when the patient or one of the pictures lies in the trash."""
    if mount.patient.is_deleted:
        raise Refused(_("%(name)s was deleted. Restore the patient first.", name=mount.patient.name))
    if gone := queries.in_trash(content["xray"] for content in cells.values()):
        what = f"{queries.kind_words()[gone[0].kind]}, {format_date(gone[0].date_performed, _('d MMM y'))}"
        raise Refused(_("A picture of this mount is in the trash: %(what)s. Restore it first.", what=what))


def expect_report(xray: Xray, seen: Seen) -> None:
    """Raise Stale when findings or impression are not those that somebody saw; other changes of the picture, such as
    a note upon it, are none of the report's."""
    if seen.changed({"findings": xray.findings, "impression": xray.impression}):
        raise Stale


def draw(xray: Xray, marks: Sequence[Mapping[str, Any]], *, by: Actor) -> None:
    """Lay several notes over a picture. ValueError when nobody can have drawn that."""
    if len(marks) > rules.MOST_AT_ONCE:
        raise ValueError(len(marks))
    for each in marks:
        add_note(xray, rules.mark(each, width=xray.width, height=xray.height), by=by)


def remove_own_note(xray: Xray, note_id: str, *, by: Actor) -> None:
    """Take a note off a picture; only who made it may."""
    author = next((note["author_id"] for note in xray.layers if note["id"] == note_id), by.id)
    if author != by.id:
        raise Forbidden(_("Only who made a note can take it away."))
    remove_note(xray, note_id)


def change_phrases(text: str, *, seen: Seen) -> None:
    """Store the clinic's phrases, one a line; Stale when somebody else stored others since they were `seen`."""
    if seen.changed({"phrases": settings.current().xray_phrases}):
        raise Stale
    change_settings(xray_phrases="\n".join(rules.phrases(text)))


def put_mount_back(mount: XrayMount, columns: Mapping[str, Any]) -> None:
    """Earlier values of the trail, when everything that the mount would show is there."""
    if columns.get("deleted_at", mount.deleted_at) is None:
        _check_whole(mount, columns.get("cells", mount.cells))
    for name, value in columns.items():
        setattr(mount, name, value)
