"""Everything that the clinic wrote, as files that any program reads: its data is its own, also when it leaves."""

import csv
import io
import json
import shutil
import uuid
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Table

from cpms.audit import words
from cpms.backups import queries as backups
from cpms.core import clock
from cpms.core.db import Actor, transaction
from cpms.core.errors import Refused
from cpms.core.files import make_folder, put_in_place
from cpms.exchange import queries
from cpms.settings import queries as settings
from cpms.work.jobs import Outcome, Progress, Task
from cpms.xrays import queries as xrays

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet program would run


WORK = "exchange.export"
KEPT_FOR = timedelta(days=1)
ROOM = 64 * 1024 * 1024  # bytes that stay free
_STAMP = "%Y%m%dT%H%M%S"  # when it was written, in its name


@dataclass(frozen=True, slots=True)
class Export:
    """A finished export, waiting to be downloaded."""

    file: Path
    at: datetime
    size: int


def _folder() -> Path:
    return backups.instance() / "exports"


def ready() -> Export | None:
    """The newest export, if there is one that is not too old."""
    found = [
        Export(file, datetime.strptime(file.name.partition("-")[0], _STAMP).replace(tzinfo=UTC), file.stat().st_size)
        for file in _folder().glob("*-*.zip")
    ]
    fresh = [each for each in found if clock.now() - each.at < KEPT_FOR]
    return max(fresh, key=lambda each: each.at, default=None)


def forget_old() -> None:
    """An export is all charts in clear text: it does not lie about."""
    keep = ready()
    for file in _folder().glob("*"):
        if keep is None or file != keep.file:
            file.unlink()


def _check_room() -> None:
    """The export lies beside the clinic's data for a day: it must leave room to work."""
    media, database = backups.media(), backups.instance().glob("clinic.db*")
    need = sum(file.stat().st_size for file in [*media.rglob("*"), *database] if file.is_file()) + ROOM
    free = shutil.disk_usage(backups.instance()).free
    if free < need:
        raise Refused(
            _(
                "There is no room for the export: it needs %(need)d MB, %(free)d MB are free.",
                need=need >> 20,
                free=free >> 20,
            )
        )


def write_export(actor: Actor | None) -> Task:
    """Write it behind a screen, in the place of an older one."""

    def task(progress: Progress) -> Outcome:
        _check_room()
        make_folder(_folder())
        for older in _folder().glob("*"):
            older.unlink()
        counts = export(_folder() / f"{clock.now():{_STAMP}}-{uuid.uuid4().hex}.zip", progress=progress)
        rows = sum(counts.values())
        with transaction("exchange.export", actor=actor, reason=_("%(n)d rows", n=rows)):
            pass
        return Outcome(_("The export is ready."))

    return task


def _silent(_words: str, _done: int = 0, _total: int = 0) -> None:
    """For an export that nobody watches."""


def export(target: Path, *, progress: Callable[[str, int, int], None] = _silent) -> dict[str, int]:
    """Write the ZIP, whole or not at all, in the same memory however much there is; how many rows each table has."""
    part = target.with_name(target.name + ".part")
    counts = {}
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            tables = queries.tables()
            for number, table in enumerate(tables):
                progress(_("Writing the tables"), number, len(tables))
                counts[table.name] = _write_table(archive, table)
            archive.writestr("README.txt", _readme(counts))
            media, endings = backups.media(), xrays.endings()
            files = [file for file in sorted(media.rglob("*")) if file.is_file()]
            for number, file in enumerate(files):
                progress(_("Copying the pictures"), number, len(files))
                inside = f"media/{file.relative_to(media).as_posix()}{endings.get(file.name, '')}"
                archive.write(file, inside, compress_type=zipfile.ZIP_STORED)  # pictures are packed already
        put_in_place(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return counts


def _write_table(archive: zipfile.ZipFile, table: Table) -> int:
    number = 0
    with archive.open(f"{table.name}.csv", "w", force_zip64=True) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(column.key for column in queries.columns(table))
        for row in queries.rows(table):
            writer.writerow(_cells(row))
            number += 1
        text.flush()
        text.detach()
    return number


def _cells(row: Iterable[Any]) -> Iterable[str]:
    for value in row:
        text = _text(value)
        yield f"'{text}" if text.startswith(FORMULA) and isinstance(value, str) else text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _readme(counts: dict[str, int]) -> str:
    """What is in the tables, for somebody who has never seen this program."""
    lines = [
        _("All data of %(clinic)s, written on %(day)s.", clinic=settings.current().clinic_name, day=clock.today()),
        "",
        _("Each table is a CSV file: UTF-8, commas, the first line names the columns."),
        _("Columns that end in _id hold the id of a row of another table. Times that end in +00:00 are UTC; those of"),
        _("event.start and event.end are the clinic's wall clock. A cell beginning with ' would have been a formula."),
        _("Pictures lie in the folder media, under the SHA-256 of their content."),
    ]
    for table in queries.tables():
        lines += ["", f"{table.name}.csv ({counts[table.name]})"]
        labels = words.LABELS.get(table.name, {})
        lines += [
            f"  {column.key}" + (f": {labels[column.key]}" if column.key in labels else "")
            for column in queries.columns(table)
        ]
    return "\n".join(lines) + "\n"
