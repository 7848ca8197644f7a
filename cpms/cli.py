"""`flask --app cpms cpms …`: commands for whoever looks after the server. They compose; the work is in the domains."""

import fcntl
import json
import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import IO, Any

import click
from flask import Flask, current_app, url_for
from flask.cli import AppGroup
from flask_migrate import upgrade as migrate
from sqlalchemy.exc import DBAPIError

from cpms import jobs
from cpms.audit import queries as audit
from cpms.auth import queries as auth
from cpms.auth import rules as auth_rules
from cpms.auth import services as auth_services
from cpms.backups import archive, candidate, restore
from cpms.backups import jobs as backups
from cpms.backups import services as backup_services
from cpms.backups.archive import Key, Opened
from cpms.backups.models import BackupKind
from cpms.core import clock, files, media
from cpms.core.db import db, in_our_words, newest_schema, present_schema, schemas, shorten_log, transaction
from cpms.core.errors import CannotWrite, DiskFull, DomainError, ReadOnly, Unhealthy
from cpms.exchange import jobs as exchange
from cpms.patients import queries as patients
from cpms.setup import demo as demo_clinic
from cpms.setup import services as setup
from cpms.web.errors import sentence
from cpms.work import jobs as work
from cpms.work import queries
from cpms.work.models import State
from cpms.xrays import intake
from cpms.xrays import services as xrays

log = logging.getLogger("cpms")
ASK_AGAIN = 300  # tenths of a second
_said: ContextVar[str] = ContextVar("said", default="")


class Commands(AppGroup):
    """Commands that say in a sentence what is in their way, whichever of them it is."""

    def invoke(self, ctx: click.Context) -> Any:
        with refused_in_words():
            return super().invoke(ctx)


group = Commands("cpms", help="Dental CPMS: prepare, look after, try out.")


def init_app(app: Flask) -> None:
    app.cli.add_command(group)


@group.command()
@click.option("--demo", is_flag=True, help="Fill an empty database with a demo clinic.")
def prepare(demo: bool) -> None:
    """Bring the database up to date, fill it if asked to, and say where to go."""
    bring_up_to_date()
    if demo and auth.nobody_yet():
        today = demo_clinic.day_of(now := clock.now())
        _fill(patients=400, events=2400, seed=1, as_of=today, now=now)
        _hang_films(seed=1, as_of=today)
    if demo:
        for username, role in demo_clinic.USERS:
            click.echo(f"  {username:<6} {role}")
        click.echo(f"  passphrase of all: {demo_clinic.PASSPHRASE}")
    else:
        say_where_to_go()


@group.command("setup-link")
def setup_link() -> None:
    """Print the address of the first-run page, while there is no user yet."""
    _say_setup_link()


@group.command()
def upgrade() -> None:
    """Bring the database up to date."""
    bring_up_to_date()


