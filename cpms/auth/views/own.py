"""What somebody may change about themselves."""

from flask import (
    Response,
    make_response,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_login import current_user

from cpms.auth import proof, queries, rules, services
from cpms.auth.forms import (
    ROLE_NAMES,
    LanguageForm,
    NothingForm,
    PasswordForm,
    ProfileForm,
    ThemeForm,
    stored_beside,
)
from cpms.auth.models import Theme, User
from cpms.auth.views.blueprint import bp, idle_limit
from cpms.auth.views.door import awake, lock, logout, way_on
from cpms.core.db import transaction
from cpms.core.errors import DomainError, Refused, Stale
from cpms.core.permissions import P
from cpms.settings import queries as settings
from cpms.web.access import require, view_of_request
from cpms.web.errors import sentence
from cpms.web.htmx import done, page
from cpms.web.language import LANGUAGES, first_spoken
from cpms.web.toasts import toast, way_back


@bp.before_app_request
def ask_for_own_password() -> ResponseReturnValue | None:
    """A password for one time opens nothing but the page where it is replaced."""
    if not current_user.is_authenticated or not current_user.must_change_password:
        return None
    view = view_of_request()
    if getattr(view, "public", False) or view in (password, change_password, logout, lock, theme, language, awake):
        return None
    return done(url_for("auth.password"))


@bp.post("/auth/theme")
@require(P.PROFILE)
def theme() -> Response:
    form = ThemeForm.posted()
    if not form.validate():
        return make_response("", 400)
    with transaction("profile.theme", actor=current_user):
        services.set_theme(queries.user(current_user.id), Theme(form.theme.data))
    return done(way_on(form.next.data, url_for("auth.profile")))


@bp.post("/auth/language")
@require(P.PROFILE)
def language() -> Response:
    form = LanguageForm.posted()
    if not form.validate():
        return make_response("", 400)
    row = queries.user(current_user.id)
    with transaction("profile.language", actor=current_user, about=row) as write:
        services.set_language(row, form.language.data)
    with force_locale(first_spoken(row.language, settings.current().language)):
        toast(_("Saved."), undo=way_back(write))
    return done(way_on(form.next.data, url_for("auth.profile")))


@bp.get("/auth/profile")
@require(P.PROFILE)
def profile() -> Response:
    row = queries.user(current_user.id)
    return _profile(row, ProfileForm(obj=row, version=row.row_version))


def _profile(row: User, form: ProfileForm, status: int = 200, stored: dict[str, str] | None = None) -> Response:
    return page(
        "auth/profile.html",
        status=status,
        user=row,
        form=form,
        stored=stored or {},
        role_names=ROLE_NAMES,
        languages=LANGUAGES,
        sessions=queries.open_sessions(row.id, idle=idle_limit()),
    )


@bp.post("/auth/profile")
@require(P.PROFILE)
def update_profile() -> Response:
    row, form = queries.user(current_user.id), ProfileForm.posted()
    if not form.validate():
        return _profile(row, form, 422)
    try:
        with transaction("profile.update", actor=current_user, about=row) as write:
            services.update_profile(
                row, seen=form.version.data, display_name=form.display_name.data, email=form.email.data
            )
    except Stale as clash:
        form.version.renew(row.row_version)
        return _profile(row, form, clash.status, stored_beside(form, row))
    except Refused as refusal:
        form.refuse(refusal.field, sentence(refusal))
        return _profile(row, form, refusal.status)
    toast(_("Saved."), undo=way_back(write))
    return done(url_for("auth.profile"))


@bp.post("/auth/profile/sessions/end")
@require(P.PROFILE)
def end_other_sessions() -> Response:
    NothingForm.posted()
    row = queries.user(current_user.id)
    with transaction("session.end", actor=current_user, about=row):
        services.end_sessions(row, but=current_user.session_id)
    toast(_("You are signed out on every other screen."))
    return done(url_for("auth.profile"))


@bp.get("/auth/profile/password")
@require(P.PROFILE)
def password() -> Response:
    return page("auth/password.html", form=PasswordForm(), shortest=rules.SHORTEST)


@bp.post("/auth/profile/password")
@require(P.PROFILE)
def change_password() -> Response:
    row, form = queries.user(current_user.id), PasswordForm.posted()
    if not form.validate():
        return page("auth/password.html", status=422, form=form, shortest=rules.SHORTEST)
    try:
        _check_change(row, form)
        password_hash = services.hash_password(form.password.data)
        with transaction("profile.password", actor=current_user, about=row):
            services.change_password(row, password_hash, session_id=current_user.session_id)
    except DomainError as refusal:
        form.refuse(refusal.field, sentence(refusal))
        return page("auth/password.html", status=refusal.status, form=form, shortest=rules.SHORTEST)
    toast(_("Your new password holds from now on; your other screens are signed out."))
    return done(url_for("auth.profile"))


def _check_change(row: User, form: PasswordForm) -> None:
    """The new password is good, and the old one fits."""
    services.check_password(form.password.data, about=services.words_about(row))
    if form.password.data == form.old.data:
        raise Refused(_("This is the password that you have now. Please take another one."), field="password")
    proof.prove(form.old.data, field="old")
