"""The disk is full, or takes no writes, at whatever moment of long work or of a form: what is there stays whole,
nothing half-made bears a final name, the sentence is honest, and with room again all of it works."""

import hashlib
import random
import secrets
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from cpms.backups import archive, elsewhere, jobs, queries, restore, services
from cpms.backups.archive import Key
from cpms.backups.models import BackupKind
from cpms.core import files
from cpms.core.db import db, transaction
from cpms.core.errors import DomainError
from cpms.exchange import jobs as exchange
from cpms.settings import services as settings
from cpms.web.errors import sentence
from cpms.work import jobs as work
from cpms.work import queries as works
from cpms.work.models import State
from tests.conftest import PASSPHRASE, wait_for_work
from tests.drill import reached, times
from tests.make import Make
from tests.pages import Answer, Person
from tests.small_disk import SmallDisk, small_disk, without_the_rights_of_root
from tests.web.test_settings_clinic import form_of

MOMENTS = times(12, 100)
HONEST = ("disk is full", "cannot be written to", "takes no writes", "No space left", "Read-only")
UNSAID = "stopped in the middle, or its disk is full"  # what the page says of work that could not even say how it ended

Act = Callable[[], str]  # does it; the sentence when it did not work


@pytest.fixture
def home(app: Flask) -> Path:
    return Path(app.config["CPMS_INSTANCE"])


