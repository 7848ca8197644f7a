"""Signing in and out, and the sheet over a page whose session has ended."""

import logging
from datetime import timedelta

from flask import (
    Response,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from jinja2_fragments.flask import render_block
from sqlalchemy.exc import OperationalError

from cpms.auth import queries, rules, services
from cpms.auth.forms import (
    BackForm,
    SignInForm,
)
from cpms.auth.models import User
from cpms.auth.views.blueprint import bp, idle_limit
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import CannotWrite, DomainError, Refused
from cpms.core.permissions import P
from cpms.web.access import is_passive, let_in, login_manager, passive, public, require
from cpms.web.errors import sentence
from cpms.web.htmx import done, is_htmx, nothing_new, target_block
from cpms.web.toasts import forget_all

log = logging.getLogger("cpms")

SEEN_EVERY = timedelta(minutes=1)
CLEAR_ON_SIGN_OUT = '"cache", "storage"'
CLEAR_FOR_SOMEBODY_ELSE = '"storage"'


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
        return make_response(redirect(way_on(request.args.get("next"))))
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
        answer = done(way_on(form.next.data))
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


def own_language() -> str:
    """What whoever is at the screen reads, also under the sheet that asks them to sign in again; else nothing."""
    if current_user.is_authenticated:
        return str(current_user.language)
    here = queries.last_at(session["_user_id"]) if "_user_id" in session and "answers_error" not in g else None
    return here.language if here else ""


def way_on(url: str | None, otherwise: str | None = None) -> str:
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
