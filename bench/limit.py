"""The limits: the same bytes with nothing but rows from the driver and f-strings, as fast as Python can give them.

Nobody would want to keep a program like this. It says what an answer costs at least, so that a measured time means
something on any machine. `tests/web/test_bench_limit.py` keeps the bytes equal to those of the real answers.
"""

import hashlib
import json
import os
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlite
from markupsafe import escape

from cpms.calendar.rules import SWATCHES, swatch
from cpms.core.db import SQLITE_PRAGMAS
from cpms.core.files import CHUNK

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_COLORS = {color: name for name, color in SWATCHES.items()}
_SAID = {
    "scheduled": "",
    "confirmed": "confirmed",
    "arrived": "arrived",
    "in_chair": "in the chair",
    "completed": "done",
}
_BREAK = "\u2002\n"

_WEEK = """
SELECT event.id, event.row_version, event.start, event."end", event.status, event.kind, event.color, event.title,
  event.overbook_reason, event.notes <> '', patient.last_name, patient.first_name, patient.alert_text,
  appointment_type.name, chair.name, user.display_name
FROM event JOIN chair ON chair.id = event.chair_id LEFT JOIN patient ON patient.id = event.patient_id
  LEFT JOIN appointment_type ON appointment_type.id = event.type_id LEFT JOIN user ON user.id = event.provider_id
WHERE event.start >= ? AND event.start < ? AND event.deleted_at IS NULL AND event.status NOT IN ('cancelled', 'no_show')
ORDER BY event.start, event.chair_id, event.id"""


def connect(file: Path) -> Any:
    """A connection with the program's own settings."""
    connection = sqlite.connect(str(file), check_same_thread=False)
    connection.isolation_level = None
    for pragma in SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def opening(connection: Any) -> list[tuple[int, int] | None]:
    """The opening hours of each weekday in minutes; read once, as if they stood in the code."""
    found = connection.execute("SELECT value FROM setting WHERE key = 'opening'").fetchone()
    days = json.loads(found[0]) if found else [["08:00", "18:00"]] * 5 + [["09:00", "14:00"], None]
    return [(_minutes(each[0], 0), _minutes(each[1], 0)) if each else None for each in days]


def _minutes(text: str, at: int) -> int:
    return int(text[at : at + 2]) * 60 + int(text[at + 3 : at + 5])