@pytest.fixture
def disk(app: Flask, home: Path, tmp_path: Path) -> Iterator[SmallDisk]:
    """The clinic's disk. It is well until a test says otherwise."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    with small_disk(home) as disk:
        yield disk
        disk.fresh()
        wait_for_work()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture(scope="session")
def locked_key() -> tuple[Key, bytes]:
    """Locked once: a passphrase is slow to try on purpose."""
    key = Key.new()
    return key, key.locked("seven quiet molars sing")


@pytest.fixture
def furnished(disk: SmallDisk, ctx: Flask, make: Make, locked_key: tuple[Key, bytes]) -> Key:
    """Patients, pictures, and a key for the backups."""
    for _ in range(20):
        make.patient(notes="x" * 2000)
    for number in range(3):
        picture(random.Random(number).randbytes(40_000))
    services.keep_key(*locked_key)
    with transaction("settings.change", actor=None):
        settings.change_settings(backup_key=locked_key[0].public)
    return locked_key[0]


def picture(content: bytes) -> None:
    name = hashlib.sha256(content).hexdigest()
    files.make_folder(queries.media() / name[:2])
    part = queries.media() / name[:2] / f"{name}.part"
    try:
        part.write_bytes(content)
        files.put_in_place(part, part.with_suffix(".png"))
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def told(task: work.Task) -> str:
    """Long work, and what its page says when it failed."""
    try:
        number = work.run("backups.manual", task)
    except (DomainError, OSError) as error:
        return sentence(error) if isinstance(error, DomainError) else str(error)
    finally:
        db.session.rollback()
    row = works.work(number or 0)
    if row.state is State.RUNNING:
        return UNSAID
    return row.message if row.state is State.FAILED else ""


def said(act: Callable[[], Any]) -> str:
    try:
        act()
    except (DomainError, OSError) as error:
        return work.words_of(error)
    finally:
        db.session.rollback()
    return ""


def back_up() -> str:
    picture_of_now = secrets.token_bytes(30_000)
    return said(lambda: picture(picture_of_now)) or told(jobs.make(BackupKind.MANUAL))


def prove_again() -> str:
    last = queries.last_good()
    assert last is not None
    return told(jobs.check_again(last.id))


def unpack() -> str:
    path = queries.folder() / "cpms-one.tar"
    home = queries.instance()
    stage = {"instance": home, "store": queries.store(), "progress": jobs._silent}
    words = said(lambda: restore.stage(path, services.key(), **stage))  # type: ignore[arg-type]
    assert restore.staged(home).exists() is (words == ""), "all of it or nothing"
    restore.change_over(home)  # nothing was begun: it only clears away
    return words


def export() -> str:
    target = queries.instance() / "all.zip"
    words = said(lambda: exchange.export(target))
    assert target.exists() is (words == "")
    if not words:
        with zipfile.ZipFile(target) as whole:
            assert whole.testzip() is None
        target.unlink()
    return words


def reserve() -> str:
    queries.reserve().unlink(missing_ok=True)  # else there is nothing to do
    words = said(jobs.keep_reserve)
    queries.reserve().unlink(missing_ok=True)
    return words


def change_wishes() -> str:
    def act() -> None:
        with transaction("settings.change", actor=None):
            settings.change_settings(address=secrets.token_hex(3000))

    return said(act)


LONG_WORK: list[Act] = [back_up, prove_again, unpack, export, reserve, change_wishes]


def when_it_hurts(grown: list[str]) -> list[int | str]:
    """The first growth of each kind of file, and moments anywhere."""
    return [*sorted(set(grown)), *range(0, len(grown), max(1, len(grown) // MOMENTS))]


@pytest.mark.parametrize("act", LONG_WORK, ids=lambda act: act.__name__)
def test_the_disk_fills_up_at_any_moment(disk: SmallDisk, furnished: Key, home: Path, act: Act) -> None:
    assert told(jobs.make(BackupKind.MANUAL)) == ""
    jobs.write(BackupKind.MANUAL, backup_id="one", name="cpms-one.tar", progress=jobs._silent)
    disk.fresh()
    assert act() == "", "there is room"
    sentences = []
    moments = when_it_hurts(disk.grown)
    for moment in moments:
        disk.fresh()
        disk.full_at = moment
        words = act()
        assert bool(words) is bool(disk.refused), moment
        if words:
            sentences.append(words)
        disk.fresh()
        look(home)
    assert len(sentences) > len(moments) // 4, "it was full indeed"
    assert [words for words in sentences if not honest(words)] == []
    assert act() == "", "and with room again it works"
    reached("A full disk is survivable", 1, f"{act.__name__}: full at {len(moments)} moments")


@pytest.mark.parametrize("act", LONG_WORK, ids=lambda act: act.__name__)
def test_the_disk_takes_no_writes(disk: SmallDisk, furnished: Key, home: Path, act: Act) -> None:
    assert told(jobs.make(BackupKind.MANUAL)) == ""
    jobs.write(BackupKind.MANUAL, backup_id="one", name="cpms-one.tar", progress=jobs._silent)
    queries.reserve().unlink(missing_ok=True)  # the backup may have made one
    disk.is_read_only = True
    words = act()
    disk.fresh()
    assert honest(words), words
    look(home)
    assert act() == ""
    reached("A full disk is survivable", 1)


def honest(words: str) -> bool:
    return any(each in words for each in HONEST)


def look(home: Path) -> None:
    """What must be true on every disk."""
    db.session.rollback()
    assert db.session.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    db.session.rollback()
    for path in (home / "backups").glob("cpms-*.tar"):
        content = archive.opened(path, services.key())  # raises when it is not whole
        for each in content.manifest.media:
            assert archive.in_store(queries.store(), each, services.key()).exists()
    left = [path for path in home.rglob("*") if path.name.endswith(".part") or path.name.startswith("scratch-")]
    assert left == [], "and nothing half-made takes the room that is missing"


@pytest.fixture
def stick(app: Flask, tmp_path: Path) -> Iterator[SmallDisk]:
    """The second place, on a disk of its own."""
    place = tmp_path / "stick"
    place.mkdir()
    with small_disk(place) as small:
        yield small


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_the_second_place_fills_up(stick: SmallDisk, ctx: Flask, make: Make, how: str) -> None:
    picture(b"a picture" * 4000)
    elsewhere.choose(str(stick.folder))
    with transaction("settings.change", actor=None):
        settings.change_settings(backup_target=str(stick.folder))
    assert told(jobs.make(BackupKind.MANUAL)) == ""
    picture(b"another" * 4000)
    stick.fresh()
    assert told(jobs.make(BackupKind.MANUAL)) == ""
    most = stick.most
    for moment in range(MOMENTS):
        stick.fresh()
        picture(secrets.token_bytes(28_000))
        stick.room, stick.is_read_only = most * moment // MOMENTS, how == "read-only"
        number = work.run("backups.manual", jobs.make(BackupKind.MANUAL))
        row = queries.backup(works.work(number or 0).result)
        assert row.is_good, "the backup itself"
        assert row.copied_at is None
        assert honest(row.target_error), row.target_error
        stick.fresh()
        for path in stick.folder.glob("cpms-*.tar"):
            archive.sum_of(path)
        assert list(stick.folder.rglob("*.part")) == []
        db.session.rollback()
    assert told(jobs.make(BackupKind.MANUAL)) == ""
    reached("A full disk is survivable", 1, f"second place {how}: {MOMENTS} times, the backups good")


Screen = Callable[[Person], tuple[int, str]]


def save_settings(olga: Person) -> tuple[int, str]:
    return answer(olga.post("/settings/clinic", **form_of(olga) | {"address": secrets.token_hex(40)}))


def encrypt(olga: Person) -> tuple[int, str]:
    words = "seven quiet molars sing"
    return answer(olga.post("/backups/key", passphrase=words, again=words, own_password=PASSPHRASE))


def take_all_along(olga: Person) -> tuple[int, str]:
    form = {"own_password": PASSPHRASE, "csrf_token": olga.csrf_token()}
    with olga.client.post("/exchange/export", data=form) as response:
        return response.status_code, "" if response.mimetype == "application/zip" else response.get_data(as_text=True)


def start_a_backup(olga: Person) -> tuple[int, str]:
    return answer(olga.post("/backups/make"))


def answer(got: Answer) -> tuple[int, str]:
    return got.status_code, got.page.text


@pytest.mark.parametrize("how", ["full", "read-only"])
@pytest.mark.parametrize("act", [save_settings, encrypt, take_all_along, start_a_backup])
def test_a_screen_says_so_and_nothing_is_stored(
    disk: SmallDisk, olga: Person, app: Flask, home: Path, act: Screen, how: str
) -> None:
    with app.app_context():
        before = db.session.connection().exec_driver_sql("SELECT * FROM setting").fetchall()
        db.session.remove()
    disk.fresh()
    disk.room, disk.is_read_only = 0 if how == "full" else float("inf"), how == "read-only"
    status, words = act(olga)
    disk.fresh()
    assert status == 503, words
    assert honest(words), words
    with app.app_context():
        assert db.session.connection().exec_driver_sql("SELECT * FROM setting").fetchall() == before
        db.session.remove()
        look(home)
        db.session.remove()
    assert not list(home.glob("backup.key*"))
    assert not list(home.glob("export-*"))
    assert act(olga)[0] in {200, 303}
    reached("A full disk is survivable", 1)


COMMANDS = [
    ["backup"],
    ["job", "audit.verify"],
    ["export", "clinic/all.zip"],
    ["export", "elsewhere/all.zip"],
    ["restore", "clinic/backups/cpms-one.tar", "--yes"],
    ["reset-password", "rita"],
    ["setup-link"],
    ["upgrade"],
]
WRITING = COMMANDS[:6]


@pytest.fixture
def command(app: Flask, home: Path, tmp_path: Path) -> Callable[[list[str]], Result]:
    """One of the server's commands; `clinic/` is its folder, `elsewhere/` one on a disk that is well."""

    def run(words: list[str]) -> Result:
        with app.app_context():
            db.session.remove()
        found = [each.replace("clinic/", f"{home}/").replace("elsewhere/", f"{tmp_path}/") for each in words]
        return app.test_cli_runner().invoke(args=["cpms", *found])

    return run


