"""What every answer carries, and what every request must bring."""

import ipaddress
import secrets

from flask import Flask, Response, abort, current_app, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from cpms.web import uploads

csrf = CSRFProtect()

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "object-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": a browser then sends `Origin: null` with our own forms, and `check_origin` could not tell.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def name_request() -> None:
    """Give the request a name that a person can read out and a log line carries."""
    g.request_id = secrets.token_hex(4)


def check_host() -> None:
    """Only names that are ours: a foreign name in Host is how a web page reaches a server of the house.

    An address in digits cannot be rebound to another machine, so each of the local networks is let in.
    """
    host = request.host.rsplit("]", 1)[0].lstrip("[") if request.host.startswith("[") else request.host.split(":")[0]
    if host.lower() in current_app.config["CPMS_TRUSTED_HOSTS"]:
        return
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        abort(400)
    if not (address.is_private or address.is_loopback or address.is_link_local):
        abort(400)


def check_origin() -> None:
    """A write comes from our own pages only, whatever its token says."""
    if request.method in SAFE_METHODS:
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        abort(400)
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        abort(400)


def add_headers(answer: Response) -> Response:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if current_app.config["SESSION_COOKIE_SECURE"]:
        answer.headers["Strict-Transport-Security"] = "max-age=31536000"
    answer.headers["X-Request-Id"] = g.get("request_id", "")
    return answer


def origin_of_write() -> tuple[str, str]:
    """For the trail: where a write comes from, and the request's name."""
    return (request.remote_addr or "", g.get("request_id", "")) if request else ("server", "")


def init_app(app: Flask) -> None:
    """Order matters: the request is named, its host and origin are checked, then the CSRF token, for which the form is
    read: its limit is set before."""
    if app.config["CPMS_BEHIND_PROXY"]:  # which listens on this machine alone, see config.py
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    app.before_request(name_request)
    app.before_request(check_host)
    app.before_request(check_origin)
    uploads.init_app(app)
    csrf.init_app(app)
    app.after_request(add_headers)
