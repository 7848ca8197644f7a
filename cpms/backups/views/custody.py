"""Taking backups away, where they go, and what locks them."""

from flask import Response, abort, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_login import current_user

from cpms.auth import services as auth
from cpms.auth.proof import prove
from cpms.backups import archive, elsewhere, queries, services
from cpms.backups.archive import Key
from cpms.backups.forms import OwnPasswordForm, PassphraseForm, PlanForm
from cpms.backups.models import Backup
from cpms.backups.views.blueprint import bp
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import DomainError, NotFound
from cpms.core.permissions import P
from cpms.settings import queries as settings
from cpms.settings import services as setting_services
from cpms.web.access import require
from cpms.web.errors import sentence
from cpms.web.htmx import done, finished, page
from cpms.web.language import SOURCE
from cpms.web.toasts import toast


@bp.get("/<backup_id>/download")
@require(P.BACKUP_MANAGE)
def ask_download(backup_id: str) -> ResponseReturnValue:
    return page("backups/download_dialog.html", backup=_there(backup_id), form=OwnPasswordForm())


@bp.post("/<backup_id>/download")
@require(P.BACKUP_MANAGE)
def download(backup_id: str) -> ResponseReturnValue:
    """The backup with its pictures as one file."""
    row, form = _there(backup_id), OwnPasswordForm.posted()
    if not form.validate():
        return page("backups/download_dialog.html", status=422, backup=row, form=form)
    try:
        prove(form.own_password.data, field="own_password")
        pieces = archive.download(queries.folder() / row.file_name, queries.store(), services.key())
    except (DomainError, FileNotFoundError) as problem:
        words = sentence(problem) if isinstance(problem, DomainError) else _("The file of this backup is missing.")
        form.refuse(getattr(problem, "field", None), words)
        return page("backups/download_dialog.html", status=422, backup=row, form=form)
    with transaction("backup.download", actor=current_user, about=row):
        pass
    answer = Response(pieces, mimetype="application/x-tar", direct_passthrough=True)
    answer.headers["Content-Disposition"] = f'attachment; filename="{row.file_name}"'
    return answer


def _there(backup_id: str) -> Backup:
    row = queries.backup(backup_id)
    if not row.is_good:
        raise NotFound(_("This backup's file is not there any more."))
    return row


@bp.get("/plan")
@require(P.BACKUP_MANAGE)
def plan() -> ResponseReturnValue:
    wishes = settings.current()
    form = PlanForm(data={"backup_at": wishes.backup_at, "backup_target": wishes.backup_target})
    return page("backups/plan.html", form=form, wishes=wishes)


@bp.post("/plan")
@require(P.BACKUP_MANAGE)
def change_plan() -> ResponseReturnValue:
    form, wishes = PlanForm.posted(), settings.current()
    if not form.validate():
        return page("backups/plan.html", status=422, form=form, wishes=wishes)
    target = form.backup_target.data
    try:
        if 2 <= form.backup_at.data.hour < 3:
            form.refuse(
                "backup_at", _("Not between 2 and 3: on two nights of the year that hour is missing or double.")
            )
            return page("backups/plan.html", status=422, form=form, wishes=wishes)
        if target and target != wishes.backup_target:
            elsewhere.choose(target)
    except DomainError as refusal:
        form.refuse(refusal.field, sentence(refusal))
        return page("backups/plan.html", status=422, form=form, wishes=wishes)
    with transaction("settings.change", actor=current_user):
        setting_services.change_settings(backup_at=form.backup_at.data, backup_target=target)
    toast(_("Saved."))
    return done(url_for("backups.index"))


@bp.get("/key")
@require(P.BACKUP_MANAGE)
def key() -> ResponseReturnValue:
    return page("backups/key.html", form=PassphraseForm(), wishes=settings.current())


@bp.post("/key")
@require(P.BACKUP_MANAGE)
def set_key() -> ResponseReturnValue:
    """Encrypt from now on. Another passphrase locks the same key anew, so that older backups open with it too here."""
    form, wishes = PassphraseForm.posted(), settings.current()
    if not form.validate():
        return page("backups/key.html", status=422, form=form, wishes=wishes)
    try:
        auth.check_password(form.passphrase.data, about=[wishes.clinic_name], field="passphrase")
        prove(form.own_password.data, field="own_password")
    except DomainError as refusal:
        form.refuse(refusal.field, sentence(refusal))
        return page("backups/key.html", status=refusal.status, form=form, wishes=wishes)
    chosen = services.key() or Key.new()
    with force_locale(SOURCE):  # the trail keeps it, and retells it to each reader
        reason = _("key %(key)s", key=chosen.public[:16])
    with transaction("backup.set_key", actor=current_user, reason=reason):
        services.set_key(chosen, form.passphrase.data)
    toast(_("Backups are encrypted from now on. Print the recovery sheet and keep it elsewhere."))
    return done(url_for("backups.key"))


@bp.get("/key/off")
@require(P.BACKUP_MANAGE)
def ask_key_off() -> ResponseReturnValue:
    return page("backups/key_off_dialog.html", form=OwnPasswordForm())


@bp.post("/key/off")
@require(P.BACKUP_MANAGE)
def key_off() -> ResponseReturnValue:
    form = OwnPasswordForm.posted()
    try:
        if not form.validate():
            return page("backups/key_off_dialog.html", status=422, form=form)
        prove(form.own_password.data, field="own_password")
    except DomainError as refusal:
        form.refuse(refusal.field, sentence(refusal))
        return page("backups/key_off_dialog.html", status=refusal.status, form=form)
    with transaction("backup.forget_key", actor=current_user):
        services.forget_key()
    toast(_("New backups are not encrypted any more."))
    return finished(url_for("backups.key"))


@bp.get("/sheet")
@require(P.BACKUP_MANAGE)
def ask_sheet() -> ResponseReturnValue:
    return page("backups/sheet_dialog.html", form=OwnPasswordForm())


@bp.post("/sheet")
@require(P.BACKUP_MANAGE)
def sheet() -> ResponseReturnValue:
    """The recovery sheet: whoever holds it opens every backup."""
    form, chosen = OwnPasswordForm.posted(), services.key()
    if chosen is None:
        abort(404)
    try:
        if not form.validate():
            return page("backups/sheet_dialog.html", status=422, form=form)
        prove(form.own_password.data, field="own_password")
    except DomainError as refusal:
        form.refuse(refusal.field, sentence(refusal))
        return page("backups/sheet_dialog.html", status=refusal.status, form=form)
    with transaction("backup.print_sheet", actor=current_user):
        pass
    text = chosen.text
    groups = [text[start : start + 6] for start in range(0, len(text), 6)]
    return page("backups/sheet_print.html", groups=groups, public=chosen.public, today=clock.today())
