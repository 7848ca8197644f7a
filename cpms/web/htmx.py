"""Answers to a browser: whole pages, fragments, and what follows a write."""

import json
from collections.abc import Iterable
from typing import Any

from flask import Response, current_app, make_response, redirect, render_template, request
from jinja2_fragments.flask import render_block


def is_htmx() -> bool:
    return request.headers.get("HX-Request") == "true"


def target_block() -> str | None:
    """The block that the page asks for: header `HX-Target: section#week-grid` names the block `week_grid`."""
    _, _, element_id = request.headers.get("HX-Target", "").partition("#")
    return element_id.replace("-", "_") if is_htmx() and element_id else None


def page(
    template: str, *, status: int = 200, fire: str | None = None, also: Iterable[str] = (), **context: Any
) -> Response:
    """The whole page, or only the block of it that htmx asks for.

    `fire` names page events that other panels listen to; each block in `also` is sent as a partial with its own target.
    """
    block = target_block()
    if block and block in current_app.jinja_env.get_template(template).blocks:
        html = render_block(template, block, **context)
        html += "".join(partial(template, name, **context) for name in also)
    else:
        html = render_template(template, **context)
    answer = make_response(html, status)
    if fire:
        answer.headers["HX-Trigger"] = fire
    return answer


def partial(template: str, block: str, *, target: str | None = None, swap: str = "outerHTML", **context: Any) -> str:
    """A block that htmx puts in its own place, whatever the request's target is."""
    where = target or "#" + block.replace("_", "-")
    return f'<hx-partial hx-target="{where}" hx-swap="{swap}">{render_block(template, block, **context)}</hx-partial>'


def closed(*events: str) -> Response:
    """A dialog did its work: it closes, and the panels that listen to `events` refresh themselves."""
    answer = make_response("", 200)
    answer.headers["HX-Trigger"] = ", ".join(("dialog-close", *events))
    answer.headers["HX-Reswap"] = "none"
    return answer


def done(url: str) -> Response:
    """After a write: on to `url`, for a browser with and without htmx."""
    if is_htmx():
        answer = make_response("", 200)
        answer.headers["HX-Redirect"] = url
        return answer
    return make_response(redirect(url, 303))


def finished(url: str, *events: str) -> Response:
    """After a write from a dialog: `closed` under htmx, on to `url` without."""
    return closed(*events) if is_htmx() else done(url)


def nothing_new() -> Response:
    """The answer to a poll when nothing changed."""
    return make_response("", 204)


def headers_json(**values: str) -> str:
    """The value of an `hx-headers` attribute."""
    return json.dumps(values)