def week(connection: Any, day: date, hours: list[tuple[int, int] | None], today: date) -> bytes:
    """The week's grid for somebody who may write, in English."""
    monday = day - timedelta(days=day.weekday())
    rows = connection.execute(_WEEK, (f"{monday} 00:00:00.000000", f"{monday + timedelta(days=7)} 00:00:00.000000"))
    (revision,) = connection.execute("SELECT number FROM calendar_revision").fetchone()
    days: dict[str, list[Any]] = {}
    first, last = 24 * 60, 0
    for row in rows.fetchall():
        start, end = _minutes(row[2], 11), _minutes(row[3], 11) or 24 * 60
        first, last = min(first, start), max(last, end)
        days.setdefault(row[2][:10], []).append((start, end, row))
    shown = [
        each for each in (monday + timedelta(days=n) for n in range(7)) if hours[each.weekday()] or str(each) in days
    ]
    opened = [hours[each.weekday()] for each in shown if hours[each.weekday()]]
    from_hour = min(first, *(each[0] for each in opened)) // 60  # type: ignore[index]
    to_hour = -(-max(last, *(each[1] for each in opened)) // 60)  # type: ignore[index]
    sunday = monday + timedelta(days=6)
    title = f"{sunday.day} {_MONTHS[sunday.month]} {sunday.year}"
    if sunday.month == monday.month:
        title = f"{monday.day}–{title}"
    elif sunday.year == monday.year:
        title = f"{monday.day} {_MONTHS[monday.month]} – {title}"
    else:
        title = f"{monday.day} {_MONTHS[monday.month]} {monday.year} – {title}"
    first_open = next((each for each in shown if hours[each.weekday()]), monday)
    new = "" if monday <= today <= sunday else f"?day={first_open}"
    html = [
        f'          <section id="week-grid" class="grid f{from_hour} span-{to_hour - from_hour}" data-calendar-grid '
        f'data-rev="{revision}" data-view="week" data-from="{from_hour * 60}" data-to="{to_hour * 60}" '
        f'data-new="/calendar/events/new{new}" hx-get="/calendar/week/{day}?on={today}&amp;rev={revision}" '
        'hx-trigger="every 4s, calendar-changed from:body" hx-target="this" hx-swap="outerMorph" '
        f'aria-label="{title}">\n'
        '<div class="hours" aria-hidden="true">\n  <div class="col-head"></div>\n  <div class="slots">\n'
    ]
    html += [f'<span class="t{hour:02}00">{hour:02}:00</span>' for hour in range(from_hour, to_hour)]
    html.append("  </div>\n</div>\n")
    for each in shown:
        _column(
            html,
            each,
            days.get(str(each), []),
            hours[each.weekday()],
            (from_hour * 60, to_hour * 60),
            each == today,
        )
    html.append('<div class="cal-edge" hx-morph-skip></div>\n')
    html.append('<button class="slot" type="button" hx-morph-skip hidden></button>')
    if not days:
        html.append('<p class="grid-note"><span>Nothing booked yet. Tap a free time to begin.</span></p>')
    html.append("          </section>\n")
    return "".join(html).encode()


def _column(  # noqa: C901 - a limit is written flat: no call that the machine would have to make
    html: list[str],
    day: date,
    entries: list[Any],
    hours: tuple[int, int] | None,
    window: tuple[int, int],
    is_today: bool,
) -> None:
    places: list[tuple[int, int]] = []
    group: list[int] = []
    free_at: list[int] = []
    for start, end, _row in entries:
        if free_at and start >= max(free_at):
            places += [(lane, len(free_at)) for lane in group]
            group, free_at = [], []
        for lane, free in enumerate(free_at):
            if free <= start:
                free_at[lane] = max(end, start + 15)
                break
        else:
            lane = len(free_at)
            free_at.append(max(end, start + 15))
        group.append(lane)
    places += [(lane, len(free_at)) for lane in group]
    lanes = min(max((count for _lane, count in places), default=1), 12)
    html.append(
        f'<div class="col lanes-{lanes}{" today" if is_today else ""}" data-day="{day}">\n'
        f'<h2 class="col-head"><a href="/calendar/day/{day}" hx-get="/calendar/day/{day}" hx-target="#calendar" '
        f'hx-swap="outerHTML" hx-push-url="true"><strong>{_DAYS[day.weekday()]} '
        f'<span>{day.day} {_MONTHS[day.month]}</span></strong></a></h2>\n<div class="slots">\n'
    )
    for a, b in ((window[0], hours[0]), (hours[1], window[1])) if hours else (window,):
        if b > a:
            html.append(f'<div class="shut t{a // 60:02}{a % 60:02} h{b - a}"></div>')
    if is_today:
        html.append('<div class="now-line"></div>')
    for (start, end, row), (lane, count) in zip(entries, places, strict=True):
        (number, version, starts, _ends, status, kind, color, title, over, noted,
         last, name, alert, what, chair, who) = row  # fmt: skip
        clock = starts[11:16]
        if last is not None:
            more = f"{clock} {name}" if last != "—" else clock
            what = title or what
            name = last if last != "—" else name
        else:
            more, name, what = clock, title or what or _SAID[status] or "scheduled", None
        if what:
            more += _BREAK + what
        more += _BREAK + chair
        if who:
            more += _BREAK + who
        if _SAID[status]:
            more += _BREAK + _SAID[status]
        if over:
            more += _BREAK + "booked over another"
        html.append(
            f'<a class="ev t{start // 60:02}{start % 60 // 5 * 5:02} h{max((end - start) // 5 * 5, 5)} '
            f"x{min(lane, 11)}-{min(count, 12)} c-{_COLORS.get(color) or swatch(color)} s-{status}"
            f'{" block" if kind == "block" else ""}{" over" if over else ""}{" noted" if noted else ""}" '
            f'href="/calendar/events/{number}" id="e{number}" data-v="{version}"'
            f"{' data-fixed' if status == 'completed' else ''}><b>{escape(name)}</b> "
            f"{'<i>Alert</i> ' if alert else ''}<span>{escape(more)}</span></a>\n"
        )
    html.append("</div>\n</div>\n")


class Mould:
    """An answer with its values cut out; `fill` puts others in. Cheaper than any template: pieces are joined."""

    def __init__(self, html: str, values: dict[str, str]) -> None:
        """`values`: name → what stands in this answer. Longer texts first, so that one inside another is no matter."""
        parts: list[tuple[str, str | None]] = [(html, None)]
        for name, text in sorted(values.items(), key=lambda each: -len(each[1])):
            cut: list[tuple[str, str | None]] = []
            for piece, slot in parts:
                if slot is not None or not text:
                    cut.append((piece, slot))
                    continue
                head, *rest = piece.split(text)
                cut.append((head, None))
                for each in rest:
                    cut += [("", name), (each, None)]
            parts = cut
        self.parts = [(piece, slot) for piece, slot in parts if piece or slot]

    def fill(self, values: dict[str, str]) -> str:
        return "".join([values[slot] if slot else piece for piece, slot in self.parts])


PATIENT = """
SELECT id, chart_no, first_name, last_name, date_of_birth, mobile_phone, home_phone, email, address, alert_text,
    created_at
FROM patient WHERE id = ?"""
_LONG_MONTHS = (
    *("", "January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)

SEAL = "5ea1" * 16


def look(connection: Any, patient_id: int, user_id: int, at: str) -> Any:
    """A patient's row, and the entry in the trail that somebody looked at it."""
    row = connection.execute(PATIENT, (patient_id,)).fetchone()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        "INSERT INTO audit_entry (created_at, updated_at, actor_id, action, about_table, about_id, patient_id, origin, "
        "request_id, mac) VALUES (?, ?, ?, 'patient.view', 'patient', ?, ?, '127.0.0.1', 'abcdef01', ?)",
        (at, at, user_id, str(patient_id), patient_id, SEAL),
    )
    connection.execute("COMMIT")
    return row


def patient_values(row: Any, today: date, token: str) -> dict[str, str]:
    """What differs between the pages of two patients of whom the same things are known."""
    number, chart, first, last, born, mobile, home, email, address, alert, created = row
    year, month, day = int(born[:4]), int(born[5:7]), int(born[8:10])
    values = {
        "at": f"patients/{number}",
        "new": f"new?patient={number}",
        "chart": f"Chart {chart}",
        "name": f"{escape(first)} {escape(last)}",
        "born": f"{day} {_LONG_MONTHS[month]} {year}",
        "age": f">{today.year - year - ((today.month, today.day) < (month, day))} y",
        "since": f"{int(created[8:10])} {_LONG_MONTHS[int(created[5:7])]} {created[:4]}",
        "token": token,
        "mail": f"{escape(email)}",
        "address": f"{escape(address)}",
        "alert": f"{escape(alert)}",
    }
    for name, phone in (("mobile", mobile), ("home", home)):
        values |= {name: f"{escape(phone)}", f"{name}_dial": f"tel:{phone.replace(' ', '')}"}
    return values


_FIND = """
SELECT id, first_name, last_name, chart_no, date_of_birth, mobile_phone, home_phone, alert_text, status FROM patient
WHERE name_key >= ? AND name_key < ? AND deleted_at IS NULL AND status = 'active' ORDER BY name_key, id LIMIT 20"""
_OPTION = '<a class="option" role="option" tabindex="-1" aria-selected="false" href="/patients/'


class Found:
    """The answers to a search for the beginning of a last name that at least twenty have."""

    def __init__(self, html: str) -> None:
        self.head, *rows = re.split(rf"{_OPTION}(?=\d)", html)
        self.tail = rows[-1].partition("</a>\n")[2]

    def find(self, connection: Any, key: str) -> bytes:
        parts = [self.head]
        for number, first, last, chart, born, mobile, home, _alert, _status in connection.execute(
            _FIND, (key, key + "\U0010ffff")
        ):
            phone = mobile or home
            parts.append(
                f'{_OPTION}{number}"><bdi>{escape(first)} {escape(last)}</bdi><span class="option-meta">'
                f"{int(born[8:10])} {_MONTHS[int(born[5:7])]} {born[:4]} · {chart}"
                f"{' · ' if phone else ''}{escape(phone)}</span></a>\n"
            )
        parts.append(self.tail)
        return "".join(parts).encode()


_CLASH = """
SELECT id, start, "end" FROM event WHERE {} = ? AND start < ? AND "end" > ? AND start > ? AND deleted_at IS NULL
  AND status NOT IN ('cancelled', 'no_show') AND id <> ?"""
_OF_CHAIR, _OF_PROVIDER, _OF_PATIENT = (_CLASH.format(name) for name in ("chair_id", "provider_id", "patient_id"))


def move(connection: Any, event_id: int, start: str, end: str, day_before: str, user_id: int, at: str) -> None:
    """A move with its checks and its trace: the rows that the program writes."""
    run = connection.execute
    run("BEGIN IMMEDIATE")
    chair, provider, patient, version, old_start, old_end = run(
        'SELECT chair_id, provider_id, patient_id, row_version, start, "end" FROM event WHERE id = ?',
        (event_id,),
    ).fetchone()
    _check(run, chair, provider, patient, start, end, day_before, event_id)
    run(
        'UPDATE event SET start = ?, "end" = ?, updated_at = ?, row_version = ? WHERE id = ? AND row_version = ?',
        (start, end, at, version + 1, event_id, version),
    )
    _trace(
        run,
        "event.move",
        event_id,
        patient,
        user_id,
        at,
        {"start": [old_start, start], "end": [old_end, end]},
    )
    run("COMMIT")


def book(
    connection: Any,
    *,
    patient: int,
    chair: int,
    provider: int,
    type_id: int,
    start: str,
    end: str,
    day_before: str,
    user_id: int,
    at: str,
) -> None:
    """A booking with its checks and its trace: the rows that the program writes."""
    run = connection.execute
    run("BEGIN IMMEDIATE")
    run("SELECT status, deleted_at FROM patient WHERE id = ?", (patient,)).fetchone()
    run("SELECT active FROM chair WHERE id = ?", (chair,)).fetchone()
    run("SELECT active, is_provider FROM user WHERE id = ?", (provider,)).fetchone()
    color = run("SELECT color FROM appointment_type WHERE id = ?", (type_id,)).fetchone()[0]
    _check(run, chair, provider, patient, start, end, day_before, 0)
    row = {
        "title": "",
        "start": start,
        "end": end,
        "color": color,
        "kind": "visit",
        "status": "scheduled",
        "status_changed_at": at,
        "notes": "",
        "patient_id": patient,
        "chair_id": chair,
        "provider_id": provider,
        "type_id": type_id,
        "created_at": at,
        "updated_at": at,
        "row_version": 1,
    }
    event_id = run(
        'INSERT INTO event (title, start, "end", color, kind, status, status_changed_at, notes, patient_id, chair_id, '
        "provider_id, type_id, created_at, updated_at, row_version) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tuple(row.values()),
    ).lastrowid
    _trace(
        run,
        "event.create",
        event_id,
        patient,
        user_id,
        at,
        {name: [None, value] for name, value in row.items()},
    )
    run("COMMIT")


def _check(
    run: Any, chair: int, provider: int, patient: int, start: str, end: str, day_before: str, event_id: int
) -> None:
    span = (end, start, day_before, event_id)
    for query, holder in ((_OF_CHAIR, chair), (_OF_PROVIDER, provider), (_OF_PATIENT, patient)):
        if run(query, (holder, *span)).fetchall():
            run("ROLLBACK")
            raise RuntimeError("the slot is taken")


def _trace(run: Any, action: str, event_id: int, patient: int, user_id: int, at: str, columns: dict[str, Any]) -> None:
    entry = run(
        "INSERT INTO audit_entry (created_at, updated_at, actor_id, action, about_table, about_id, patient_id, origin, "
        "request_id, mac) VALUES (?, ?, ?, ?, 'event', ?, ?, '127.0.0.1', 'abcdef01', ?)",
        (at, at, user_id, action, str(event_id), patient, SEAL),
    ).lastrowid
    run(
        "INSERT INTO audit_change (created_at, updated_at, entry_id, table_name, row_id, patient_id, columns) "
        "VALUES (?, ?, ?, 'event', ?, ?, ?)",
        (at, at, entry, str(event_id), patient, json.dumps(columns)),
    )
    run("UPDATE calendar_revision SET number = number + 1, updated_at = ?", (at,))


_NAIVE = """
SELECT id, first_name, last_name, chart_no, date_of_birth FROM patient
WHERE deleted_at IS NULL AND status = 'active'
  AND (first_name LIKE ? OR last_name LIKE ? OR mobile_phone LIKE ? OR home_phone LIKE ?) ORDER BY last_name LIMIT 20"""


def naive_search(connection: Any, typed: str) -> list[Any]:
    """How a search is usually written."""
    return list(connection.execute(_NAIVE, (f"%{typed}%",) * 4))


def copy_and_sum(files: list[Path], folder: Path) -> str:
    """Every file into the folder, safe on the disk, and the SHA-256 of all of it: no backup costs less."""
    folder.mkdir()
    total = hashlib.sha256()
    for file in files:
        with file.open("rb") as source, (folder / file.name).open("wb") as target:
            while piece := source.read(CHUNK):
                total.update(piece)
                target.write(piece)
            target.flush()
            os.fsync(target.fileno())
    return total.hexdigest()
