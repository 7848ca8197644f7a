"""The viewer: one picture or two on the light table, what is drawn upon them, the report, and its print."""

import json
from dataclasses import dataclass

from flask import Response, abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.auth import queries as auth
from cpms.core import clock, media
from cpms.core.db import look, transaction
from cpms.core.errors import NotFound, Stale
from cpms.core.permissions import P
from cpms.patients import queries as patients
from cpms.patients import rules as edits
from cpms.settings import queries as settings
from cpms.web.access import require
from cpms.web.filters import full_day, short_day
from cpms.web.htmx import done, is_htmx, page
from cpms.web.numbers import whole
from cpms.web.toasts import toast, way_back
from cpms.xrays import queries, rules, services
from cpms.xrays.forms import MarksForm, PhrasesForm, ReportForm
from cpms.xrays.models import Laterality, Xray
from cpms.xrays.views.blueprint import bp


@dataclass(frozen=True, slots=True)
class Film:
    """A picture as the light table takes it. What the scripts read is JSON."""

    id: int
    title: str
    label: str
    problem: str  # why there is nothing to see, in words
    has_file: bool
    width: int
    height: int
    frames: int
    is_deep: bool  # its stored values are sent, not only eight bits of them
    facts: str
    spacing: str
    length: str  # how a length is said, with {n} for the number
    lengths: str  # what a length means here
    curves: str  # that the file has a curve which is not applied, or nothing
    marks: str
    view: str  # the newest view that somebody kept, or nothing
    about: list[tuple[str, str]]


# --- looking --------------------------------------------------------------------------------------------------------


@bp.get("/<int:xray_id>")
@require(P.XRAY_READ, P.PATIENT_READ)
def view(xray_id: int) -> ResponseReturnValue:
    """A picture, or with `?with=` two of the same patient beside each other."""
    xray = queries.xray(xray_id)
    shown = [xray, *_beside(xray)]
    for each in shown:
        look("xray.view", actor=current_user, about=each)
    return _viewer(shown)


def _beside(xray: Xray) -> list[Xray]:
    if "with" not in request.args:
        return []
    other = queries.xray(request.args.get("with", 0, type=whole))
    if other.patient_id != xray.patient_id or other.id == xray.id:
        raise NotFound
    return [other]


def _viewer(shown: list[Xray], form: ReportForm | None = None, *, status: int = 200, **elsewhere: str) -> Response:
    xray = shown[0]
    return page(
        "xrays/viewer.html",
        status=status,
        films=[_film(each) for each in shown],
        patient=patients.chart(xray.patient_id),
        series=queries.series(xray),
        notes=queries.notes(xray, reader_id=current_user.id),
        form=form or ReportForm.of(xray),
        elsewhere=elsewhere,
        reported_by=_names().get(xray.reported_by_id or 0, ""),
        reported_at=xray.reported_at,
        phrases=queries.phrases(),
        icons=ICONS,
        words=json.dumps(_words()),
    )


ICONS = {
    "text": "typography",
    "arrow": "arrow-up-right",
    "ruler": "ruler-measure",
    "angle": "angle",
    rules.VIEW: "device-floppy",
}


FACTS = ("slope", "intercept", "offset", "inverted", "center", "function")  # of the stored values, for the scripts


def _names() -> dict[int, str]:
    return {user.id: user.display_name for user in auth.users()}


def _words() -> dict[str, str]:
    """What the scripts say; {n} and the like are theirs."""
    return {
        "degrees": "{n}°",
        "zoom": _("{n}%"),
        "tone": _("level {center}, width {width}"),
        "changed": _("not as the original"),
    }


def _film(xray: Xray) -> Film:
    day, kind = short_day(xray.date_performed), queries.kind_words()[xray.kind]
    depth = (xray.dicom or {}).get("depth") or {}
    views = [layer["content"] for layer in xray.layers if layer["content"]["kind"] == rules.VIEW]
    spacing = queries.spacing(xray)
    facts = {name: depth[name] for name in FACTS if name in depth}
    return Film(
        id=xray.id,
        title=f"{', '.join([kind, *_place(xray)])} · {day}",
        label=_("%(kind)s of %(day)s. The arrows move it, plus and minus zoom.", kind=kind, day=day),
        problem=_problem(xray),
        has_file=media.path_of(xray.sha256).is_file(),
        width=xray.width,
        height=xray.height,
        frames=xray.frames,
        is_deep=bool(depth),
        facts=json.dumps(facts | ({"width": depth["window"]} if "window" in depth else {})),
        spacing=json.dumps(spacing),
        length=queries.length_pattern(xray),
        lengths=_lengths(xray),
        curves=_curves(xray),
        marks=json.dumps(
            [{"id": each["id"]} | each["content"] for each in xray.layers if each["content"]["kind"] != rules.VIEW]
        ),
        view=json.dumps(views[-1]) if views else "",
        about=_about(xray, kind),
    )


