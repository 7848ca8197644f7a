"""The users of the clinic, as the owner sees them."""

from flask import (
    Response,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_login import current_user

from cpms.auth import queries, rules, services
from cpms.auth.forms import (
    ROLE_NAMES,
    NewUserForm,
    NothingForm,
    UserForm,
    stored_beside,
)
from cpms.auth.models import User
from cpms.auth.views.blueprint import bp, idle_limit
from cpms.core.db import transaction
from cpms.core.errors import Refused, Stale
from cpms.core.permissions import P
from cpms.web.access import require
from cpms.web.errors import sentence
from cpms.web.htmx import done, page
from cpms.web.toasts import toast, way_back


@bp.get("/auth/users")
@require(P.USERS_MANAGE)
def users() -> Response:
    return page("auth/users.html", users=queries.users(), blocks=queries.blocks(), role_names=ROLE_NAMES)


@bp.post("/auth/users/unlock")
@require(P.USERS_MANAGE)
def unlock_sign_in() -> Response:
    """End the wait after too many wrong tries."""
    block = queries.block(request.form.get("key", ""))
    with transaction("auth.unlock", actor=current_user, reason=block.label):
        services.forget_tries([block.key])
    toast(_("%(name)s can try again now.", name=block.label))
    return done(url_for("auth.users"))


@bp.get("/auth/users/new")
@require(P.USERS_MANAGE)
def new_user() -> Response:
    return page("auth/user_dialog.html", form=NewUserForm())


@bp.post("/auth/users/new")
@require(P.USERS_MANAGE)
def create_user() -> Response:
    form = NewUserForm.posted()
    if not form.validate():
        return page("auth/user_dialog.html", status=422, form=form)
    one_time = rules.one_time_password()
    password_hash = services.hash_password(one_time)
    try:
        with transaction("user.create", actor=current_user):
            user = services.create_user(**form.columns(), password_hash=password_hash)
    except Refused as refusal:
        form.refuse(refusal.field, sentence(refusal))
        return page("auth/user_dialog.html", status=422, form=form)
    return _show_once(user, one_time)


def _show_once(user: User, one_time: str) -> Response:
    """The only time that a password is on a screen. It is in no cookie and no address; only its hash is kept."""
    return page("auth/one_time_dialog.html", fire="users-changed", user=user, one_time=one_time)


@bp.get("/auth/users/<int:user_id>")
@require(P.USERS_MANAGE)
def user(user_id: int) -> Response:
    row = queries.user(user_id)
    return _user(row, UserForm(obj=row, role=row.role.value, version=row.row_version))


def _user(row: User, form: UserForm, status: int = 200, stored: dict[str, str] | None = None) -> Response:
    return page(
        "auth/user.html",
        status=status,
        user=row,
        form=form,
        stored=stored or {},
        role_names=ROLE_NAMES,
        sessions=queries.open_sessions(row.id, idle=idle_limit()),
    )


@bp.post("/auth/users/<int:user_id>")
@require(P.USERS_MANAGE)
def update_user(user_id: int) -> Response:
    row, form = queries.user(user_id), UserForm.posted()
    if not form.validate():
        return _user(row, form, 422)
    try:
        with transaction("user.update", actor=current_user, about=row) as write:
            services.update_user(row, seen=form.version.data, **form.columns())
    except Stale as clash:
        form.version.renew(row.row_version)
        return _user(row, form, clash.status, stored_beside(form, row))
    except Refused as refusal:
        form.refuse(refusal.field, sentence(refusal))
        return _user(row, form, refusal.status)
    toast(_("Saved."), undo=way_back(write))
    return done(url_for("auth.users"))


@bp.post("/auth/users/<int:user_id>/deactivate")
@require(P.USERS_MANAGE)
def deactivate(user_id: int) -> Response:
    NothingForm.posted()
    row = queries.user(user_id)
    with transaction("user.deactivate", actor=current_user, about=row):
        services.deactivate(row)
    toast(
        _("%(name)s cannot sign in any more.", name=row.display_name),
        undo=url_for("auth.reactivate", user_id=user_id),
    )
    return done(url_for("auth.user", user_id=user_id))


@bp.post("/auth/users/<int:user_id>/reactivate")
@require(P.USERS_MANAGE)
def reactivate(user_id: int) -> Response:
    NothingForm.posted()
    row = queries.user(user_id)
    with transaction("user.reactivate", actor=current_user, about=row):
        services.reactivate(row)
    toast(_("%(name)s can sign in again.", name=row.display_name))
    return done(url_for("auth.user", user_id=user_id))


@bp.get("/auth/users/<int:user_id>/reset-password")
@require(P.USERS_MANAGE)
def ask_reset(user_id: int) -> Response:
    return page("auth/reset_dialog.html", user=queries.user(user_id))


@bp.post("/auth/users/<int:user_id>/reset-password")
@require(P.USERS_MANAGE)
def reset_password(user_id: int) -> Response:
    NothingForm.posted()
    row = queries.user(user_id)
    one_time = rules.one_time_password()
    password_hash = services.hash_password(one_time)
    with transaction("user.reset_password", actor=current_user, about=row):
        services.reset_password(row, password_hash)
    return _show_once(row, one_time)


@bp.post("/auth/users/<int:user_id>/sessions/<int:session_id>/end")
@require(P.USERS_MANAGE)
def end_session(user_id: int, session_id: int) -> Response:
    NothingForm.posted()
    row = queries.user(user_id)
    with transaction("session.end", actor=current_user, about=row):
        services.end_session(queries.session_of(user_id, session_id))
    toast(_("Signed out there."))
    return done(url_for("auth.user", user_id=user_id))


@bp.post("/auth/users/<int:user_id>/sessions/end")
@require(P.USERS_MANAGE)
def end_sessions(user_id: int) -> Response:
    NothingForm.posted()
    row = queries.user(user_id)
    with transaction("session.end", actor=current_user, about=row):
        services.end_sessions(row)
    toast(_("%(name)s is signed out everywhere.", name=row.display_name))
    return done(url_for("auth.user", user_id=user_id))
