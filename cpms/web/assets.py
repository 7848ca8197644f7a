"""Static files, under an address that holds the digest of them all: a browser may keep them for ever."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any

from flask import Flask
from whitenoise import WhiteNoise

ROOT = Path(__file__).parent.parent / "static"
HTMX = "vendor/htmx-4.0.1/htmx.min.js"


# What every page is drawn with; the scripts are those that `app.js` imports, at once or later.
STYLES = ("tokens", "base", "layout", "components", "print")
_IMPORT = re.compile(r"(?:import|from)[ (]\"\./([\w-]+\.js)\"")


def shell() -> list[str]:
    """The files of the frame around every page, and of the day's sheet, which a device keeps for days without Wi-Fi."""
    scripts, waiting = set(), ["app.js"]
    while waiting:
        name = waiting.pop()
        if name not in scripts:
            scripts.add(name)
            waiting += _IMPORT.findall((ROOT / "js" / name).read_text())
    styles = [f"css/{each}.css" for each in (*STYLES, "today")]
    return [*styles, *(f"js/{each}" for each in sorted(scripts)), HTMX, "icons.svg", "favicon.svg"]


def digest(root: Path = ROOT) -> str:
    """Changes when any static file does. The compressed twins do not count."""
    total = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.is_file() and p.suffix not in {".gz", ".br"}):
        total.update(path.relative_to(root).as_posix().encode())
        total.update(path.read_bytes())
    return total.hexdigest()[:12]


class Files(WhiteNoise):
    """Serves a compressed twin only while it is as new as its file: an older one would hide a change."""

    def get_static_file(self, path: str, url: str, stat_cache: dict[str, os.stat_result] | None = None) -> Any:
        if stat_cache:
            age = int(stat_cache[path].st_mtime)
            twins = [path + suffix for suffix in (".gz", ".br") if path + suffix in stat_cache]
            fresh = [twin for twin in twins if int(stat_cache[twin].st_mtime) >= age]
            stat_cache = {each: stat_cache[each] for each in (path, *fresh)}
        return super().get_static_file(path, url, stat_cache)


def init_app(app: Flask) -> None:
    prefix = f"/static/{digest()}"
    app.wsgi_app = Files(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(ROOT),
        prefix=prefix,
        max_age=31536000,
        immutable_file_test=lambda _path, _url: True,
        add_headers_function=_headers,
        allow_all_origins=False,
        mimetypes={".js": "text/javascript", ".webmanifest": "application/manifest+json"},
    )
    app.jinja_env.globals.update(asset=lambda path: f"{prefix}/{path}", styles=STYLES, htmx_file=HTMX)


def _headers(headers: dict[str, str], _path: str, _url: str) -> None:
    headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
