"""Taking all data along."""

import uuid

from flask import Blueprint, Response, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.auth.proof import prove
from cpms.backups import queries as backups
from cpms.backups.forms import OwnPasswordForm
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import DomainError
from cpms.core.permissions import P
from cpms.exchange import jobs
from cpms.web.access import require
from cpms.web.errors import sentence
from cpms.web.htmx import page

bp = Blueprint("exchange", __name__, url_prefix="/exchange")


@bp.get("/export")
@require(P.BACKUP_MANAGE)
def ask_export() -> ResponseReturnValue:
    return _ask(OwnPasswordForm())


def _ask(form: OwnPasswordForm, status: int = 200) -> Response:
    return page("exchange/export_dialog.html", status=status, form=form)


@bp.post("/export")
@require(P.BACKUP_MANAGE)
def export() -> ResponseReturnValue:
    """The ZIP. Its file on the server is gone when it is sent."""
    form = OwnPasswordForm.posted()
    if not form.validate():
        return _ask(form, 422)
    try:
        prove(form.own_password.data, field="own_password")
    except DomainError as refusal:
        form.refuse(refusal.field, sentence(refusal))
        return _ask(form, refusal.status)
    file = backups.instance() / f"export-{uuid.uuid4().hex}.zip"
    try:
        counts = jobs.export(file)
        with transaction("exchange.export", actor=current_user, reason=_("%(n)d rows", n=sum(counts.values()))):
            pass
        opened = file.open("rb")
    finally:
        file.unlink(missing_ok=True)  # the open one lives until it is sent
    name = f"cpms-export-{clock.today():%Y-%m-%d}.zip"
    return send_file(opened, mimetype="application/zip", as_attachment=True, download_name=name)