def only_sentence(result: Result) -> str:
    """What it says when it does not work: that alone, after the steps that went well."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    said = result.output.splitlines()
    assert [line for line in said if line.startswith("Error: ")] == said[-1:]
    return said[-1]


@pytest.mark.parametrize("how", ["full", "read-only"])
@pytest.mark.parametrize("words", WRITING, ids=" ".join)
def test_a_command_says_so_in_a_sentence(
    disk: SmallDisk,
    furnished: Key,
    home: Path,
    tmp_path: Path,
    command: Callable[[list[str]], Result],
    words: list[str],
    how: str,
) -> None:
    jobs.write(BackupKind.MANUAL, backup_id="one", name="cpms-one.tar", progress=jobs._silent)
    disk.fresh()
    disk.room, disk.is_read_only = 0 if how == "full" else float("inf"), how == "read-only"
    said = only_sentence(command(words))
    disk.fresh()
    assert honest(said), said
    look(home)
    assert [*home.glob("all.zip*"), *tmp_path.glob("all.zip*")] == [], "nor does anything leave without a trace"
    assert command(words).exit_code == 0
    (home / "all.zip").unlink(missing_ok=True)
    reached("A full disk is survivable", 1)


@pytest.mark.parametrize("moment", range(0, 40, 8))
def test_a_command_whose_end_cannot_be_written_has_not_worked(
    disk: SmallDisk, furnished: Key, command: Callable[[list[str]], Result], moment: int
) -> None:
    disk.fresh()
    disk.full_at = moment
    result = command(["backup"])
    assert result.exit_code == (1 if disk.refused else 0), result.output
    if disk.refused:
        assert honest(only_sentence(result)), result.output


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_damaged_database_is_said(
    ctx: Flask, home: Path, tmp_path: Path, command: Callable[[list[str]], Result], words: list[str]
) -> None:
    jobs.write(BackupKind.MANUAL, backup_id="one", name="cpms-one.tar", progress=jobs._silent)
    db.session.remove()
    db.engine.dispose()
    (home / "clinic.db").write_bytes(b"\xe5" * (home / "clinic.db").stat().st_size)
    assert "The clinic's database is damaged" in only_sentence(command(words))
    assert [*home.glob("all.zip*"), *tmp_path.glob("all.zip*")] == []


def missing(_path: Path) -> None:
    pass


def a_folder(path: Path) -> None:
    path.mkdir()


def forbidden(path: Path) -> None:
    path.touch(mode=0)


@pytest.mark.parametrize(
    ("make_it", "why"),
    [(missing, "No such file"), (a_folder, "Is a directory"), (forbidden, "Permission denied")],
)
def test_what_cannot_be_read_is_not_restored(
    app: Flask, tmp_path: Path, command: Callable[[list[str]], Result], make_it: Callable[[Path], None], why: str
) -> None:
    file = tmp_path / "cpms.tar"
    make_it(file)
    with without_the_rights_of_root():
        said = only_sentence(command(["restore", str(file), "--yes"]))
    assert f"{file} cannot be read: {why}" in said
