"""What makes the program an app of the device: its worker, and the page that stands in when the server is away."""

import json

from flask import Blueprint, Response, current_app, render_template, url_for
from flask_babel import get_locale

from cpms.web import assets
from cpms.web.access import passive, public

bp = Blueprint("device", __name__)


@bp.get("/worker.js")
@public
@passive
def worker() -> Response:
    """The worker with the addresses of this version's files: a browser takes the new one when a single byte differs."""
    asset = current_app.jinja_env.globals["asset"]
    told = {
        "files": [asset(path) for path in assets.shell()],
        "offline": url_for("device.offline"),
        "sheet": url_for("today.sheet"),
    }
    script = f"self.CPMS = {json.dumps(told)};\nimportScripts({json.dumps(asset('js/worker.js'))});\n"
    return Response(script, mimetype="text/javascript")


@bp.get("/offline")
@public
@passive
def offline() -> Response:
    """Kept on the device, and shown there for a page that cannot be fetched. It holds nothing about anybody."""
    language = get_locale().language
    return Response(render_template("layouts/offline.html"), headers={"Content-Language": language})
