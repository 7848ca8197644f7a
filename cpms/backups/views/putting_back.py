"""Putting a backup back, from the screen: choose it, look at it, say the clinic's name, and wait for the server."""

import shutil
from pathlib import Path
from typing import Any

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.auth.proof import prove
from cpms.backups import candidate, elsewhere, jobs, queries, restore
from cpms.backups.forms import BeginRestoreForm, UnlockForm, UploadForm
from cpms.backups.views.blueprint import bp
from cpms.backups.views.overview import KINDS
from cpms.core.db import is_sqlite, transaction
from cpms.core.errors import Conflict, DomainError, NotFound, Refused
from cpms.core.permissions import P
from cpms.web.access import can, passive, public, require
from cpms.web.errors import sentence
from cpms.web.htmx import done, page
from cpms.web.language import retold
from cpms.web.uploads import Arriving, Bounds, is_single, takes_files, told
from cpms.work import jobs as work
from cpms.work import queries as works
from cpms.work.models import State


@bp.get("/restore")
@require(P.BACKUP_MANAGE)
def ask_restore() -> ResponseReturnValue:
    return _page()


def _page(*, status: int = 200, **forms: Any) -> Response:
    chosen = candidate.current()
    report = chosen.report if chosen else None
    return page(
        "backups/restore.html",
        status=status,
        chosen=chosen,
        report=report,
        kinds={kind: words() for kind, words in KINDS.items()},
        rows=[] if chosen else [row for row in queries.present() if row.is_good],
        others=[] if chosen else elsewhere.found(),
        counts=_compare(report.counts) if report else [],
        since=queries.changes_since(report.newest_entry) if report else 0,
        is_ours=bool(report and report.clinic_id == queries.clinic_id()),
        running=works.running(),
        is_working=works.running() is not None or restore.is_holding(queries.instance()),
        failed=_failed(),
        **(
            {
                "upload": UploadForm(),
                "unlock": UnlockForm(),
                "begin": BeginRestoreForm(data={"backup": report.sha256 if report else ""}),
            }
            | forms
        ),
    )


def _compare(counts: dict[str, int]) -> list[tuple[str, int, int]]:
    """What there is how often, in the backup and now."""
    labels = {
        "patient": _("Patients"),
        "event": _("Calendar entries"),
        "xray": _("X-rays"),
        "user": _("Users"),
        "audit_entry": _("Entries in the trail"),
    }
    return [(labels[table], counts.get(table, 0), queries.rows_now(table)) for table in labels]


def _failed() -> str:
    """Why the newest work of this page came to nothing."""
    newest = max(
        filter(None, map(works.last, ("backups.look", "backups.restore"))), key=lambda row: row.id, default=None
    )
    return retold(newest.message) if newest is not None and newest.state is State.FAILED else ""


@bp.post("/restore/choose")
@require(P.BACKUP_MANAGE)
def choose() -> ResponseReturnValue:
    """One of the history, or a file that was found in the folders."""
    _check_quiet()
    try:
        path = _chosen_file(request.form.get("backup", ""), request.form.get("file", ""))
        found = candidate.choose(path, name=path.name)
    except FileNotFoundError:
        raise Refused(_("The file of this backup is missing.")) from None
    return _look_at(found)


def _chosen_file(backup_id: str, file: str) -> Path:
    if backup_id:
        return queries.folder() / queries.backup(backup_id).file_name
    for path in elsewhere.found():
        if str(path) == file:
            return path
    raise NotFound(_("The file of this backup is missing."))


@bp.post("/restore/upload")
@require(P.BACKUP_MANAGE)
@takes_files(lambda: Bounds(file=_room(), files=1, room=_room))
def upload() -> ResponseReturnValue:
    _check_quiet()
    form = UploadForm.posted()
    if not form.validate():
        return _page(status=422, upload=form)
    file = form.file.data
    try:
        _check_arrival(file.stream)
        found = candidate.take_in(file.stream.finished(), name=Path(file.filename or "").name)
    except DomainError as refusal:
        if is_single():
            return told(file.filename or "", sentence(refusal), status=422)
        form.refuse("file", sentence(refusal))
        return _page(status=422, upload=form)
    return _look_at(found)