@group.command()
@click.option("--patients", default=400, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--events", default=2400, show_default=True, type=click.IntRange(0, 10_000_000))
@click.option("--seed", default=1, show_default=True)
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day that is today in the demo clinic.")
def demo(patients: int, events: int, seed: int, as_of: datetime | None) -> None:
    """Fill an empty database with a made-up clinic; the same numbers give the same clinic."""
    bring_up_to_date()
    if not auth.nobody_yet():
        raise click.ClickException("This database is in use. A demo clinic goes only into an empty one.")
    now = clock.now()
    day, hour = (as_of.date(), None) if as_of else (demo_clinic.day_of(now), now)
    _fill(patients=patients, events=events, seed=seed, as_of=day, now=hour)


@group.command()
@click.argument("name")
def job(name: str) -> None:
    """Run one of the nightly jobs now."""
    try:
        chosen = jobs.job(name)
    except KeyError:
        known = ", ".join(each.name for each in jobs.JOBS)
        raise click.ClickException(f"There is no job {name}. There are: {known}") from None
    _tell(work.run(chosen.name, chosen.task))


@group.command()
def backup() -> None:
    """Make a backup now and prove it."""
    _tell(work.run("backups.manual", backups.make(BackupKind.MANUAL)))


def _tell(work_id: int | None) -> None:
    """How the work ended; when that is bad, the command ends badly too."""
    assert work_id is not None  # only the work of a day can be done already
    row = queries.work(work_id)
    if row.state is not State.DONE:  # else still running: on a full disk not even its end can be written
        raise click.ClickException(row.message or "It did not end well: the server's disk is full or takes no writes.")
    click.echo(row.message or "Done.")


@group.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(file: Path) -> None:
    """Write all data into a ZIP of CSV files, readable without this program."""
    counts = exchange.export(file.absolute())
    try:
        with transaction("exchange.export", actor=None, reason=f"{sum(counts.values())} rows"):
            pass
    except CannotWrite:
        file.unlink(missing_ok=True)  # nothing leaves the clinic without a trace
        raise
    click.echo(f"{sum(counts.values())} rows of {len(counts)} tables are in {file}")


@group.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--passphrase-file", type=click.File(), help="Read the passphrase or the recovery key from a file.")
@click.option("--yes", is_flag=True, help="Do not ask for the clinic's name.")
def put_back(file: Path, passphrase_file: IO[str] | None, yes: bool) -> None:
    """Put the clinic back to a backup. The server must be stopped; what is there now is backed up first."""
    instance = Path(current_app.config["CPMS_INSTANCE"])
    _check_readable(file)
    with files.only_one(server_lock(instance)) as alone:
        if not alone:
            raise click.ClickException("The server is running. Stop it first, for example: sudo systemctl stop cpms")
        if db.engine.url.get_backend_name() != "sqlite":
            raise click.ClickException(
                "This clinic's database is not a file of this program; restore it with its own tools."
            )
        _settle_files(instance)
        key = _key_of(file, passphrase_file)
        content = archive.opened(file, key)
        _show(content)
        candidate.check_fits(content.manifest)
        if (
            not yes
            and click.prompt(f"Type the clinic's name to go on ({content.manifest.clinic})") != content.manifest.clinic
        ):
            raise click.ClickException("That is not its name. Nothing was changed.")
        if present_schema() is not None:  # else there is no clinic here yet
            click.echo(f"What was here is kept in {candidate.keep_what_is_there(_say_step)}")
        restore.stage(file, key, instance=instance, store=file.parent / "media", progress=_say_step)
        if key:
            restore.bring_key(instance, key, archive.locked_key(file) or b"")
        restore.begin(instance, content, file_name=file.name)
        _let_go_of_database()
        _settle_files(instance)
        settle_restore()
    ended = restore.last(instance)
    assert ended is not None
    if ended.why:
        raise click.ClickException(f"The backup could not be put back; the clinic is as it was. {ended.why}")
    click.echo("The clinic is as it was in the backup. Everybody signs in again.")


def server_lock(instance: Path) -> Path:
    """Held together by every process that serves the clinic, and alone by whoever replaces its files."""
    return instance / "server.lock"


def begin_to_serve(instance: Path) -> IO[str]:
    """Before the database is opened: end what a restore left to do with the files, then hold the server's lock together
    with the other processes. A server that starts again for a restore waits for its old processes to end."""
    waited = 0
    while (journal := restore.under_way(instance)) and journal.step is not restore.Step.PLACED:
        with files.only_one(server_lock(instance)) as alone:
            if alone:
                restore.change_over(instance)
            else:
                time.sleep(0.1)
                waited += 1
        if waited == ASK_AGAIN:  # whoever began it died before it could say so to the others
            start_again()
    held = files.hold_together(server_lock(instance))
    if held is None:
        raise SystemExit("Cannot start: a backup is being put back. Please wait until that is over.")
    return held


def start_again() -> None:
    """Have all processes of the server replaced by new ones; requests that come meanwhile wait."""
    if os.getppid() > 1:
        os.kill(os.getppid(), signal.SIGHUP)


def _check_readable(file: Path) -> None:
    try:
        with file.open("rb") as content:
            content.read(1)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}.") from None


