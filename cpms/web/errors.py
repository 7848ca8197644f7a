"""One place where an error becomes an answer."""

import logging

from flask import Flask, Response, g, make_response, render_template
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed

from cpms.core.errors import (
    Busy,
    ConstraintBroken,
    DiskFull,
    DomainError,
    OnHold,
    ReadOnly,
    Stale,
    of_the_disk,
)
from cpms.web.access import is_shut_out, login_manager, note_denial
from cpms.web.htmx import is_htmx
from cpms.web.toasts import toast

log = logging.getLogger("cpms")


def sentence(error: DomainError) -> str:
    """What a person reads: the error's own words, or the usual ones of its kind."""
    if error.message:
        return error.message
    if isinstance(error, Stale):
        return _("Somebody else changed this in the meantime. Nothing was saved; please look at it again.")
    if isinstance(error, ConstraintBroken):
        return _("This does not fit with what somebody else just saved. Nothing was saved; please look at it again.")
    if isinstance(error, Busy):
        return _("The server is busy. Nothing was saved; please try again in a moment.")
    if isinstance(error, DiskFull):
        return _("The server's disk is full. Nothing was saved. The owner can make room: Settings, Backups.")
    if isinstance(error, ReadOnly):
        return _("The server's disk takes no writes any more. Nothing was saved; call whoever looks after the server.")
    if isinstance(error, OnHold):
        return _("A backup is being put back. Nothing can be saved until that is over; it takes some minutes.")
    return title(error.status)


def title(code: int) -> str:
    titles = {
        400: _("This request cannot be understood"),
        401: _("Please sign in"),
        403: _("You may not do this"),
        404: _("This is not here"),
        405: _("This cannot be done here"),
        409: _("Somebody else was faster"),
        413: _("This is too large"),
        422: _("Something is missing or not right"),
        429: _("Please wait a moment"),
        500: _("Something went wrong on our side"),
        503: _("The server is busy"),
    }
    return titles.get(code) or _("Something went wrong")


def advice(code: int) -> str:
    words = {
        400: _("Go back, reload the page and try again. If it happens again, tell whoever looks after the server."),
        403: _("Your role does not include this. The clinic's owner can change that."),
        404: _("The address may be mistyped, or the record was deleted."),
        405: _("This address only takes what a form sends. Go back and use the form's button."),
        409: _("Nothing was saved. Go back and look at it again."),
        413: _("What was sent is larger than the server takes. Nothing was saved."),
        422: _("Nothing was saved. Go back and look at what was typed."),
        429: _("There were too many tries. Wait a little, then try again."),
        500: _("Nothing of this step was saved. The code below helps to find the cause."),
        503: _("Nothing was saved. Try again in a moment."),
    }
    return words.get(code, "")


def answer(code: int, text: str) -> Response:
    """An error as a toast over the page that is there (htmx), or as a page of its own."""
    if code == 403:
        note_denial()
    g.answers_error = True  # an error page is for whoever is known so far: asking the database now may fail again
    if is_htmx():
        toast(text, "error")
        response = make_response("", code)
        response.headers["HX-Reswap"] = "none"
        return response
    if text == title(code):  # the page says that over it already
        text = advice(code)
    return make_response(
        render_template("errors/error.html", code=code, title=title(code), text=text, error_id=g.get("request_id", "")),
        code,
    )


def _way_in() -> Response | None:
    """For whoever signed out in another window: what was typed stays under the sheet."""
    return make_response(login_manager.unauthorized()) if is_htmx() and is_shut_out() else None


def init_app(app: Flask) -> None:
    @app.errorhandler(DomainError)
    def _domain(error: DomainError) -> Response:
        return answer(error.status, sentence(error))

    @app.errorhandler(OSError)
    def _disk(error: OSError) -> Response:
        trouble = of_the_disk(error)
        if trouble is None:
            return _server(error)
        log.error("request %s met a bad disk: %s", g.get("request_id", ""), error.strerror)
        return answer(trouble.status, sentence(trouble))

    @app.errorhandler(CSRFError)
    def _csrf(error: CSRFError) -> Response:
        before = _("This page is from before you signed in. Reload it, then try again; nothing was saved.")
        return _way_in() or answer(400, before)

    @app.errorhandler(OperationalError)
    def _database(error: OperationalError) -> Response:
        log.error("database error in request %s: %s", g.get("request_id", ""), error.orig)
        if "locked" in str(error.orig):
            return answer(503, sentence(Busy()))
        return _server(InternalServerError(original_exception=error))

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        code = error.code or 500
        if code < 400:  # a redirect
            return make_response(error.get_response())
        response = answer(code, f"{title(code)}. {advice(code)}" if is_htmx() else advice(code))
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    @app.errorhandler(Exception)
    def _server(error: Exception) -> Response:
        code = g.get("request_id", "")
        log.exception("request %s failed", code)
        if is_htmx():
            return answer(500, _("Something went wrong on our side; nothing was saved. Code %(code)s", code=code))
        return answer(500, advice(500))
