"""The settings' index and the clinic's own page."""

from flask import Blueprint, Response, url_for
from flask_babel import gettext as _
from flask_login import current_user

from cpms.core.db import transaction
from cpms.core.errors import Stale
from cpms.core.permissions import P
from cpms.settings import queries, services
from cpms.settings.forms import ClinicForm
from cpms.web.access import require
from cpms.web.htmx import done, page
from cpms.web.toasts import toast, way_back

bp = Blueprint("settings", __name__, url_prefix="/settings")


@bp.get("/")
@require(P.PROFILE)
def index() -> Response:
    return page("settings/index.html")


@bp.get("/clinic")
@require(P.SETTINGS_WRITE)
def clinic() -> Response:
    return _clinic(ClinicForm.showing(queries.current(), queries.fingerprint()))


def _clinic(form: ClinicForm, status: int = 200, stored: dict[str, str] | None = None) -> Response:
    return page("settings/clinic.html", status=status, form=form, stored=stored or {})


@bp.post("/clinic")
@require(P.SETTINGS_WRITE)
def change_clinic() -> Response:
    form = ClinicForm.posted()
    if not form.validate():
        return _clinic(form, 422)
    try:
        with transaction("settings.change", actor=current_user) as write:
            services.change_clinic(seen=form.seen.data, **form.changes())
    except Stale as clash:
        form.seen.data = queries.fingerprint()
        return _clinic(form, clash.status, form.stored_beside(queries.current()))
    toast(_("Saved."), undo=way_back(write))
    return done(url_for("settings.index"))