def _key_of(file: Path, passphrase_file: IO[str] | None) -> Key | None:
    """What opens the backup: this machine's key, else a passphrase or the recovery key."""
    archive.sum_of(file)  # what is wrong with a file of another kind is said first
    if not archive.read_header(file).encrypted:
        return None
    if passphrase_file is None and (ours := backup_services.key()):
        return ours
    text = (
        passphrase_file.read().strip()
        if passphrase_file
        else click.prompt("Passphrase or recovery key", hide_input=True)
    )
    return Key.of(file, text)


def _show(content: Opened) -> None:
    manifest = content.manifest
    click.echo(f"Clinic:   {manifest.clinic}")
    click.echo(f"Made:     {manifest.when.astimezone():%Y-%m-%d %H:%M}, {manifest.kind}, version {manifest.app}")
    click.echo(
        f"Holds:    {manifest.counts.get('patient', 0)} patients, {manifest.counts.get('event', 0)} calendar entries"
    )
    click.echo(f"Pictures: {len(manifest.media)}")


def _say_step(words: str, _done: int = 0, _total: int = 0) -> None:
    if words != _said.get():
        _said.set(words)
        click.echo(f"{words}…")


def _let_go_of_database() -> None:
    db.session.remove()
    db.engine.dispose()


def _settle_files(instance: Path) -> None:
    """The first half of a restore that was begun: the files. Nobody may have the database open."""
    journal = restore.change_over(instance)
    if journal is None:
        return
    current_app.config["CPMS_AUDIT_KEY"] = (instance / "audit.key").read_bytes()


def settle_restore() -> None:
    """The second half of a restore that was begun: the program starts on the backup's data, or all goes back."""
    instance = Path(current_app.config["CPMS_INSTANCE"])
    journal = restore.under_way(instance)
    if journal is not None and journal.step is not restore.Step.PLACED:  # a command, run before the server could
        with files.only_one(server_lock(instance)) as alone:
            if not alone:
                raise Unhealthy("A backup is being put back. Start the server: it goes on with it.")
            _let_go_of_database()
            _settle_files(instance)
        journal = restore.under_way(instance)
    if journal is None:
        return
    try:
        if present_schema() != newest_schema():
            migrate()
            db.session.remove()
        candidate.complete(journal)
    except Exception as problem:
        log.exception("the restore of %s failed", journal.file_name)
        _let_go_of_database()
        restore.give_up(instance, journal, why=work.words_of(problem) or str(problem) or type(problem).__name__)
        current_app.config["CPMS_AUDIT_KEY"] = (instance / "audit.key").read_bytes()
    else:
        _adopt()  # those that are younger than the restored clinic, the safety backup among them


def _adopt() -> None:
    """The history of backups is no reason for a server not to start."""
    try:
        backups.adopt()
    except Exception:
        log.exception("backups of the folder could not be entered into the history")


@group.group("audit")
def audit_group() -> None:
    """The trail of who did what."""


@audit_group.command("verify")
def verify_trail() -> None:
    """Read the whole trail and say whether anybody changed it."""
    verdict = audit.verify(current_app.config["CPMS_AUDIT_KEY"], backups.anchors())
    click.echo(backups.trail_in_words(verdict))
    if not verdict.is_whole:
        raise SystemExit(1)


@group.command("try-out", hidden=True)
def try_out() -> None:
    """For the drill: bring a restored clinic up to date, open it, and say what is there."""
    bring_up_to_date()
    answer = current_app.test_client().get("/healthz")
    if answer.status_code != 200:
        raise click.ClickException("The restored clinic does not answer.")
    for hit in patients.listing().rows[:1]:
        patients.chart(hit.id)
    verdict = audit.verify(current_app.config["CPMS_AUDIT_KEY"])
    click.echo(json.dumps({"patients": patients.how_many_ever(), "trail_is_whole": verdict.is_whole}))


