"""Files that a form brings. The limit of a request is small; a view that takes files has a larger one, for those who
may use it, and what arrives goes to the disk of the clinic's data, not into memory."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from flask import Flask, Request, Response, g, render_template, request
from flask_login import current_user

from cpms.core import media
from cpms.web.access import view_of_request

View = TypeVar("View", bound=Callable[..., Any])
LOOK_AGAIN = 8 * 1024 * 1024  # bytes, after which the room on the disk is asked for again


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request may bring."""

    file: int  # bytes of each file
    files: int
    room: Callable[[], int]  # bytes that the disk can spare

    @property
    def whole(self) -> int:
        return self.file * self.files + 1024 * 1024

    @property
    def parts(self) -> int:
        return self.files + 40


def takes_files(bounds: Callable[[], Bounds]) -> Callable[[View], View]:
    """Mark a view whose form may bring files."""

    def mark(view: View) -> View:
        view.takes_files = bounds  # type: ignore[attr-defined]
        return view

    return mark


def widen() -> None:
    """Before the form is read, which the check of its token does first: more room for whoever may send files here."""
    view = view_of_request()
    bounds = getattr(view, "takes_files", None)
    if bounds is None or not current_user.is_authenticated or not current_user.permissions.issuperset(view.needs):
        return
    g.bounds = bounds()
    request.max_content_length = g.bounds.whole
    request.max_form_parts = g.bounds.parts


class Arriving:
    """A file while it arrives, and until the request ends. Of one that is too large nothing is kept, and `refusal` says
    so: the others of the form still come in."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        handle, name = tempfile.mkstemp(prefix="upload-", suffix=".part", dir=media.incoming())
        self._file: IO[bytes] = os.fdopen(handle, "w+b")
        self.path = Path(name)
        self.size = 0
        self.refusal: str | None = None  # "too-large" or "space"
        self._asked_at = -LOOK_AGAIN

    def write(self, piece: bytes) -> int:
        self.size += len(piece)
        if self.size > self._bounds.file:
            self._refuse("too-large")
        elif self.refusal is None and self.size - self._asked_at >= LOOK_AGAIN:
            self._asked_at = self.size
            if self._bounds.room() < LOOK_AGAIN:
                self._refuse("space")
        if self.refusal is None:
            self._file.write(piece)
        return len(piece)

    def _refuse(self, why: str) -> None:
        if self.refusal is None:
            self._file.seek(0)
            self._file.truncate()
        self.refusal = why

    def finished(self) -> Path:
        """Where the whole file lies."""
        self._file.flush()
        return self.path

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        try:
            self._file.close()
        except OSError:  # a full disk: what was not written yet is not wanted any more
            pass
        finally:
            self.path.unlink(missing_ok=True)


class FormRequest(Request):
    """A request whose files go where its view wants them."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> Any:
        bounds = g.get("bounds")
        if bounds is None:
            return super()._get_file_stream(total_content_length, content_type, filename, content_length)
        arriving = Arriving(bounds)
        g.setdefault("arriving", []).append(arriving)
        return arriving


def is_single() -> bool:
    """Whether the page sends its files one by one and waits for a line about each: see `upload.js`."""
    return "X-Upload" in request.headers


def told(name: str, problem: str = "", *, words: str = "", status: int = 200) -> Response:
    """The line about one file: what is wrong with it, or what became of it."""
    return Response(render_template("layouts/_uploaded.html", name=name, problem=problem, words=words), status)


def _let_go(_error: BaseException | None) -> None:
    """At the end of the request, however it ends: what was not kept is gone."""
    for arriving in g.pop("arriving", []):
        arriving.close()


def init_app(app: Flask) -> None:
    app.request_class = FormRequest
    app.teardown_request(_let_go)
    app.before_request(widen)