def _place(xray: Xray) -> list[str]:
    """The teeth, or the side when no tooth is named."""
    if xray.teeth:
        return [" ".join(xray.teeth)]
    return [] if xray.laterality is Laterality.UNKNOWN else [queries.laterality_words()[xray.laterality]]


def _problem(xray: Xray) -> str:
    if not media.path_of(xray.sha256).is_file():
        return _("The file is missing on the server. A backup may have it: tell whoever looks after the server.")
    if xray.is_document:
        return _("This is a document, not a picture. It can be taken along and opened elsewhere.")
    return queries.problem_words().get(xray.problem, "")


def _lengths(xray: Xray) -> str:
    if xray.problem or queries.spacing(xray) is None:
        return _("Lengths in pixels: the file does not say how large one is.")
    if queries.is_calibrated(xray):
        return _("Lengths are calibrated in the file.")
    return _("Lengths are mm at the detector, not calibrated.")


def _curves(xray: Xray) -> str:
    curves = (xray.dicom or {}).get("curves", [])
    if "modality" in curves:
        return _("The file has a table for its values (Modality LUT) that cannot be read: stored values are shown.")
    if "voi" in curves:
        return _("The file has a grey curve of its own (VOI LUT), which is not applied.")
    return _("The file asks for a grey curve that is not known here, so it is not applied.") if curves else ""


def _about(xray: Xray, kind: str) -> list[tuple[str, str]]:
    """What the panel says of the picture, and of the file that it came in."""
    said = xray.dicom or {}
    size = _("%(width)d × %(height)d pixels, %(bits)d bits", width=xray.width, height=xray.height, bits=xray.bit_depth)
    found = [
        (_("Taken on"), full_day(xray.date_performed)),
        (_("Kind"), kind),
        (_("Teeth"), " ".join(xray.teeth)),
        (_("Side"), "" if xray.laterality is Laterality.UNKNOWN else queries.laterality_words()[xray.laterality]),
        (_("Picture"), size if xray.width else ""),
        (_("Frames"), _("Frame 1 of %(total)d is shown", total=xray.frames) if xray.frames > 1 else ""),
        (_("Grey curve"), _curves(xray)),
        (_("Device"), " ".join(filter(None, (said.get("manufacturer"), said.get("model"))))),
        (_("File"), xray.original_name),
        (_("Taken by"), _names().get(xray.taken_by_id or 0, "")),
        (_("Brought in by"), _names().get(xray.uploaded_by_id or 0, "")),
    ]
    return [(label, value) for label, value in found if value]


@bp.get("/<int:xray_id>/compare")
@require(P.XRAY_READ, P.PATIENT_READ)
def ask_compare(xray_id: int) -> ResponseReturnValue:
    """Which other picture of the patient shall stand beside this one?"""
    xray = queries.xray(xray_id)
    others = [each for each in queries.of_patient(xray.patient_id) if not (each.is_document or each.id == xray.id)]
    return page("xrays/compare_dialog.html", xray=xray, others=others, kinds=queries.kind_words())


# --- drawing --------------------------------------------------------------------------------------------------------


@bp.post("/<int:xray_id>/notes")
@require(P.XRAY_READ, P.XRAY_WRITE, P.PATIENT_READ)
def add_notes(xray_id: int) -> ResponseReturnValue:
    """Keep what was drawn, or how somebody saw the picture."""
    xray, marks = queries.xray(xray_id), MarksForm.posted().drawn()
    try:
        with transaction("xray.note", actor=current_user, about=xray) as write:
            services.draw(queries.xray(xray_id), marks, by=current_user)
    except (ValueError, TypeError):
        abort(400)
    toast(_("Saved for everybody who opens this picture."), undo=way_back(write))
    return _after(xray_id)


