"""However many pictures a clinic has: a backup and its restore go through a small machine's memory piece by piece."""

import hashlib
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config import ROOT, Config
from cpms import create_app
from cpms.backups import archive, queries
from cpms.core.db import db
from tests.drill import reached, times
from tests.property.conftest import ask_file

MB = 1024 * 1024
PICTURE = 10 * MB
PICTURES = times(20, 200)
LIMIT = 256  # MB
# The command itself, and then the most memory that it ever had: the kernel counts it for the process alone.
MEASURED = """
import atexit, re, runpy, sys
from pathlib import Path
def tell():
    print("peak", re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1], flush=True)
atexit.register(tell)
sys.argv = ["flask", "--app", "cpms", "cpms", *sys.argv[1:]]
runpy.run_module("flask", run_name="__main__")
"""


def peak(home: Path, *words: Any) -> float:
    """Run one of the server's commands on a clinic; the MB that it needed."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("CPMS_", "FLASK_"))}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, words)],
        cwd=ROOT,
        env=others | {"CPMS_INSTANCE": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout.split()[-1]) / 1024


@pytest.fixture
def home(template_db: Path, tmp_path: Path) -> Path:
    """A clinic with many pictures that nothing can compress."""
    assert shutil.disk_usage(tmp_path).free > 4 * PICTURES * PICTURE, "this needs room on the disk"
    place = tmp_path / "clinic"
    place.mkdir()
    shutil.copy(template_db, place / "clinic.db")
    shutil.copy(template_db.parent / "audit.key", place / "audit.key")
    for number in range(PICTURES):
        content = random.Random(number).randbytes(PICTURE)
        name = hashlib.sha256(content).hexdigest()
        (place / "media" / name[:2]).mkdir(parents=True, exist_ok=True)
        (place / "media" / name[:2] / f"{name}.png").write_bytes(content)
    return place


@pytest.mark.slow
def test_a_large_clinic_is_backed_up_and_restored_in_little_memory(home: Path, tmp_path: Path) -> None:
    pictures = sorted(path.name for path in home.rglob("*.png"))
    backing_up = peak(home, "backup")
    shutil.rmtree(home / "media")
    whole = download(home, tmp_path / "whole.tar")
    assert whole.stat().st_size > PICTURES * PICTURE
    shutil.rmtree(home)
    elsewhere = tmp_path / "new machine"
    restoring = peak(elsewhere, "restore", whole, "--yes")
    restored = sorted((elsewhere / "media").rglob("*.png"))
    assert [path.name for path in restored] == pictures
    for path in restored:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
    assert ask_file(elsewhere / "clinic.db", "SELECT count(*) FROM user") == [(4,)]
    shutil.rmtree(elsewhere)
    whole.unlink()
    assert backing_up < LIMIT
    assert restoring < LIMIT
    size = PICTURES * PICTURE // MB
    reached("Restore is quick", size, f"{restoring:.0f} MB of memory; the backup took {backing_up:.0f} MB")


def download(home: Path, target: Path) -> Path:
    """The newest backup with its pictures as one file, as its owner takes it away."""
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(home)}), TESTING=False)
    with app.app_context(), target.open("wb") as out:
        last = queries.last_good()
        assert last is not None
        for piece in archive.download(queries.folder() / last.file_name, queries.store(), None):
            out.write(piece)
        db.session.remove()
        db.engine.dispose()
    return target
