"""Taking all data along."""

from flask import Blueprint, Response, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.auth.proof import prove
from cpms.backups.forms import OwnPasswordForm
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import DomainError, NotFound
from cpms.core.permissions import P
from cpms.exchange import jobs
from cpms.web.access import passive, require
from cpms.web.errors import sentence
from cpms.web.htmx import done, is_htmx, page
from cpms.web.language import retold
from cpms.work import jobs as work
from cpms.work import queries as works
from cpms.work.models import State

bp = Blueprint("exchange", __name__, url_prefix="/exchange")


@bp.get("/export")
@require(P.BACKUP_MANAGE)
def ask_export() -> ResponseReturnValue:
    return _page(OwnPasswordForm())


def _page(form: OwnPasswordForm, status: int = 200) -> Response:
    last = works.last(jobs.WORK)
    return page(
        "exchange/export.html",
        status=status,
        form=form,
        running=works.running(),
        ready=jobs.ready(),
        failed=retold(last.message) if last is not None and last.state is State.FAILED else "",
    )


@bp.post("/export")
@require(P.BACKUP_MANAGE)
def export() -> ResponseReturnValue:
    """Begin to write it; the page shows how far it is."""
    form = OwnPasswordForm.posted()
    if not form.validate():
        return _page(form, 422)
    try:
        prove(form.own_password.data, field="own_password")
        work.start(jobs.WORK, jobs.write_export(current_user._get_current_object()), actor=current_user)
    except DomainError as refusal:
        form.refuse(refusal.field, sentence(refusal))
        return _page(form, refusal.status)
    return _page(OwnPasswordForm()) if is_htmx() else done(url_for(".ask_export"))


@bp.get("/progress")
@require(P.BACKUP_MANAGE)
@passive
def progress() -> ResponseReturnValue:
    running = works.running()
    answer = Response(render_template("work/_panel.html", running=running, panel_url=url_for(".progress")))
    if running is None:
        answer.headers["HX-Trigger"] = "export-over"
    return answer


@bp.post("/download")
@require(P.BACKUP_MANAGE)
def download() -> ResponseReturnValue:
    """The finished file; the screen may have been left open since it was written."""
    found, form = jobs.ready(), OwnPasswordForm.posted()
    if found is None:
        raise NotFound(_("There is no export any more. Please write a new one."))
    try:
        if not form.validate():
            return _page(form, 422)
        prove(form.own_password.data, field="own_password")
    except DomainError as refusal:
        form.refuse(refusal.field, sentence(refusal))
        return _page(form, refusal.status)
    with transaction("exchange.download", actor=current_user, reason=found.file.name):
        pass
    name = f"cpms-export-{clock.to_wall(found.at):%Y-%m-%d}.zip"
    return send_file(found.file, mimetype="application/zip", as_attachment=True, download_name=name)
