"""The clinics to measure with: made by the program's own demo builder, kept in a folder that git ignores."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import sqlcipher3.dbapi2 as sqlite
from sqlalchemy import Column, MetaData

from config import ROOT
from cpms.core.db import db

CACHE = ROOT / "bench" / ".cache"
AS_OF = date(2026, 9, 2)  # a Wednesday: the measured week has visits of every status
NOW = datetime(2026, 9, 2, 8, 30, tzinfo=UTC)
SEED = 1
# What decides about the rows: when one of these changes, the clinics are made anew.
_MAKERS = (
    "migrations/versions/*.py",
    "cpms/*/models.py",
    "cpms/setup/demo.py",
    "cpms/patients/rules.py",
    "cpms/core/text.py",
)


@dataclass(frozen=True, slots=True)
class Clinic:
    name: str
    patients: int
    events: int
    folder: Path
    digest: str

    @property
    def file(self) -> Path:
        return self.folder / "clinic.db"

    def copy(self, to: Path) -> "Clinic":
        """One to write in; the kept one stays as it was made."""
        to.mkdir(parents=True)
        for name in ("clinic.db", "secret.key"):
            shutil.copy(self.folder / name, to / name)
        return Clinic(self.name, self.patients, self.events, to, self.digest)


def clinic(name: str, patients: int, events: int) -> Clinic:
    """The clinic of that size, made now if it was not made before."""
    folder = CACHE / f"{name}-{patients}-{events}-{SEED}-{_makers()}"
    told = folder / "digest.json"
    if not told.exists():
        _make(folder, patients, events)
        told.write_text(json.dumps({"digest": digest(folder / "clinic.db")}))
    return Clinic(name, patients, events, folder, json.loads(told.read_text())["digest"])


def _makers() -> str:
    total = hashlib.sha256()
    for pattern in _MAKERS:
        for path in sorted(ROOT.glob(pattern)):
            total.update(path.read_bytes())
    return total.hexdigest()[:12]


def _make(folder: Path, patients: int, events: int) -> None:
    print(f"Making {patients:,} patients and {events:,} visits in {folder.relative_to(ROOT)}; this happens once …")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    words = [
        "--patients",
        str(patients),
        "--events",
        str(events),
        "--seed",
        str(SEED),
        "--as-of",
        AS_OF.isoformat(),
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CPMS_", "FLASK_"))}
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "cpms", "cpms", "demo", *words],
        cwd=ROOT,
        env=environment | {"CPMS_INSTANCE": str(folder)},
        check=True,
    )
    connection = sqlite.connect(str(folder / "clinic.db"))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _is_told(column: Column) -> bool:
    """A password's hash is salted, and the counter's row was made when the schema was: never twice the same."""
    return not column.info.get("secret") and str(column) != "calendar_revision.created_at"


def digest(file: Path, metadata: MetaData = db.metadata) -> str:
    """Of every row of every table."""
    total = hashlib.sha256()
    connection = sqlite.connect(f"file:{file}?mode=ro", uri=True)
    for table in metadata.sorted_tables:
        names = ", ".join(f'"{column.name}"' for column in table.columns if _is_told(column))
        for row in connection.execute(f'SELECT {names} FROM "{table.name}" ORDER BY rowid'):  # noqa: S608 - our own names
            total.update(repr(row).encode())
    connection.close()
    return total.hexdigest()[:16]
