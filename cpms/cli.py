"""`flask --app cpms cpms …`: commands for whoever looks after the server. They compose; the work is in the domains."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path

import click
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app, url_for
from flask.cli import AppGroup
from flask_migrate import upgrade as migrate

from cpms import jobs
from cpms.audit import queries as audit
from cpms.auth import queries as auth
from cpms.auth import rules as auth_rules
from cpms.auth import services as auth_services
from cpms.backups import jobs as backups
from cpms.backups.models import BackupKind
from cpms.core import clock
from cpms.core.db import copy_database, db, transaction
from cpms.core.errors import DomainError, Unhealthy
from cpms.patients import queries as patients
from cpms.setup import demo as demo_clinic
from cpms.setup import services as setup
from cpms.work import jobs as work
from cpms.work import queries
from cpms.work.models import State

group = AppGroup("cpms", help="Dental CPMS: prepare, look after, try out.")


def init_app(app: Flask) -> None:
    app.cli.add_command(group)


@group.command()
@click.option("--demo", is_flag=True, help="Fill an empty database with a demo clinic.")
def prepare(demo: bool) -> None:
    """Bring the database up to date, fill it if asked to, and say where to go."""
    bring_up_to_date()
    if demo and auth.nobody_yet():
        _fill(patients=400, events=2400, seed=1, as_of=clock.today())
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
    _fill(patients=patients, events=events, seed=seed, as_of=as_of.date() if as_of else clock.today())


@group.command()
@click.argument("name")
def job(name: str) -> None:
    """Run one of the nightly jobs now."""
    try:
        chosen = jobs.job(name)
    except KeyError:
        known = ", ".join(each.name for each in jobs.JOBS)
        raise click.ClickException(f"There is no job {name}. There are: {known}") from None
    with refused_in_words():
        work_id = work.run(chosen.name, chosen.task)
    row = queries.work(work_id)
    click.echo(row.message or "Done.")
    if row.state is State.FAILED:
        raise SystemExit(1)


@group.command()
def backup() -> None:
    """Make a backup now and prove it."""
    with refused_in_words():
        work_id = work.run("backups.manual", backups.make(BackupKind.MANUAL))
    row = queries.work(work_id)
    click.echo(row.message)
    if row.state is State.FAILED:
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
    try:
        yield
    except DomainError as error:
        raise click.ClickException(str(error)) from None


def bring_up_to_date() -> None:
    """Migrate to the newest schema, one process at a time; a database that holds data is copied aside first."""
    with Path(current_app.config["CPMS_INSTANCE"], "upgrade.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _bring_up_to_date()


def say_where_to_go() -> None:
    click.echo(f"Dental CPMS: {current_app.config['CPMS_ADDRESS']}")
    _say_setup_link()


def _bring_up_to_date() -> None:
    script = ScriptDirectory(current_app.extensions["migrate"].directory)
    with db.engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    if present == script.get_current_head():
        return
    if present is not None:
        if present not in {revision.revision for revision in script.walk_revisions()}:
            raise Unhealthy("This database was written by a newer version of the program. Please install that one.")
        _copy_aside(present)
    migrate()
    db.session.remove()


def _copy_aside(revision: str) -> None:
    folder = Path(current_app.config["CPMS_INSTANCE"], "backups")
    folder.mkdir(mode=0o700, exist_ok=True)
    copy = folder / f"before-upgrade-{revision}-{clock.now():%Y%m%d%H%M%S}.db"
    copy_database(copy)
    click.echo(f"The database was copied to {copy} before its upgrade.")


def _fill(*, patients: int, events: int, seed: int, as_of: date) -> None:
    # Written early on that day, so that the same numbers give the same rows, dates of writing included.
    with clock.freeze(datetime.combine(as_of, time(6), UTC)), transaction("demo.fill", actor=None):
        demo_clinic.fill(patients=patients, events=events, seed=seed, as_of=as_of)


def _say_setup_link() -> None:
    token = setup.open_door()
    if token:
        with current_app.test_request_context():
            path = url_for("setup.first_run", token=token)
        address = current_app.config["CPMS_ADDRESS"].rstrip("/")
        click.echo(f"\nThis clinic is new. Open this address once to set it up:\n\n  {address}{path}\n")
