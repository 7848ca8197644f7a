"""The files of X-rays: bringing them in, and giving them out to whoever may see them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Response, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.core import media
from cpms.core import teeth as fdi
from cpms.core.db import fresh_read, look, transaction
from cpms.core.errors import CannotWrite, DomainError, NotFound
from cpms.core.files import digest
from cpms.core.permissions import P
from cpms.patients import queries as patients
from cpms.patients.queries import Chart
from cpms.web.access import require
from cpms.web.errors import sentence
from cpms.web.htmx import done, is_htmx, page
from cpms.web.toasts import toast
from cpms.web.uploads import Arriving, Bounds, is_single, takes_files
from cpms.xrays import intake, queries, rules, services
from cpms.xrays.forms import UploadForm
from cpms.xrays.models import Xray
from cpms.xrays.rules import Read
from cpms.xrays.views.blueprint import bp

# Which file is sent for each size, and as what: nothing that the browser could take for something else.
FILES = {
    "thumb": ("thumb.jpg",),
    "screen": ("screen.jpg",),
    "full": ("full.png", "full.jpg"),
    "depth": ("depth.bin.gz",),
}
TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".gz": "application/octet-stream"}


# --- giving out -----------------------------------------------------------------------------------------------------


@bp.get("/<int:xray_id>/picture/<any(thumb, screen, full, depth):size>")
@require(P.XRAY_READ)
def picture(xray_id: int, size: str) -> ResponseReturnValue:
    """A picture in one of its sizes; `depth` are the stored values, gzipped. Small ones leave no trace of their own:
    the page that shows them does. The others share the trace of the viewer's page."""
    xray = queries.xray(xray_id)
    file = _file(xray, size)
    if file is None:
        if size == "depth":
            raise NotFound
        return _placeholder(xray)
    if size != "thumb":
        look("xray.view", actor=current_user, about=xray)
    name = f"xray-{xray.id}-{size}{'.bin' if size == 'depth' else file.suffix}"
    answer = send_file(
        file,
        mimetype=TYPES[file.suffix],
        download_name=name,
        etag=f"{xray.sha256[:32]}-{size}",
        last_modified=None,
        max_age=None,
    )
    if size == "depth":
        answer.headers["Content-Encoding"] = "gzip"
    return _closed_in(answer)


@bp.get("/<int:xray_id>/original")
@require(P.XRAY_READ)
def original(xray_id: int) -> ResponseReturnValue:
    """The file as it came, to take along; never to be opened by the browser."""
    xray = queries.xray(xray_id)
    path = media.path_of(xray.sha256)
    if not path.is_file():
        raise NotFound(_("The file is missing on the server. A backup may have it."))
    with transaction("xray.original", actor=current_user, about=xray):
        pass
    name = rules.download_name(xray.original_name, xray.mime)
    return _closed_in(send_file(path, mimetype=xray.mime, as_attachment=True, download_name=name, etag=xray.sha256))


def _file(xray: Xray, size: str) -> Path | None:
    """The file of a size. Lost copies are made again, as after a restore, which brings back the originals alone."""
    if xray.problem or xray.is_document:
        return None
    if found := _there(xray.sha256, size):
        return found
    if size == "depth" and not (xray.dicom or {}).get("depth"):
        return None
    return _there(xray.sha256, size) if intake.derive_again(xray.sha256) else None


def _there(sha256: str, size: str) -> Path | None:
    folder = media.derived_of(sha256)
    if not media.path_of(sha256).is_file():
        return None
    return next((folder / name for name in FILES[size] if _is_whole(folder / name)), None)


def _is_whole(path: Path) -> bool:
    """A power cut may leave a copy without content."""
    return path.is_file() and path.stat().st_size > 0


def _placeholder(xray: Xray) -> Response:
    """A drawing that says in words why there is no picture."""
    if not media.path_of(xray.sha256).is_file():
        words, why = _("File missing"), "missing"
    elif xray.is_document:
        words, why = _("Document"), "document"
    else:
        words, why = _("Cannot be shown"), "problem"
    answer = Response(render_template("xrays/placeholder.svg", words=words, why=why), mimetype="image/svg+xml")
    answer.headers["X-Picture"] = why
    return _closed_in(answer)


def _closed_in(answer: Response) -> Response:
    """Whatever a file holds, a browser lets it do nothing and keeps no copy."""
    answer.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    answer.headers["Cache-Control"] = "no-store"
    return answer


# --- bringing in ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file. `state` is stored, known, asks (whose it is), later (try again) or refused."""

    name: str
    state: str
    words: str
    xray_id: int | None = None
    status: int = 200


def bounds() -> Bounds:
    return Bounds(file=intake.most_bytes(), files=intake.MOST_FILES, room=intake.room)


