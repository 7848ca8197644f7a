"""Every read of X-rays."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import format_decimal
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Row, Select, false, func, select

from cpms.auth import queries as auth
from cpms.core import pages
from cpms.core.db import db
from cpms.core.errors import NotFound
from cpms.core.pages import PER_PAGE, Listing
from cpms.core.text import full_name
from cpms.patients import queries as patients
from cpms.patients.models import Patient
from cpms.settings import queries as settings
from cpms.xrays import rules
from cpms.xrays.models import Laterality, MountLayout, Xray, XrayKind, XrayMount


@dataclass(frozen=True, slots=True)
class Card:
    """A picture in a gallery or a list."""

    id: int
    patient_id: int
    patient: str
    chart_no: int
    date_performed: date
    kind: XrayKind
    teeth: list[str]
    laterality: Laterality
    findings: str
    impression: str
    reported_at: datetime | None
    mime: str
    size: int
    width: int
    height: int
    bit_depth: int
    frames: int
    original_name: str
    problem: str
    created_at: datetime
    row_version: int

    @property
    def is_document(self) -> bool:
        return self.mime == "application/pdf"

    @property
    def lacks_findings(self) -> bool:
        return self.reported_at is None and self.kind not in rules.NEED_NO_FINDINGS and not self.problem


_x, _p = Xray.__table__.c, Patient.__table__.c
_CARD = (
    _x.id,
    _x.patient_id,
    _p.first_name,
    _p.last_name,
    _p.chart_no,
    _x.date_performed,
    _x.kind,
    _x.teeth,
    _x.laterality,
    _x.findings,
    _x.impression,
    _x.reported_at,
    _x.mime,
    _x.size,
    _x.width,
    _x.height,
    _x.bit_depth,
    _x.frames,
    _x.original_name,
    _x.problem,
    _x.created_at,
    _x.row_version,
)
_THERE = (_x.deleted_at.is_(None), _p.deleted_at.is_(None))
_WITHOUT_FINDINGS = (_x.reported_at.is_(None), _x.kind.not_in(rules.NEED_NO_FINDINGS), _x.problem == "")


def xray(xray_id: int) -> Xray:
    """The picture. NotFound when it, or its patient, lies in the trash."""
    found = db.session.get(Xray, xray_id)
    if found is None or found.is_deleted or found.patient.is_deleted:
        raise NotFound
    return found


def xray_ever(xray_id: int) -> Xray:
    """The picture, also a deleted one."""
    found = db.session.get(Xray, xray_id)
    if found is None:
        raise NotFound
    return found


def of_patient(patient_id: int) -> list[Card]:
    """All of a patient's pictures and documents, the newest first."""
    return _cards(_cards_where(_x.patient_id == patient_id).order_by(_x.date_performed.desc(), _x.id.desc()))


def listing(
    typed: str = "",
    *,
    since: date | None = None,
    until: date | None = None,
    without_findings: bool = False,
    page: int = 1,
    size: int = PER_PAGE,
) -> Listing[Card]:
    """A page of all pictures of the clinic, the newest first: of the patients that a typed text means, of some days
    (both included), or only those that nobody has reported on."""
    where: list[ColumnElement[bool]] = []
    if typed.strip():
        where.append(meant if (meant := patients.meant(typed)) is not None else false())
    if since:
        where.append(_x.date_performed >= since)
    if until:
        where.append(_x.date_performed <= until)
    if without_findings:
        where += _WITHOUT_FINDINGS
    total = _count(*where)
    page = pages.nearest(page, total, size)
    query = _cards_where(*where).order_by(_x.date_performed.desc(), _x.id.desc())
    return Listing(_cards(query.limit(size).offset(pages.skipped(page, size))), page, total, size)


def how_many_without_findings() -> int:
    return _count(*_WITHOUT_FINDINGS)


