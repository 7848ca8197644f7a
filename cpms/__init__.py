"""Dental CPMS: the day and the records of a dental clinic.

`DOMAINS` is the table of contents: a domain may import only those before it, and they are registered in this order.
"""

import importlib
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from flask import Flask, has_request_context, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import Babel, get_locale
from flask_compress import Compress
from flask_login import current_user
from flask_migrate import Migrate
from flask_wtf.csrf import generate_csrf
from sqlalchemy.exc import DBAPIError

from config import Config
from cpms import cli
from cpms.audit import recorder
from cpms.auth.views import door
from cpms.backups import candidate
from cpms.calendar import revision
from cpms.core import clock, db
from cpms.core.permissions import P
from cpms.settings import queries as settings
from cpms.settings.schema import ClinicSettings
from cpms.web import (
    access,
    assets,
    device,
    errors,
    filters,
    health,
    htmx,
    keys,
    language,
    nav,
    numbers,
    security,
    toasts,
)

DOMAINS = (
    "settings",
    "auth",
    "patients",
    "hours",
    "calendar",
    "feeds",
    "xrays",
    "audit",
    "work",
    "backups",
    "exchange",
    "today",
    "setup",
)

__version__ = "0.1.0"

ROOT = Path(__file__).parent.parent


def create_app(config: Config | None = None, **overrides: Any) -> Flask:
    """The application, ready to serve. `overrides` are Flask settings, for tests."""
    app = Flask(__name__, static_folder=None, instance_path=None)
    app.config.from_mapping((config or Config.from_env()).flask())
    app.config.from_mapping(overrides)
    app.config["CPMS_VERSION"] = __version__

    db.init_app(app)
    Migrate(app, db.db, directory=str(ROOT / "migrations"), render_as_batch=True, compare_type=True)
    babel = Babel(app, default_locale=language.SOURCE, default_timezone="UTC", locale_selector=_language)
    babel.domain_instance = language.Catalogues()
    Compress(app)
    clock.use_zone(lambda: settings.current().zone)
    recorder.install(security.origin_of_write)
    revision.install()
    db.forget_at_writes(settings.forget)
    db.hold_writes_while(candidate.is_on_hold)

    app.url_map.converters["int"] = numbers.Id
    security.init_app(app)
    access.login_manager.init_app(app)
    app.before_request(access.gate)
    app.before_request(door.stay_awake)
    toasts.init_app(app)
    errors.init_app(app)
    filters.init_app(app)
    assets.init_app(app)
    app.register_blueprint(device.bp)
    app.register_blueprint(health.bp)
    app.register_blueprint(keys.bp)
    _register_domains(app)
    cli.init_app(app)

    app.add_url_rule("/", "home", access.public(_home))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        P=P,
        can=access.can,
        nav_items=nav.nav_items,
        settings_pages=nav.settings_pages,
        toasts=toasts.toasts,
        csrf_token=generate_csrf,
        headers_json=htmx.headers_json,
        current_user=current_user,
        version=__version__,
        locale=get_locale,
    )
    app.jinja_env.globals["ui"] = app.jinja_env.get_template("ui.html").module
    app.context_processor(_clinic)
    return app


def _language() -> str:
    """Of whoever reads, else the clinic's, else the browser's; an error page must come even without a database, and a
    command of the server must not make one."""
    if not has_request_context():
        return language.SOURCE
    try:
        with db.db.session.no_autoflush:  # a sentence in the middle of a write must not store what is half made
            return language.first_spoken(door.own_language(), settings.current().language)
    except DBAPIError:
        return language.first_spoken()


def _clinic() -> dict[str, ClinicSettings]:
    """The clinic's name and wishes for every page; an error page must come even when the database does not."""
    try:
        return {"clinic": settings.current()}
    except DBAPIError:
        return {"clinic": ClinicSettings()}


def _home() -> ResponseReturnValue:
    return redirect(url_for("today.home"))


def _register_domains(app: Flask) -> None:
    """Each domain's blueprint, in order. A domain without screens has no views; one with many has a folder of them."""
    for domain in DOMAINS:
        if views := find_spec(f"cpms.{domain}.views"):
            parts = [f"{views.name}.{part.name}" for part in iter_modules(views.submodule_search_locations or [])]
            modules = [importlib.import_module(name) for name in (parts or [views.name])]
            app.register_blueprint(modules[0].bp)