@group.command("reset-password")
@click.argument("username")
def reset_password(username: str) -> None:
    """Give somebody a new one-time password, when nobody else can any more."""
    user = auth.user_named(username)
    if user is None:
        raise click.ClickException(f"There is no user {username}.")
    one_time = auth_rules.one_time_password()
    password_hash = auth_services.hash_password(one_time)
    with transaction("user.reset_password", actor=None, about=user):
        auth_services.reset_password(user, password_hash)
    click.echo(f"One-time password of {username}: {one_time}")


@contextmanager
def refused_in_words() -> Iterator[None]:
    """What was foreseen as a sentence; what was not keeps its traceback."""
    try:
        yield
    except (DomainError, Unhealthy, OSError, DBAPIError) as error:
        words = _words(error)
        if not words:
            raise
        raise click.ClickException(words) from None


def _words(error: Exception) -> str:
    ours = in_our_words(error)
    if isinstance(ours, DomainError) and not isinstance(ours, DiskFull | ReadOnly):
        return sentence(ours)
    if words := work.words_of(ours):
        return words
    return f"{ours.filename}: {ours.strerror}." if isinstance(ours, OSError) and ours.filename else ""


def bring_up_to_date() -> None:
    """Migrate to the newest schema, one process at a time; a database that holds data is copied aside first."""
    with Path(current_app.config["CPMS_INSTANCE"], "upgrade.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        settle_restore()
        instance = Path(current_app.config["CPMS_INSTANCE"])  # another process may have put another clinic there
        current_app.config["CPMS_AUDIT_KEY"] = (instance / "audit.key").read_bytes()
        _bring_up_to_date()
        shorten_log()  # now nobody is there yet


def say_where_to_go() -> None:
    click.echo(f"Dental CPMS: {current_app.config['CPMS_ADDRESS']}")
    _say_setup_link()


def _bring_up_to_date() -> None:
    present = present_schema()
    if present == newest_schema():
        return
    if present is not None:
        if present not in schemas():
            raise Unhealthy("This database was written by a newer version of the program. Please install that one.")
        _copy_aside()
    migrate()
    db.session.remove()
    if present is not None:
        backups.adopt()


def _copy_aside() -> None:
    """A proven backup before the upgrade; it enters the history once the new schema is there."""
    backup_id, name = backups.new_name(BackupKind.BEFORE_UPGRADE)
    backups.write(BackupKind.BEFORE_UPGRADE, backup_id=backup_id, name=name, progress=_say_step)
    click.echo(f"The clinic was backed up before its upgrade: {name}")


def _fill(*, patients: int, events: int, seed: int, as_of: date, now: datetime | None) -> None:
    # Written early on that day, so that the same numbers give the same rows, dates of writing included.
    with clock.freeze(datetime.combine(as_of, time_of_day(6), UTC)), transaction("demo.fill", actor=None):
        demo_clinic.fill(patients=patients, events=events, seed=seed, as_of=as_of, now=now)


def _hang_films(*, seed: int, as_of: date) -> None:
    """The demo clinic's pictures, looked at and kept as if somebody had brought them in."""
    by = auth.user_named("ada")
    for patient_id, name, content, given in list(demo_clinic.films(seed=seed, as_of=as_of)):
        file = media.incoming() / name
        file.write_bytes(content)
        read = intake.read(file, name)
        try:
            with intake.keeping(read), transaction("xray.create", actor=by):
                xrays.attach(patients.patient(patient_id), read, by=by, **given)
        finally:
            intake.discard(read)


def _say_setup_link() -> None:
    token = setup.open_door()
    if token:
        with current_app.test_request_context():
            path = url_for("setup.first_run", token=token)
        address = current_app.config["CPMS_ADDRESS"].rstrip("/")
        click.echo(f"\nThis clinic is new. Open this address once to set it up:\n\n  {address}{path}\n")