@bp.get("/of/<int:patient_id>")
@require(P.XRAY_READ, P.PATIENT_READ)
def of_patient(patient_id: int) -> ResponseReturnValue:
    """The tab "X-rays" of a chart; opening it is opening the chart."""
    chart = patients.chart(patient_id)
    look("patient.view", actor=current_user, about=chart.row)
    return _gallery(chart, UploadForm())


@bp.post("/of/<int:patient_id>")
@require(P.XRAY_READ, P.XRAY_WRITE, P.PATIENT_READ)
@takes_files(bounds)
def upload(patient_id: int) -> ResponseReturnValue:
    """One file or several into a chart. Each is stored or refused for itself."""
    chart, form = patients.chart(patient_id), UploadForm.posted()
    if not form.validate():
        return _gallery(chart, form, status=422)
    files = [file for file in request.files.getlist("file") if file.filename]
    if not files:
        form.refuse(None, _("Please choose a file."))
        return _gallery(chart, form, status=422)
    outcomes = [_take(patient_id, rules.plain_name(file.filename or ""), file.stream, form) for file in files]
    if is_single():
        return Response(render_template("xrays/_uploaded.html", outcomes=outcomes), outcomes[0].status)
    bad = [each for each in outcomes if each.state != "stored"]
    stored = len(outcomes) - len(bad)
    if stored:
        toast(_("%(n)d files are stored.", n=stored) if stored > 1 else _("The file is stored."))
    if not bad and not is_htmx():
        return done(url_for(".of_patient", patient_id=patient_id))
    status = 200 if not bad else bad[0].status if len(outcomes) == 1 else 422
    return _gallery(chart, form if bad else UploadForm(), status=status, outcomes=outcomes)


def _take(patient_id: int, name: str, arriving: Arriving, form: UploadForm) -> Outcome:
    """Look at one file, keep it, write its record; or say why not."""
    try:
        if arriving.refusal:
            raise intake.NotTaken(arriving.refusal, name)
        if same := queries.same_in_chart(patient_id, digest(arriving.finished())):
            raise services.AlreadyThere(same, rules.short_name(name))
        fresh_read()  # looking at a file takes long, and a long read lets the write-ahead log grow
        read = intake.read(arriving.path, name)
        try:
            xray_id = _store(patient_id, read, form.given())
        finally:
            intake.discard(read)
    except services.AlreadyThere as known:
        return Outcome(name, "known", sentence(known), known.xray_id, known.status)
    except services.PatientMismatch as asks:
        return Outcome(name, "asks", sentence(asks), status=asks.status)
    except DomainError as refusal:
        passes = isinstance(refusal, CannotWrite) or getattr(refusal, "code", "") in {"busy", "slow", "space"}
        state = "later" if passes else "refused"
        return Outcome(name, state, sentence(refusal), status=refusal.status)
    return Outcome(name, "stored", "", xray_id)


def _store(patient_id: int, read: Read, given: dict[str, Any]) -> int:
    """The file first, then the record. That somebody was sure of the patient stands in the trail."""
    patient = patients.patient(patient_id)
    reason = services.doubts(patient, read)[:300] or None if given["sure"] else None
    with intake.keeping(read), transaction("xray.create", actor=current_user, reason=reason):
        row = services.attach(patients.patient(patient_id), read, by=current_user, **given)
        return row.id


def _gallery(chart: Chart, form: UploadForm, *, status: int = 200, outcomes: list[Outcome] | None = None) -> Response:
    everything = queries.of_patient(chart.id)
    asked = {name: request.args.get(name, "")[:20] for name in ("kind", "tooth", "open")}
    shown = [
        each
        for each in everything
        if (not asked["kind"] or each.kind == asked["kind"])
        and (not asked["tooth"] or asked["tooth"] in each.teeth)
        and (not asked["open"] or each.lacks_findings)
    ]
    return page(
        "xrays/of_patient.html",
        status=status,
        patient=chart,
        form=form,
        outcomes=outcomes or [],
        days=rules.by_day(shown),
        asked=asked,
        known=len(everything),
        kinds=queries.kind_words(),
        kinds_there=sorted({each.kind for each in everything}),
        teeth_there=fdi.in_order({code for each in everything for code in each.teeth}),
        problems=queries.problem_words(),
        most=intake.most_bytes(),
        here=url_for(".of_patient", patient_id=chart.id, **{name: value for name, value in asked.items() if value}),
    )


@bp.post("/<int:xray_id>/undelete")
@require(P.XRAY_READ, P.XRAY_WRITE)
def undelete(xray_id: int) -> ResponseReturnValue:
    """Out of the trash."""
    with transaction("xray.undelete", actor=current_user, about=queries.xray_ever(xray_id)):
        xray = queries.xray_ever(xray_id)
        services.undelete_xray(xray)
        patient_id = xray.patient_id
    toast(_("The picture is back in the chart."))
    return done(url_for(".of_patient", patient_id=patient_id))