@bp.post("/<int:xray_id>/notes/<note_id>/remove")
@require(P.XRAY_READ, P.XRAY_WRITE, P.PATIENT_READ)
def remove_note(xray_id: int, note_id: str) -> ResponseReturnValue:
    xray = queries.xray(xray_id)
    with transaction("xray.remove_note", actor=current_user, about=xray) as write:
        services.remove_own_note(queries.xray(xray_id), note_id, by=current_user)
    toast(_("The note is taken away."), undo=way_back(write))
    return _after(xray_id)


def _after(xray_id: int) -> Response:
    return _viewer([queries.xray(xray_id)]) if is_htmx() else done(url_for(".view", xray_id=xray_id))


# --- the report -----------------------------------------------------------------------------------------------------


@bp.post("/<int:xray_id>/report")
@require(P.XRAY_READ, P.XRAY_REPORT, P.PATIENT_READ)
def save_report(xray_id: int) -> ResponseReturnValue:
    xray, form = queries.xray(xray_id), ReportForm.posted()
    seen = form.what_was_seen()
    if not form.validate():
        return _viewer([xray], form, status=422)
    try:
        with transaction("xray.report", actor=current_user, about=xray) as write:
            row = queries.xray(xray_id)
            services.expect_report(row, seen)
            services.report(
                row,
                seen=row.row_version,
                findings=form.findings.data,
                impression=form.impression.data,
                by=current_user,
            )
    except Stale as clash:
        return _both_reports(xray_id, form, seen, clash.status)
    toast(_("The report is saved.") if write.changes else _("Nothing was changed."), undo=way_back(write))
    return _after(xray_id)


def _both_reports(xray_id: int, form: ReportForm, seen: edits.Seen, status: int) -> Response:
    """Somebody else stored meanwhile: what was typed here stays, and beside it stands what is stored."""
    xray = queries.xray(xray_id)
    stored = {name: getattr(xray, name) for name in form.COLUMNS}
    both = edits.meet(seen, typed={name: form[name].data for name in form.COLUMNS}, stored=stored)
    again, elsewhere = ReportForm.of(xray), {}
    for name in form.COLUMNS:
        again[name].data = both[name]
    for name, value in seen.changed(stored).items():
        if both[name] == value:
            elsewhere[name] = _("Changed meanwhile: this is what is saved now.")
        else:
            again.refuse(name, _("Somebody else changed this meanwhile."))
            elsewhere[name] = _("Saved now: %(value)s", value=value or _("nothing"))
    return _viewer([xray], again, status=status, **elsewhere)


@bp.get("/<int:xray_id>/print")
@require(P.XRAY_READ, P.PATIENT_READ)
def print_report(xray_id: int) -> ResponseReturnValue:
    """The report on paper, with the picture and what is drawn upon it."""
    xray = queries.xray(xray_id)
    with transaction("xray.print", actor=current_user, about=xray):
        pass
    return page(
        "xrays/report_print.html",
        xray=xray,
        film=_film(xray),
        patient=patients.chart(xray.patient_id),
        notes=[note for note in queries.notes(xray, reader_id=current_user.id) if note.points],
        reported_by=_names().get(xray.reported_by_id or 0, ""),
        printed_at=clock.to_wall(clock.now()),
    )


@bp.get("/phrases")
@require(P.XRAY_REPORT)
def phrases() -> ResponseReturnValue:
    stored = settings.current().xray_phrases
    return page("xrays/phrases.html", form=PhrasesForm.of("\n".join(queries.phrases()), stored))


@bp.post("/phrases")
@require(P.XRAY_REPORT)
def change_phrases() -> ResponseReturnValue:
    form = PhrasesForm.posted()
    seen = form.what_was_seen()
    if not form.validate():
        return page("xrays/phrases.html", form=form, status=422)
    try:
        with transaction("settings.change", actor=current_user):
            services.change_phrases(form.phrases.data, seen=seen)
    except Stale as clash:
        return _both_phrases(form, clash.status)
    toast(_("The phrases are saved."))
    return done(url_for(".phrases"))


def _both_phrases(form: PhrasesForm, status: int) -> Response:
    stored = settings.current().xray_phrases
    again = PhrasesForm.of(form.phrases.data, stored)
    again.refuse("phrases", _("Somebody else changed the phrases meanwhile. Saving again keeps what stands here."))
    return page("xrays/phrases.html", form=again, stored=stored, status=status)
