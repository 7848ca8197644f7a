"""The same week in FullCalendar 6, a well-known calendar for browsers. It is fetched for the bench alone."""

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import brotli
import sqlcipher3.dbapi2 as sqlite

PACKAGE, VERSION = "fullcalendar", "6.1.21"
INTEGRITY = "sha512-yGZhflQmfCJKmmOlwJcQ0MPNAYABieaiJp9AaRgHBMRIUxNA+VFa6mkIbVNpjdSZIy9AY2HwteTt58tJ+3ktuQ=="
SCRIPT = "package/index.global.min.js"
FETCHED_WITHIN = 60  # seconds
ON_THE_FLY = 4  # as much as the program's own answers are compressed

# Where there is a choice it is the one that is lighter for FullCalendar: a card tells its time and its name and no
# more, and nothing is fetched after a drop.
PAGE = """<!doctype html><meta charset="utf-8"><title>FullCalendar</title><link rel="icon" href="data:,">
<div id="calendar"></div><script src="/calendar.js"></script><script>
const moved = ({ event }) =>
  fetch("/move", { method: "POST", body: new URLSearchParams({ id: event.id, start: event.startStr }) });
const calendar = new FullCalendar.Calendar(document.querySelector("#calendar"), {
  initialView: "timeGridWeek", initialDate: location.pathname.slice(1), firstDay: 1, hiddenDays: [0], allDaySlot: false,
  slotMinTime: "08:00", slotMaxTime: "18:00", height: 780, editable: true, events: "/events",
  eventDrop: (drop) => moved(drop).then(() => { calendar.el.dataset.saved = drop.event.id; }),
});
calendar.render();
</script>"""
WEEK = """
SELECT event.id, event.start, event."end", event.color, coalesce(last_name || ', ' || first_name, event.title)
FROM event LEFT JOIN patient ON patient.id = patient_id
WHERE event.deleted_at IS NULL AND event.status NOT IN ('cancelled', 'no_show') AND event.start >= ? AND event.start < ?
"""


def script(cache: Path) -> bytes | None:
    """The program exactly as it was published; None, and a sentence, where it cannot be had."""
    archive = cache / f"{PACKAGE}-{VERSION}.tgz"
    if not archive.exists():
        command = ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}", "--pack-destination", str(cache)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=FETCHED_WITHIN)
        except (OSError, subprocess.SubprocessError):
            print("LEFT OUT: the figures beside FullCalendar, because it cannot be fetched", file=sys.stderr)
            return None
    if f"sha512-{base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()}" != INTEGRITY:
        archive.unlink()
        print("LEFT OUT: the figures beside FullCalendar, because what came is another archive", file=sys.stderr)
        return None
    with tarfile.open(archive) as tar:
        member = tar.extractfile(SCRIPT)
        assert member is not None
        return member.read()


@contextmanager
def hosting(program: bytes, database: Path) -> Iterator[str]:
    """The address of its pages, `/YYYY-MM-DD` each. The server does next to nothing: the browser is measured."""
    packed, page, nothing = (brotli.compress(each) for each in (program, PAGE.encode(), b""))

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path == "/events":
                events = _events(database, dict(parse_qsl(asked.query)))
                self._send("application/json", brotli.compress(events, quality=ON_THE_FLY))
            elif asked.path == "/calendar.js":
                self._send("text/javascript", packed)
            else:
                self._send("text/html", page)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._send("text/plain", nothing)

        def _send(self, kind: str, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Encoding", "br")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _events(database: Path, asked: dict[str, str]) -> bytes:
    with closing(sqlite.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute(WEEK, (asked["start"][:10], asked["end"][:10])).fetchall()
    return json.dumps(
        [
            {"id": id_, "className": f"e{id_}", "start": start[:19], "end": end[:19], "color": color, "title": title}
            for id_, start, end, color, title in rows
        ]
    ).encode()
