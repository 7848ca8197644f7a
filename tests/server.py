"""The shipped server in processes of its own, and clients who all press the button at the same moment."""

import asyncio
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

from flask import Flask
from itsdangerous import URLSafeTimedSerializer

from cpms.auth import queries as auth
from cpms.auth.models import UserSession
from cpms.core import clock
from cpms.core.db import db, transaction

Result = TypeVar("Result")

ROOT = Path(__file__).resolve().parents[1]
STARTS_WITHIN = 60  # seconds; a small machine that runs the whole suite is slow
CSRF = "c" * 40


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """`asyncio.run` in a thread of its own: a browser test of the same process may have left its loop in this one."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


def not_ours() -> dict[str, str]:
    """The variables that a server may see of those that the tests run with."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("CPMS_", "FLASK_"))}


class Stem:
    """Starts servers one after the other as forks of a process that has imported everything: see stem.py."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._stem = subprocess.Popen(
            [sys.executable, "-m", "tests.stem"],
            cwd=ROOT,
            bufsize=0,  # so that `select` sees all there is to read
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(variables),
        )
        self.pid = 0
        self.returncode: int | None = None

    def start(self, variables: Mapping[str, str], log: Path) -> Self:
        assert self._stem.stdin is not None and self._stem.stdout is not None
        self._stem.stdin.write(json.dumps({"variables": dict(variables), "log": str(log)}).encode() + b"\n")
        self.pid = int(self._stem.stdout.readline())
        self.returncode = None
        return self

    def wait(self, timeout: float) -> int:
        """As that of a process that this one had started itself."""
        assert self._stem.stdout is not None
        if self.returncode is None:
            if not select.select([self._stem.stdout], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("gunicorn", timeout)
            self.returncode = int(self._stem.stdout.readline())
        return self.returncode

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def end(self) -> None:
        self._stem.communicate(timeout=60)


class Server:
    """gunicorn as `./cpms.sh run` starts it, over an instance folder, on a free port of this machine. `stem`: in whose
    hands its process is, when it is to start quickly."""

    def __init__(self, folder: Path, *, stem: Stem | None = None, **variables: Any) -> None:
        self.folder = folder
        self.stem = stem
        self.variables = {name: str(value) for name, value in variables.items()}
        self.log = folder / "server.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | Stem | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        # No nightly jobs, unless a test asks for them: a backup at the start would be in everybody's way.
        ours = {"CPMS_INSTANCE": str(self.folder), "CPMS_PORT": str(self.port), "CPMS_JOBS": "0"}
        told = not_ours() | ours | self.variables
        if self.stem is not None:
            self.process = self.stem.start(told, self.log)
        else:
            with self.log.open("ab") as sink:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "gunicorn", "wsgi:app"],
                    cwd=ROOT,
                    stdout=sink,
                    stderr=sink,
                    env=told,
                    start_new_session=True,  # so that `kill` reaches its workers and nobody else
                )
        try:
            self._wait()
        except BaseException:
            self.kill()
            raise

    def _wait(self) -> None:
        assert self.process is not None
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until:
            if self._answers():
                return
            try:
                self.process.wait(timeout=0.05)
                break
            except subprocess.TimeoutExpired:
                pass
        raise RuntimeError(f"the server did not start:\n{self.log.read_text()}")

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """Ask it to end, as a person does."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=60)
            self.process = None

    def kill(self) -> None:
        """Pull the plug: no process of it gets to do anything more."""
        if self.process is not None:
            with suppress(ProcessLookupError):  # it had ended by itself
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=60)
            self._until_nobody_listens()
            self.process = None

    def _until_nobody_listens(self) -> None:
        """Its workers die a moment after it, and hold its port until then."""
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until:
            with socket.socket() as probe, suppress(OSError):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", self.port))
                return
            time.sleep(0.01)
        raise RuntimeError("a killed server still holds its port")


def session_cookie(app: Flask, username: str, *, seen_ago: timedelta = timedelta()) -> str:
    """The cookie of a new session: its value for the header. Signing in itself has tests of its own."""
    token = secrets.token_urlsafe(32)
    with app.app_context(), transaction("test.sign_in", actor=None):
        user = auth.user_named(username)
        assert user is not None, username
        db.session.add(
            UserSession(
                token_hash=auth.token_hash(token),
                user_id=user.id,
                last_seen_at=clock.now() - seen_ago,
                expires_at=clock.now() + timedelta(hours=12),
            )
        )
    signer: Any = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return str(signer.dumps({"_user_id": token, "_fresh": True, "csrf_token": CSRF}))


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    headers: Mapping[str, str]


class Client:
    """Somebody's browser on a connection of its own that stays open. Sends what htmx sends."""

    def __init__(self, app: Flask, server: Server, cookie: str) -> None:
        self.port = server.port
        token = URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps(CSRF)
        self.headers = (
            f"Host: 127.0.0.1:{server.port}\r\nCookie: {app.config['SESSION_COOKIE_NAME']}={cookie}\r\n"
            f"HX-Request: true\r\nX-CSRFToken: {token}\r\n"
        )
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def close(self) -> None:
        if self._writer is not None:
            writer, self._reader, self._writer = self._writer, None, None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def get(self, url: str, *, target: str = "dialog#dialog") -> Answer:
        return await self._send("GET", url, target)

    async def post(self, url: str, form: Mapping[str, Any], *, target: str = "dialog#dialog") -> Answer:
        return await self._send("POST", url, target, urlencode(form))

    async def _send(self, method: str, url: str, target: str, body: str = "") -> Answer:
        if self._writer is None:
            await self.connect()
        assert self._reader is not None and self._writer is not None
        kind = "Content-Type: application/x-www-form-urlencoded\r\n" if body else ""
        self._writer.write(
            f"{method} {url} HTTP/1.1\r\n{self.headers}HX-Target: {target}\r\n{kind}"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
        answer = Answer(int(head[0].split()[1]), (await self._body(headers)).decode(), headers)
        if headers.get("connection", "").lower() == "close":
            await self.close()
        return answer

    async def _body(self, headers: Mapping[str, str]) -> bytes:
        assert self._reader is not None
        if "chunked" not in headers.get("transfer-encoding", ""):
            return await self._reader.readexactly(int(headers.get("content-length", 0)))
        whole = b""
        while size := int(await self._reader.readline(), 16):
            whole += await self._reader.readexactly(size)
            await self._reader.readline()
        await self._reader.readline()
        return whole


@asynccontextmanager
async def at_the_desks(app: Flask, server: Server, number: int, *, people: int = 8) -> AsyncIterator[list[Client]]:
    """So many browsers, connected, of a few receptionists."""
    cookies = [session_cookie(app, "rita") for _ in range(people)]
    clients = [Client(app, server, cookie) for cookie in islice(cycle(cookies), number)]
    try:
        for client in clients:
            await client.connect()
        yield clients
    finally:
        for client in clients:
            await client.close()
