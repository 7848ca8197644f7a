"""Two hundred ways to spoil a backup: every one is noticed before anything of it is used."""

import hashlib
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from cpms.backups import archive, jobs, queries, services
from cpms.backups.archive import Key
from cpms.backups.models import BackupKind
from cpms.core.db import transaction
from cpms.core.errors import DomainError, Unhealthy
from cpms.core.files import CHUNK
from tests.drill import reached
from tests.make import Make

Spoil = Callable[[random.Random, Path, Path], None]


def flip_a_bit(rng: random.Random, path: Path, _store: Path) -> None:
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def cut_the_end(rng: random.Random, path: Path, _store: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content))])


def zero_a_sector(rng: random.Random, path: Path, _store: Path) -> None:
    content = bytearray(path.read_bytes())
    while True:
        start = rng.randrange(len(content) // 512) * 512
        if any(content[start : start + 512]):
            content[start : start + 512] = bytes(512)
            path.write_bytes(content)
            return


def append(rng: random.Random, path: Path, _store: Path) -> None:
    path.write_bytes(path.read_bytes() + rng.randbytes(rng.randrange(1, 2000)))


def lose_a_picture(rng: random.Random, _path: Path, store: Path) -> None:
    rng.choice(pictures(store)).unlink()


def spoil_a_picture(rng: random.Random, _path: Path, store: Path) -> None:
    flip_a_bit(rng, rng.choice(pictures(store)), store)


def swap_two_pictures(rng: random.Random, _path: Path, store: Path) -> None:
    one, two = rng.sample(pictures(store), 2)
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def empty_it(_rng: random.Random, path: Path, _store: Path) -> None:
    path.write_bytes(b"")


SPOILS: list[tuple[Spoil, int]] = [
    (flip_a_bit, 70),
    (cut_the_end, 40),
    (zero_a_sector, 30),
    (append, 10),
    (lose_a_picture, 10),
    (spoil_a_picture, 29),
    (swap_two_pictures, 10),
    (empty_it, 1),
]


def pictures(store: Path) -> list[Path]:
    return sorted(each for each in store.rglob("*") if each.is_file())


@pytest.fixture(params=["clear", "encrypted"])
def backup(request: pytest.FixtureRequest, ctx: Flask, make: Make) -> tuple[Path, Key | None]:
    key = Key.new() if request.param == "encrypted" else None
    if key:
        with transaction("backup.set_key", actor=None):
            services.set_key(key, "seven quiet molars sing")
    for _ in range(5):
        make.patient()
    for number in range(4):
        content = random.Random(number).randbytes(3000)
        name = hashlib.sha256(content).hexdigest()
        (queries.media() / name[:2]).mkdir(parents=True, exist_ok=True)
        (queries.media() / name[:2] / f"{name}.png").write_bytes(content)
    jobs.write(BackupKind.MANUAL, backup_id="one", name="cpms-one.tar", progress=jobs._silent)
    return queries.folder() / "cpms-one.tar", key


def test_every_fault_is_found(backup: tuple[Path, Key | None], tmp_path: Path) -> None:
    whole, key = backup
    archive.verify(whole, key, store=queries.store(), scratch=tmp_path, progress=jobs._silent)
    rng = random.Random(200)
    missed = []
    for spoil, times in SPOILS:
        for number in range(times // 2 if key is None else times - times // 2):
            path, store = tmp_path / "spoilt.tar", tmp_path / "store"
            shutil.copyfile(whole, path)
            shutil.copytree(queries.store(), store)
            spoil(rng, path, store)
            try:
                archive.verify(path, key, store=store, scratch=tmp_path, progress=jobs._silent)
            except (DomainError, Unhealthy):
                pass
            else:
                missed.append(f"{spoil.__name__} {number}")
            shutil.rmtree(store)
    assert missed == []
    tried = sum(times // 2 if key is None else times - times // 2 for _spoil, times in SPOILS)
    kind = "clear" if key is None else "encrypted"
    reached("A bad backup is noticed", tried, f"{tried} in {kind} backups")


def test_a_key_of_somebody_else_opens_nothing(backup: tuple[Path, Key | None], tmp_path: Path) -> None:
    whole, key = backup
    if key is None:
        return
    with pytest.raises(DomainError):
        archive.verify(whole, Key.new(), store=queries.store(), scratch=tmp_path, progress=jobs._silent)


def test_a_small_file_that_promises_a_mountain_is_refused(ctx: Flask, tmp_path: Path, make: Make) -> None:
    """A few kilobytes of zstd can unpack to gigabytes: not one byte more than the manifest says is written."""
    make.patient()
    jobs.write(BackupKind.MANUAL, backup_id="one", name="cpms-one.tar", progress=jobs._silent)
    content = archive.opened(queries.folder() / "cpms-one.tar", None)
    mountain = tmp_path / "mountain"
    with mountain.open("wb") as file:
        file.truncate(300 * CHUNK)
    bomb = archive.pack_database(mountain, tmp_path, None)
    archive.write(
        tmp_path / "bomb.tar",
        manifest=content.manifest,
        instance=content.instance,
        database=bomb,
        key=None,
        locked_key=None,
    )
    spoilt = archive.opened(tmp_path / "bomb.tar", None)
    with pytest.raises(DomainError):
        archive.unpack_database(tmp_path / "bomb.tar", spoilt, None, tmp_path / "out.db")
    assert not (tmp_path / "out.db").exists()
