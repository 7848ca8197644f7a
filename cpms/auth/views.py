"""Signing in and out, the users screen, the profile."""

import logging
from datetime import timedelta

from flask import (
    Blueprint,
    Response,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from jinja2_fragments.flask import render_block
from sqlalchemy.exc import OperationalError

from cpms.auth import proof, queries, rules, services
from cpms.auth.forms import (
    ROLE_NAMES,
    BackForm,
    LanguageForm,
    NewUserForm,
    NothingForm,
    PasswordForm,
    ProfileForm,
    SignInForm,
    ThemeForm,
    UserForm,
    stored_beside,
)
from cpms.auth.models import Theme, User
from cpms.core import clock
from cpms.core.db import Writing, transaction
from cpms.core.errors import CannotWrite, DomainError, Refused, Stale
from cpms.core.permissions import P
from cpms.settings import queries as settings
from cpms.web.access import is_passive, let_in, login_manager, passive, public, require, view_of_request
from cpms.web.errors import sentence
from cpms.web.htmx import done, is_htmx, nothing_new, page, target_block
from cpms.web.language import LANGUAGES, first_spoken
from cpms.web.toasts import forget_all, toast

bp = Blueprint("auth", __name__)
log = logging.getLogger("cpms")

SEEN_EVERY = timedelta(minutes=1)
CLEAR_ON_SIGN_OUT = '"cache", "storage"'
CLEAR_FOR_SOMEBODY_ELSE = '"storage"'


def idle_limit() -> timedelta:
    return timedelta(minutes=settings.current().idle_minutes)


@login_manager.user_loader
def load(token: str) -> queries.SignedIn | None:
    """Who holds the session that the browser's cookie names."""
    if "answers_error" in g:
        return None
    return queries.signed_in(token, idle=idle_limit())


def stay_awake() -> None:
    """Before every request: somebody is there. What a screen asks by itself does not count."""
    if not current_user.is_authenticated or is_passive():
        return
    if clock.now() - current_user.last_seen_at < SEEN_EVERY:
        return
    try:
        with transaction("session.seen", actor=current_user):
            services.see(queries.session(current_user.session_id))
    except (CannotWrite, OperationalError) as error:  # reading must go on when nothing can be written
        log.warning(
            "request %s: the session could not be kept awake: %s",
            g.get("request_id", ""),
            type(error).__name__,
        )


@bp.before_app_request
def ask_for_own_password() -> ResponseReturnValue | None:
    """A password for one time opens nothing but the page where it is replaced."""
    if not current_user.is_authenticated or not current_user.must_change_password:
        return None
    view = view_of_request()
    if getattr(view, "public", False) or view in (password, change_password, logout, lock, theme, language, awake):
        return None
    return done(url_for("auth.password"))


@login_manager.unauthorized_handler
def ask_to_sign_in() -> Response:
    """A page leads to the sign-in page and back; htmx gets a sheet that covers the page and keeps what was typed."""
    forget_all()
    if not is_htmx():
        here = request.full_path.removesuffix("?") if request.method == "GET" else None
        return make_response(redirect(url_for("auth.login", next=here if here != "/" else None)))
    answer = _sheet(SignInForm(username=_last_name()), 401)
    answer.headers["HX-Retarget"] = "#lock"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


@bp.get("/login")
@public
def login() -> Response:
    if current_user.is_authenticated:
        return make_response(redirect(_way_on(request.args.get("next"))))
    if "_user_id" in session:
        forget_all()
    return _ask(SignInForm(username=_last_name(), next=request.args.get("next", "")))


@bp.post("/login")
@public
def sign_in() -> Response:
    form = SignInForm.posted()
    if not form.validate():
        return _ask(form, 422)
    before = session.get("_user_id")
    here = queries.last_at(before) if before else None
    known = queries.user_named(form.username.data)
    same_person = here is not None and known is not None and here.id == known.id
    keys = services.throttle_keys(
        form.username.data, address=request.remote_addr or "", screen=before if same_person else None
    )
    try:
        user = _who_fits(known, form.password.data, keys)
        new_hash = services.fresher_hash(user, form.password.data)
        fitting = user.password_hash
        with transaction("auth.sign_in", actor=user, about=user):
            token = services.open_session(
                user,
                fitting=fitting,
                ip=request.remote_addr or "",
                new_hash=new_hash,
                instead_of=before,
                device=rules.device_name(request.user_agent.string),
            )
            services.forget_tries(keys)
    except DomainError as refusal:
        form.refuse(None, sentence(refusal))
        answer = _ask(form, refusal.status)
        if isinstance(refusal, services.TooManyTries):
            answer.headers["Retry-After"] = str(refusal.seconds)
        return answer
    let_in(token, same_person=same_person)
    if target_block() != "lock":
        answer = done(_way_on(form.next.data))
    else:
        answer = _session_open() if same_person else done(url_for("home"))
    if before and not same_person:
        answer.headers["Clear-Site-Data"] = CLEAR_FOR_SOMEBODY_ELSE
    return answer


def _who_fits(known: User | None, typed: str, keys: list[str]) -> User:
    """The user, if the password is theirs; otherwise the same refusal for every reason."""
    services.check_tries(keys)
    with transaction("auth.try", actor=None):
        services.count_try(keys)
    if services.password_fits(known, typed) and known is not None:
        return known
    with transaction("auth.sign_in_failed", actor=None, about=known, reason=_why(known)):
        pass
    raise Refused(_("This user name and this password do not belong together. Please try again."))


def _why(known: User | None) -> str:
    """For the trail only. The name that was typed is not kept: it may be a password in the wrong field."""
    if known is None:
        return "no such user name"
    return "wrong password" if known.active else "does not work here any more"


@bp.post("/logout")
@require(P.PROFILE)
def logout() -> Response:
    """Sign out: the next person at this browser finds nothing."""
    _end_this_session("auth.sign_out")
    session.clear()
    answer = done(url_for("auth.login"))
    answer.headers["Clear-Site-Data"] = CLEAR_ON_SIGN_OUT
    return answer


@bp.post("/auth/lock")
@require(P.PROFILE)
def lock() -> Response:
    """End the session, and ask the same person to sign in again."""
    form = BackForm.posted()
    _end_this_session("auth.lock")
    session["locked"] = True  # until somebody signs in
    forget_all()
    if is_htmx():
        return ask_to_sign_in()
    here = form.next.data if rules.is_own_path(form.next.data or "") else None
    return done(url_for("auth.login", next=here))


@bp.get("/auth/awake")
@require(P.PROFILE)
@passive
def awake() -> Response:
    """Every open page asks this by itself, so that an idle session's page is covered without a touch."""
    return nothing_new()


def _end_this_session(action: str) -> None:
    with transaction(action, actor=current_user, about=queries.user(current_user.id)):
        services.end_session(queries.session(current_user.session_id))


@bp.post("/auth/theme")
@require(P.PROFILE)
def theme() -> Response:
    form = ThemeForm.posted()
    if not form.validate():
        return make_response("", 400)
    with transaction("profile.theme", actor=current_user):
        services.set_theme(queries.user(current_user.id), Theme(form.theme.data))
    return done(_way_on(form.next.data, url_for("auth.profile")))


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
        toast(_("Saved."), undo=_way_back(write))
    return done(_way_on(form.next.data, url_for("auth.profile")))


def own_language() -> str:
    """What whoever is at the screen reads, also under the sheet that asks them to sign in again; else nothing."""
    if current_user.is_authenticated:
        return str(current_user.language)
    here = queries.last_at(session["_user_id"]) if "_user_id" in session and "answers_error" not in g else None
    return here.language if here else ""


def _way_on(url: str | None, otherwise: str | None = None) -> str:
    """Where the person wanted to go, if that is here."""
    return url if url and rules.is_own_path(url) else otherwise or url_for("home")


def _last_name() -> str:
    """The name of whoever used this browser last without signing out."""
    here = queries.last_at(session["_user_id"]) if "_user_id" in session else None
    return here.username if here else ""


def _ask(form: SignInForm, status: int = 200) -> Response:
    if target_block() == "lock":
        return _sheet(form, status)
    return make_response(render_template("auth/login.html", form=form, is_empty=queries.nobody_yet()), status)


def _sheet(form: SignInForm, status: int) -> Response:
    return make_response(render_block("auth/lock.html", "lock", form=form, why=_why_over()), status)


def _why_over() -> str:
    """Why the page that is open here belongs to no session now."""
    if "_user_id" not in session:
        return "out"
    here = queries.last_at(session["_user_id"])
    if here is None:
        return "unknown"
    if "locked" in session:
        return "locked"
    return "ended" if here.ended_at else "idle"


def _session_open() -> Response:
    """The sheet goes, and the page behind it does what it wanted to do."""
    answer = make_response("")
    answer.headers["HX-Trigger"] = f'{{"session-open": {{"csrf": "{generate_csrf()}"}}}}'
    answer.headers["HX-Reswap"] = "none"
    return answer


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
    toast(_("Saved."), undo=_way_back(write))
    return done(url_for("auth.users"))


def _way_back(write: Writing) -> str | None:
    """The address that takes the write back; None when it changed nothing."""
    return url_for("audit.undo", entry_id=write.entry_id) if write.changes else None


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
    toast(_("Saved."), undo=_way_back(write))
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