def same_in_chart(patient_id: int, sha256: str) -> Xray | None:
    """The picture of that patient with the same bytes, unless it was deleted."""
    same = Xray.patient_id == patient_id, Xray.sha256 == sha256, Xray.deleted_at.is_(None)
    return db.session.scalars(select(Xray).where(*same)).first()


def is_used(sha256: str) -> bool:
    """Whether any record, also a deleted one, names the file."""
    return db.session.scalars(select(Xray.id).where(Xray.sha256 == sha256).limit(1)).first() is not None


def endings() -> dict[str, str]:
    """The usual ending of each kept file, by its SHA-256: the files themselves have none."""
    rows = db.session.execute(select(Xray.sha256, Xray.mime).distinct())
    return {row.sha256: rules.SUFFIXES[row.mime][0] for row in rows}


def kind_words() -> dict[XrayKind, str]:
    return {
        XrayKind.PERIAPICAL: _("Periapical"),
        XrayKind.BITEWING: _("Bitewing"),
        XrayKind.PANORAMIC: _("Panoramic"),
        XrayKind.CEPHALOMETRIC: _("Cephalometric"),
        XrayKind.OCCLUSAL: _("Occlusal"),
        XrayKind.CBCT_SLICE: _("CBCT slice"),
        XrayKind.PHOTO: _("Photo"),
        XrayKind.OTHER: _("Other"),
        XrayKind.DOCUMENT: _("Document"),
    }


def laterality_words() -> dict[Laterality, str]:
    return {
        Laterality.UNKNOWN: _("not given"),
        Laterality.RIGHT: _("right"),
        Laterality.LEFT: _("left"),
        Laterality.BOTH: _("both sides"),
    }


def problem_words() -> dict[str, str]:
    """Why a file that is kept cannot be shown."""
    return {
        "no-picture": _("This DICOM file holds no picture. It is kept as it came."),
        "syntax": _("This picture is packed in a way that cannot be shown here. The file is kept as it came."),
        "depth": _("This picture has values that cannot be shown here. The file is kept as it came."),
        "undecodable": _("The picture in this file cannot be read. The file is kept as it came."),
    }


def _cards_where(*where: ColumnElement[bool]) -> Select[*tuple[object, ...]]:
    return select(*_CARD).join_from(Xray.__table__, Patient.__table__).where(*_THERE, *where)


def _count(*where: ColumnElement[bool]) -> int:
    counted = select(func.count()).select_from(Xray.__table__.join(Patient.__table__)).where(*_THERE, *where)
    return db.session.scalar(counted) or 0


def _cards(query: Select[*tuple[object, ...]]) -> list[Card]:
    return [_card(row) for row in db.session.execute(query)]


def _card(row: Row[*tuple[object, ...]]) -> Card:
    values: Iterable[object] = tuple(row)
    xray_id, patient_id, first, last, *rest = values
    return Card(xray_id, patient_id, full_name(first, last), *rest)  # type: ignore[arg-type]


def mount(mount_id: int) -> XrayMount:
    """The mount. NotFound when it, or its patient, lies in the trash."""
    found = db.session.get(XrayMount, mount_id)
    if found is None or found.is_deleted or found.patient.is_deleted:
        raise NotFound
    return found


def mount_ever(mount_id: int) -> XrayMount:
    """The mount, also a deleted one."""
    found = db.session.get(XrayMount, mount_id)
    if found is None:
        raise NotFound
    return found


def in_trash(ids: Iterable[int]) -> list[Xray]:
    """Those of some pictures that were deleted, the oldest first."""
    gone = Xray.id.in_(list(ids)), Xray.deleted_at.is_not(None)
    return list(db.session.scalars(select(Xray).where(*gone).order_by(Xray.date_performed, Xray.id)))


def mounts_of(patient_id: int) -> list[XrayMount]:
    """The newest first."""
    theirs = XrayMount.patient_id == patient_id, XrayMount.deleted_at.is_(None)
    return list(db.session.scalars(select(XrayMount).where(*theirs).order_by(XrayMount.id.desc())))


