"""The first-run page, behind the address that the server prints."""

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from cpms.auth import queries as auth
from cpms.auth import rules as auth_rules
from cpms.auth import services as auth_services
from cpms.core.db import transaction
from cpms.core.errors import Conflict, NotFound, Refused
from cpms.setup import services
from cpms.setup.forms import FirstRunForm
from cpms.web.access import let_in, public
from cpms.web.errors import sentence
from cpms.web.htmx import done, page
from cpms.web.toasts import toast

bp = Blueprint("setup", __name__, url_prefix="/setup")


@bp.get("/<token>")
@public
def first_run(token: str) -> Response:
    fits = services.opens(token)
    if not auth.nobody_yet():
        return done(url_for("auth.login"))
    _check_door(fits)
    return page("setup/first_run.html", form=FirstRunForm.fresh(), token=token)


@bp.post("/<token>")
@public
def finish(token: str) -> Response:
    fits = services.opens(token)  # before the look into the database: whoever was faster closes the door last
    if not auth.nobody_yet():
        return _too_late()
    _check_door(fits)
    form = FirstRunForm.posted()
    if not form.validate():
        return page("setup/first_run.html", status=422, form=form, token=token)
    owner = form.owner()
    about = [owner["username"], owner["display_name"], *owner["email"].split("@"), form.clinic_name.data]
    try:
        auth_services.check_password(form.password.data, about=about)
        password_hash = auth_services.hash_password(form.password.data)
        with transaction("setup.finish", actor=None):
            user = services.finish(
                clinic=form.clinic(), owner=owner, password_hash=password_hash, with_demo=form.with_demo.data
            )
            session_token = auth_services.open_session(
                user,
                fitting=password_hash,
                ip=request.remote_addr or "",
                device=auth_rules.device_name(request.user_agent.string),
            )
    except Refused as refusal:
        form.refuse(refusal.field, sentence(refusal))
        return page("setup/first_run.html", status=422, form=form, token=token)
    except Conflict:
        return _too_late()
    services.close_door()
    let_in(session_token, same_person=False)
    toast(_("The clinic is ready. Chairs, appointment types and users are under Settings."))
    return done(url_for("home"))


def _check_door(fits: bool) -> None:
    if not fits:
        raise NotFound(_("This link does not fit. Take the newest one that the server printed."))


def _too_late() -> Response:
    toast(_("This clinic was set up already. Please sign in."), "error")
    return done(url_for("auth.login"))
