"""Files that browsers send: they stream into the clinic's own folder, and no view gets more than it takes."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

from flask import Request, Response, current_app, render_template, request
from flask_login import current_user
from werkzeug.datastructures import FileStorage

from cpms.core.errors import DiskFull
from cpms.web.access import view_of_request

View = TypeVar("View", bound=Callable[..., Any])

FLOOR = 512 * 1024 * 1024  # bytes of the disk that no upload takes: the clinic goes on writing
FORM = 64 * 1024  # what stands around the files: names of fields, the token


def takes_files(most: Callable[[], int]) -> Callable[[View], View]:
    """Mark a view that files are sent to: `most()` bytes in one request, from whoever may open the view."""

    def mark(view: View) -> View:
        view.takes_files = most  # type: ignore[attr-defined]
        return view

    return mark


def make_way() -> None:
    """Before the form is read: anybody else's large request ends after the size of a form."""
    view = view_of_request()
    most = getattr(view, "takes_files", None)
    if most and current_user.is_authenticated and current_user.permissions.issuperset(view.needs):
        request.max_content_length = most() + FORM


class FilesRequest(Request):
    """A request whose files lie in the instance folder while they arrive, and have no name there: a server that is
    killed meanwhile leaves nothing behind."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arriving: list[IO[bytes]] = []  # also those of a request that was refused in the middle

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        folder = Path(current_app.config["CPMS_INSTANCE"])
        coming = total_content_length or self.max_content_length or 0
        if shutil.disk_usage(folder).free < coming + FLOOR:
            raise DiskFull
        stream = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with the request
        self._arriving.append(stream)
        return stream

    def close(self) -> None:
        super().close()
        for stream in self._arriving:
            stream.close()


def put_down(upload: FileStorage, path: Path) -> None:
    """Give an upload a name, without copying where the file system can. Raises FileExistsError."""
    upload.stream.flush()
    try:
        os.link(f"/proc/self/fd/{upload.stream.fileno()}", path, follow_symlinks=True)
    except FileExistsError:
        raise
    except OSError:
        with path.open("xb") as file:
            upload.stream.seek(0)
            shutil.copyfileobj(upload.stream, file)
    path.chmod(0o600)


def is_single_upload() -> bool:
    """Whether the page sends its files one by one and waits for a line about each: see `upload.js`."""
    return "X-Upload" in request.headers


def told(name: str | None, problem: str = "", *, words: str = "", status: int = 200) -> Response:
    """The line about one file: what is wrong with it, or that it is stored."""
    return Response(render_template("layouts/_uploaded.html", name=name or "", problem=problem, words=words), status)