def layout_words() -> dict[MountLayout, str]:
    return {
        MountLayout.BITEWINGS_2: _("Bitewing pair"),
        MountLayout.BITEWINGS_4: _("Four bitewings"),
        MountLayout.FULL_MOUTH_18: _("Full-mouth series (18)"),
    }


# --- one picture on the viewer's light table ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Series:
    """Where a picture stands among those of its patient, by date."""

    number: int
    total: int
    previous: int | None
    next: int | None


@dataclass(frozen=True, slots=True)
class Note:
    """Something drawn over a picture, in words; `view` are the numbers of a kept view, as JSON."""

    id: str
    kind: str
    words: str
    who: str
    at: datetime
    is_mine: bool
    points: list[rules.Point]
    view: str


def series(xray: Xray) -> Series:
    """Documents cannot be looked at, so they are left out."""
    order = (_x.date_performed, _x.id)
    pictures = select(_x.id).where(_x.patient_id == xray.patient_id, _x.deleted_at.is_(None))
    ids = list(db.session.scalars(pictures.where(_x.mime != "application/pdf").order_by(*order)))
    if xray.id not in ids:
        return Series(1, 1, None, None)
    at = ids.index(xray.id)
    return Series(at + 1, len(ids), ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None)


def spacing(xray: Xray) -> tuple[float, float] | None:
    """Millimetres from pixel to pixel, down and across, when the file says so."""
    said = (xray.dicom or {}).get("spacing")
    return (said["row"], said["column"]) if said else None


def is_calibrated(xray: Xray) -> bool:
    """Whether lengths are those of the tooth, not of its shadow on the detector."""
    return bool((xray.dicom or {}).get("spacing", {}).get("plane") == "calibrated")


def notes(xray: Xray, *, reader_id: int) -> list[Note]:
    """What lies over a picture, the oldest first."""
    names = {user.id: user.display_name for user in auth.users()} if xray.layers else {}
    return [
        Note(
            layer["id"],
            layer["content"]["kind"],
            note_words(layer["content"], xray),
            names.get(layer["author_id"], ""),
            datetime.fromisoformat(layer["at"]),
            layer["author_id"] == reader_id,
            layer["content"].get("points", []),
            json.dumps(layer["content"]) if layer["content"]["kind"] == rules.VIEW else "",
        )
        for layer in xray.layers
    ]


def note_words(content: Mapping[str, Any], xray: Xray) -> str:
    """A note as a line of text."""
    kind, points, mm = content["kind"], content.get("points", []), spacing(xray)
    if kind == "ruler":
        return _("Length: %(length)s", length=length_words(rules.length(points, mm), xray))
    if kind == "angle":
        return _("Angle: %(degrees)s°", degrees=format_decimal(rules.angle(points, mm), "0.0"))
    if kind == rules.VIEW:
        return _("A view: brightness and direction")
    return content.get("text") or _("An arrow")


def length_words(length: float, xray: Xray) -> str:
    return length_pattern(xray).replace("{n}", format_decimal(length, "0.0" if spacing(xray) else "#,##0"))


def length_pattern(xray: Xray) -> str:
    """How a length on the picture is said, {n} being the number: in which unit, and in which plane."""
    if spacing(xray) is None:
        return _("{n} px")
    return _("{n} mm") if is_calibrated(xray) else _("{n} mm at the detector")


def phrases() -> list[str]:
    """What a report often says: the clinic's own phrases, or the usual ones while it has none."""
    return rules.phrases(settings.current().xray_phrases) or usual_phrases()


def usual_phrases() -> list[str]:
    return [
        _("No caries visible."),
        _("Caries into the outer half of the dentine."),
        _("Caries into the inner half of the dentine."),
        _("Bone level within normal limits."),
        _("Horizontal bone loss."),
        _("Vertical bone defect."),
        _("Periapical area unremarkable."),
        _("Periapical radiolucency."),
        _("Root filling adequate in length and density."),
        _("No pathological findings."),
        _("Follow-up picture recommended."),
    ]