def _room() -> int:
    """Bytes that a backup may take while somebody looks at it."""
    return max(0, shutil.disk_usage(queries.instance()).free - jobs.ROOM)


def _check_arrival(file: Arriving) -> None:
    if file.refusal:
        raise Refused(_("There is no room on the server's disk for this file."))


def _look_at(found: candidate.Candidate) -> Response:
    """Begin to read all of it, unless its passphrase is needed first."""
    with transaction("backup.look", actor=current_user, reason=found.name):
        pass
    if not found.is_locked:
        work.start("backups.look", candidate.look, actor=current_user)
    return done(url_for("backups.ask_restore"))


@bp.post("/restore/look")
@require(P.BACKUP_MANAGE)
def look() -> ResponseReturnValue:
    """Once more, after something that was not the file's fault."""
    return _look_at(_chosen())


def _check_quiet() -> None:
    """Work that runs may need the file that is chosen now."""
    if works.running() is not None:
        raise Refused(_("Please wait until the check is over."))


def _chosen() -> candidate.Candidate:
    chosen = candidate.current()
    if chosen is None:
        raise NotFound(_("No backup is chosen."))
    return chosen


@bp.post("/restore/unlock")
@require(P.BACKUP_MANAGE)
def unlock() -> ResponseReturnValue:
    _check_quiet()
    form, chosen = UnlockForm.posted(), _chosen()
    if not form.validate():
        return _page(status=422, unlock=form)
    try:
        found = candidate.unlock(chosen, form.words.data)
    except DomainError as refusal:
        form.refuse("words", sentence(refusal))
        return _page(status=422, unlock=form)
    return _look_at(found)


@bp.post("/restore/drop")
@require(P.BACKUP_MANAGE)
def drop() -> ResponseReturnValue:
    _check_quiet()
    candidate.drop()
    return done(url_for("backups.ask_restore"))


@bp.post("/restore/begin")
@require(P.BACKUP_MANAGE)
def begin_restore() -> ResponseReturnValue:
    """From here on it goes by itself: what is there is kept, and the server starts again on the backup's data."""
    form, chosen = BeginRestoreForm.posted(), _chosen()
    if chosen.report is None:
        raise Refused(_("This backup was not looked at yet."))
    if not is_sqlite():
        raise Refused(_("This clinic's database is not a file of this program; restore it with its own tools."))
    try:
        if not form.validate():
            return _page(status=422, begin=form)
        if form.backup.data != chosen.report.sha256:
            raise Conflict(_("Another backup was chosen meanwhile. Nothing was done; please load the page again."))
        if form.clinic_name.data.casefold() != chosen.report.clinic.casefold():
            raise Refused(_("This is not the name of the clinic in the backup."), field="clinic_name")
        prove(form.own_password.data, field="own_password")
    except DomainError as refusal:
        form.refuse(refusal.field, sentence(refusal))
        return _page(status=422, begin=form)
    with transaction("backup.begin_restore", actor=current_user, reason=chosen.name):
        pass
    work.start("backups.restore", candidate.put_back, actor=current_user)
    return done(url_for("backups.ask_restore"))


@bp.get("/restore/state")
@public
@passive
def restore_state() -> ResponseReturnValue:
    """How far it is, for the page that began it. Its session may be over: then it learns only that it is over."""
    instance, mine = queries.instance(), can(P.BACKUP_MANAGE)
    running = works.running() if mine else None
    if running is not None or restore.is_holding(instance):
        return Response(render_template("backups/_restore_state.html", is_working=True, running=running))
    if mine and candidate.current():  # it was looked at, or it could not be put back
        return done(url_for("backups.ask_restore"))
    ended = restore.last(instance)
    return Response(render_template("backups/_restore_state.html", is_working=False, ended=ended, mine=mine))
