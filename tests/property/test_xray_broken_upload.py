"""Uploads to the shipped server that break off: the browser goes away, or the plug is pulled. Never is there a record
without its file, and what was only half there is gone."""

import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from flask import Flask

from config import Config
from cpms import create_app
from cpms.core.db import db
from cpms.core.files import digest
from tests import pictures
from tests.drill import times
from tests.make import Make
from tests.property.conftest import ask_file
from tests.server import Client, Server, session_cookie

PATIENCE = 60  # seconds; a small machine that runs the whole suite is slow
EDGE = b"edge-of-a-part"


@pytest.fixture
def folder(template_db: Path, tmp_path: Path) -> Path:
    shutil.copy(template_db, tmp_path / "clinic.db")
    return tmp_path


@pytest.fixture
def clinic(folder: Path) -> Iterator[Flask]:
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(folder)}), TESTING=False)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def request_of(clinic: Flask, folder: Path) -> Iterator[tuple[Server, Callable[[bytes], bytes]]]:
    """The server, and the bytes with which Dr Ada's browser sends a picture to it."""
    patient = Make(clinic).patient()
    with Server(folder) as server:
        head = Client(clinic, server, session_cookie(clinic, "ada")).headers

        def whole(picture: bytes) -> bytes:
            body = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' % EDGE
            body += picture + b"\r\n--%s--\r\n" % EDGE
            return (
                f"POST /xrays/of/{patient.id} HTTP/1.1\r\n{head}X-Upload: 1\r\nContent-Length: {len(body)}\r\n"
                f"Content-Type: multipart/form-data; boundary={EDGE.decode()}\r\n\r\n"
            ).encode() + body

        yield server, whole


def send(server: Server, content: bytes) -> socket.socket:
    browser = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    browser.sendall(content)
    return browser


def vanish(browser: socket.socket) -> None:
    """As when a tablet is switched off: no goodbye."""
    browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    browser.close()


def status(browser: socket.socket) -> int:
    with browser:
        return int(browser.recv(65536).split()[1])


def on_disk(folder: Path, *places: str) -> list[Path]:
    return [path for place in places for path in (folder / place).rglob("*") if path.is_file()]


def settled(folder: Path, server: Server) -> None:
    """Wait until the server is done with what it was sent."""
    until = time.monotonic() + PATIENCE
    assert server.process is not None
    while on_disk(folder, "incoming") or list((folder / "derived").glob("scratch-*")):
        assert time.monotonic() < until, "the server still holds a half upload"
        try:
            server.process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue


def rows(folder: Path) -> set[str]:
    return {sum_ for (sum_,) in ask_file(folder / "clinic.db", "SELECT sha256 FROM xray")}


def check(folder: Path, *, after_a_crash: bool = False) -> None:
    """Each record has its whole file; and no file is without a record, unless nobody lived to remove it."""
    files = {path.name: path for path in on_disk(folder, "media") if path.suffix != ".part"}
    assert rows(folder) <= set(files)
    assert all(digest(path) == name for name, path in files.items())
    if not after_a_crash:
        assert set(files) == rows(folder)


def test_a_browser_that_vanishes_leaves_nothing_half(
    folder: Path, request_of: tuple[Server, Callable[[bytes], bytes]]
) -> None:
    server, whole = request_of
    for part in (0.2, 0.5, 0.9, 0.999):
        content = whole(pictures.jpeg((1200, 900), seed=int(part * 1000)))
        vanish(send(server, content[: int(len(content) * part)]))
        settled(folder, server)
        check(folder)
    assert rows(folder) == set()
    assert status(send(server, whole(pictures.jpeg(seed=9)))) == 200
    check(folder)
    assert len(rows(folder)) == 1


def test_a_browser_that_does_not_wait_for_the_answer_is_no_harm(
    folder: Path, request_of: tuple[Server, Callable[[bytes], bytes]]
) -> None:
    server, whole = request_of
    vanish(send(server, whole(pictures.jpeg((1200, 900), seed=3))))
    assert status(send(server, whole(pictures.jpeg(seed=4)))) == 200
    server.stop()  # it ends what it has begun: the first picture may still be between its file and its record
    check(folder)


def test_pulling_the_plug_during_uploads_leaves_no_record_without_its_file(
    folder: Path, request_of: tuple[Server, Callable[[bytes], bytes]]
) -> None:
    server, whole = request_of
    started = time.monotonic()
    assert status(send(server, whole(pictures.jpeg((900, 600), seed=100)))) == 200
    usual, kills, acknowledged = time.monotonic() - started, times(4, 40), 1
    for turn in range(kills):
        browser = send(server, whole(pictures.jpeg((900, 600), seed=turn)))
        browser.settimeout(usual * 1.2 * (turn + 1) / kills)  # the server reads, looks, keeps or answers by then
        with suppress(TimeoutError):
            acknowledged += browser.recv(65536).startswith(b"HTTP/1.1 200")
        server.kill()
        vanish(browser)
        check(folder, after_a_crash=True)
        server.start()
    assert len(rows(folder)) >= acknowledged
    assert status(send(server, whole(pictures.jpeg(seed=999)))) == 200
    check(folder, after_a_crash=True)


def test_the_server_never_loads_what_reads_pictures(
    folder: Path, request_of: tuple[Server, Callable[[bytes], bytes]]
) -> None:
    """What a process has loaded stands in its map of memory, whoever imported it."""
    server, whole = request_of
    for picture in (pictures.jpeg(), pictures.dicom(), pictures.deep(pictures.ramp(64, 64)), b"no picture"):
        assert status(send(server, whole(picture))) in {200, 422}
    loaded = "".join(Path(f"/proc/{pid}/maps").read_text() for pid in workers(server))
    assert "/sqlalchemy/" in loaded
    assert [name for name in ("/PIL/", "/numpy/", "gdcm", "/pydicom/") if name in loaded] == []


def workers(server: Server) -> list[int]:
    assert server.process is not None
    parents = {int(path.parent.name): path for path in Path("/proc").glob("[0-9]*/stat")}
    family = [server.process.pid]
    for pid, path in sorted(parents.items()):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent in family:
            family.append(pid)
    assert len(family) > 1
    return family
