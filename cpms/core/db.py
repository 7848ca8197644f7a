"""The database: one door for writes, and the only module (with the migrations) that knows which engine it is.

A write happens inside `transaction(...)` and nowhere else. On SQLite that block says BEGIN IMMEDIATE, so what it reads
is current and nobody slips between a check and its write; outside it the connection is `query_only`, so a page that
writes is an error by construction. On another engine the same block is an ordinary transaction and constraints carry
the rest.
"""

import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import sqlalchemy as sa
import sqlcipher3.dbapi2
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    MetaData,
    Select,
    Text,
    and_,
    bindparam,
    event,
    or_,
    select,
)
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, ORMExecuteState, Session
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import ConnectionPoolEntry

from cpms.core.columns import SoftDeletable
from cpms.core.errors import (
    Busy,
    ConstraintBroken,
    DiskFull,
    DomainError,
    OnHold,
    ReadOnly,
    Stale,
    Unhealthy,
    WriteOutsideTransaction,
)
from cpms.core.files import put_in_place

LOCK_WAIT_SECONDS = 10

SQLITE_PRAGMAS = (
    "journal_mode=WAL",  # readers never wait for the writer
    "synchronous=FULL",  # an acknowledged commit survives a power cut
    "foreign_keys=ON",
    f"busy_timeout={LOCK_WAIT_SECONDS * 1000}",
    "journal_size_limit=67108864",
    "wal_autocheckpoint=1000",
    "trusted_schema=OFF",
    "recursive_triggers=ON",  # REPLACE must not slip past a delete trigger
    "cell_size_check=ON",
    "temp_store=MEMORY",
    "cache_size=-16384",
)

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)


db = SQLAlchemy(model_class=Base, disable_autonaming=True)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


@event.listens_for(db.Model, "attribute_instrument", propagate=True)
def _keep_old_values(_class: type[Any], _key: str, attribute: Any) -> None:
    """A value set before it was read would leave no old value for the trail; listening makes the ORM load it.

    On `db.Model`, which takes the place of Base: no table inherits from Base itself.
    """

    @event.listens_for(attribute, "set", active_history=True)
    def _set(_target: Any, _value: Any, _old: Any, _initiator: Any) -> None:
        pass


class Actor(Protocol):
    """Whoever writes: a signed-in person. Jobs and commands write as nobody."""

    @property
    def id(self) -> int: ...


@dataclass(slots=True)
class Writing:
    """The write that is open now; the recorder reads it during the flush."""

    action: str
    actor_id: int | None
    about: Any
    reason: str | None
    undoes: int | None = None  # the entry of the trail that it takes back
    entry_id: int | None = None  # its own entry in the trail, known once it is stored
    changes: list[dict[str, Any]] = field(default_factory=list)


_writing: ContextVar[Writing | None] = ContextVar("writing", default=None)
_forgetting: list[Callable[[], None]] = []  # what is kept for a request and may be old inside and after a write
_holding: list[Callable[[], bool]] = []  # what says that nothing may be written now
_noting: list[Callable[[str, int, Model], bool]] = []  # what knows of a look that stands in the trail
_through: ContextVar[bool] = ContextVar("through", default=False)
_turn = threading.Lock()  # writers of one process queue here: SQLite's own waiting is neither fair nor quick


def writing() -> Writing | None:
    """The open write of this context, or None."""
    return _writing.get()


@contextmanager
def transaction(
    action: str,
    *,
    actor: Actor | None,
    about: Model | None = None,
    reason: str | None = None,
    undoes: int | None = None,
) -> Iterator[Writing]:
    """Open the one write of this request. `action` names it in the audit log; `about` is recorded even without changes.

    Afterwards the write knows its `entry_id`, by which it can be taken back.

    Raises OnHold while the clinic's files are replaced, Busy when the lock does not come free, DiskFull or ReadOnly
    when the disk takes no more, Stale when a row was changed by somebody else meanwhile and ConstraintBroken when the
    database refuses; then nothing was stored.
    """
    if _writing.get() is not None:
        raise RuntimeError("transactions do not nest: services never open one")
    session = db.session()
    if session.new or session.dirty or session.deleted:
        raise WriteOutsideTransaction(action)
    if not _turn.acquire(timeout=LOCK_WAIT_SECONDS):
        raise Busy
    write = Writing(action, actor.id if actor else None, about, reason, undoes)
    token = _writing.set(write)
    try:
        session.rollback()  # forget the read snapshot; loaded rows refresh on next touch
        _forget()
        session.connection()  # takes the write lock now, not at the first INSERT
        if not _through.get() and any(is_held() for is_held in _holding):
            raise OnHold
        yield write
        session.commit()
    except BaseException as error:
        session.rollback()
        ours = in_our_words(error)
        if ours is error:
            raise
        raise ours from error
    finally:
        _writing.reset(token)
        _turn.release()
        _forget()


def look(action: str, *, actor: Actor, about: Model) -> None:
    """Leave a trace that somebody looks at something. One stands for all looks of its person at its thing for a while;
    meanwhile nothing is written and no lock is taken. Raises what `transaction` raises: no trace, no look."""
    if _is_noted(action, actor.id, about):
        return
    with transaction(action, actor=actor, about=about) as write:
        if _is_noted(action, actor.id, about):  # the same page asks for several pictures at once
            write.about = None


def _is_noted(action: str, actor_id: int, about: Model) -> bool:
    return any(knows(action, actor_id, about) for knows in _noting)


def spare_looks_when(is_noted: Callable[[str, int, Model], bool]) -> None:
    """Have looks leave no further trace while `is_noted(action, actor's id, what is looked at)`."""
    if is_noted not in _noting:
        _noting.append(is_noted)


def fresh_read() -> None:
    """Let go of what this context has read: the next query sees what is stored then. Long reads do it again and
    again, else the write-ahead log can only grow meanwhile."""
    if _writing.get() is not None:
        raise RuntimeError("a write reads one state of the database")
    db.session.rollback()


def forget_at_writes(forget: Callable[[], None]) -> None:
    """Have `forget` called when a write begins and when it ended: what a request keeps may be old by then."""
    if forget not in _forgetting:
        _forgetting.append(forget)


def hold_writes_while(is_held: Callable[[], bool]) -> None:
    """Refuse every write while `is_held()` says so. It is asked when the write has its lock: who sees the hold and then
    makes a write `through_the_hold` knows that all earlier ones are stored."""
    if is_held not in _holding:
        _holding.append(is_held)


@contextmanager
def through_the_hold() -> Iterator[None]:
    """For the work that holds the writes: what it tells about itself goes through."""
    token = _through.set(True)
    try:
        yield
    finally:
        _through.reset(token)


def _forget() -> None:
    for each in _forgetting:
        each()


_TROUBLE: dict[str, type[DomainError]] = {
    "locked": Busy,
    "is full": DiskFull,
    "readonly database": ReadOnly,
    "unable to open": ReadOnly,
    "disk I/O error": ReadOnly,
}
_DAMAGED = (
    "The clinic's database is damaged. Stop the server, move the files whose names begin with clinic.db to another "
    "folder, and put back the newest backup: ./cpms.sh manage restore FILE"
)


def in_our_words(error: BaseException) -> BaseException:
    """What the database's own words mean for a clinic; an error that we do not know stays what it is."""
    if isinstance(error, StaleDataError):
        return Stale()
    if isinstance(error, IntegrityError):
        return ConstraintBroken(_constraint(str(error.orig)))
    if isinstance(error, OperationalError | sqlcipher3.dbapi2.OperationalError):
        said = str(getattr(error, "orig", error))
        return next((ours() for words, ours in _TROUBLE.items() if words in said), error)
    if isinstance(error, DatabaseError | sqlcipher3.dbapi2.DatabaseError):
        said = str(getattr(error, "orig", error))
        return Unhealthy(_DAMAGED) if any(words in said for words in ("malformed", "not a database")) else error
    return error


def _constraint(words: str) -> str:
    """The name of the rule in the engine's message: `UNIQUE constraint failed: user.email` gives `user.email`."""
    found = re.search(r"constraint failed: (.+)$|constraint \"(\w+)\"", words)
    return next((part for part in found.groups() if part), words) if found else words


@event.listens_for(Session, "before_flush")
def _no_stray_writes(session: Session, _context: Any, _instances: Any) -> None:
    if _writing.get() is None and (session.new or session.dirty or session.deleted):
        raise WriteOutsideTransaction("a row changed with no transaction open")
    if any(isinstance(row, SoftDeletable) for row in session.deleted):
        raise WriteOutsideTransaction("what a person typed is never removed: set deleted_at")


@event.listens_for(Session, "do_orm_execute")
def _no_bulk_changes(state: ORMExecuteState) -> None:
    if state.is_update or state.is_delete or state.is_insert:
        raise WriteOutsideTransaction("bulk changes leave no trace: change the rows one by one")


def init_app(app: Flask) -> None:
    """Bind the database to the application and make its connections safe."""
    uri = app.config["SQLALCHEMY_DATABASE_URI"]
    options: dict[str, Any] = {"hide_parameters": True}  # an error must not print patients' data
    if uri.startswith("sqlite"):
        options |= {"module": sqlcipher3.dbapi2, "pool_size": 12, "max_overflow": 8}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options | app.config.get("SQLALCHEMY_ENGINE_OPTIONS", {})
    db.init_app(app)
    if uri.startswith("sqlite"):
        _refuse_broken_sqlite()
        with app.app_context():
            configure_sqlite(db.engine)


def _refuse_broken_sqlite() -> None:
    """SQLite 3.7.0 to 3.51.2 can lose acknowledged rows (WAL reset); 3.50.7 and 3.44.6 carry the mend."""
    version = sqlcipher3.dbapi2.sqlite_version_info
    mended_in = {(3, 50): (3, 50, 7), (3, 44): (3, 44, 6)}.get(version[:2], (3, 51, 3))
    if version < mended_in:
        raise Unhealthy(
            f"This SQLite library ({sqlcipher3.dbapi2.sqlite_version}) can lose stored rows. "
            "Install the locked dependencies."
        )


def configure_sqlite(engine: Engine) -> None:
    """Pragmas on each new connection, and our own BEGIN."""

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN; the driver's own habit skips it for SELECT
        for pragma in SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        wanted = "0" if _writing.get() is not None or connection.info.get("migrating") else "1"
        if connection.info.get("query_only") != wanted:
            connection.exec_driver_sql(f"PRAGMA query_only={wanted}")
            connection.info["query_only"] = wanted
        connection.exec_driver_sql("BEGIN IMMEDIATE" if wanted == "0" else "BEGIN")


def shorten_log(*, longer_than: int = 0, wait_ms: int = 200) -> None:
    """Bring what the write-ahead log holds into the database and empty the log, if it has more bytes than that and
    nobody reads or writes for a moment.

    SQLite starts its log anew only when no reader is in it. Where requests overlap all day that never happens, and the
    start after a power cut has to read all of it. Whatever goes wrong here is no reason to stop: the log is whole.
    """
    file = db.engine.url.database
    if not is_sqlite() or file is None:
        return
    log = Path(f"{file}-wal")
    if not log.exists() or log.stat().st_size <= longer_than:
        return
    fresh_read()  # what this context has read would be a reader, too
    with db.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.execute(f"PRAGMA busy_timeout={wait_ms}")
        try:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlcipher3.dbapi2.Error:
            logging.getLogger("cpms").warning("the log of the database could not be shortened", exc_info=True)
        finally:
            raw.execute(f"PRAGMA busy_timeout={LOCK_WAIT_SECONDS * 1000}")


def is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def containing(
    column: InstrumentedAttribute[str], groups: Sequence[int], *, among: Sequence[ColumnElement[bool]]
) -> Select[int]:
    """The ids of rows whose text holds, of every group of phrases, at least one; `groups` says how many each has.

    The statement can be kept: phrases and the most rows are parameters, see `phrase_parameters`. On SQLite the text
    has an index of its own by three letters, the table `<table>_search`, which knows no shorter phrase.
    """
    look = _containing_by_index if is_sqlite() else _containing_by_like
    return look(column, groups, among).limit(bindparam("most", type_=Integer))


def containing_any_number(
    column: InstrumentedAttribute[str], phrases: Sequence[Sequence[str]], *, among: Sequence[ColumnElement[bool]]
) -> Select[int]:
    """The same without a limit, as a part of another statement: the phrases are in it."""
    values = phrase_parameters(phrases, most=0)
    look = _containing_by_index if is_sqlite() else _containing_by_like
    groups = tuple(map(len, phrases))
    return look(column, groups, among, lambda name: bindparam(name, values[name], type_=Text, unique=True))


def _asked(name: str) -> BindParameter[str]:
    return bindparam(name, type_=Text)


Bind = Callable[[str], BindParameter[str]]


def phrase_parameters(phrases: Sequence[Sequence[str]], *, most: int) -> dict[str, Any]:
    """What `containing` looks for, and how many rows at most."""
    return {"most": most} | (_index_parameters if is_sqlite() else _like_parameters)(phrases)


def _containing_by_index(
    column: InstrumentedAttribute[str],
    _groups: Sequence[int],
    among: Sequence[ColumnElement[bool]],
    bind: Bind = _asked,
) -> Select[int]:
    """`among` is asked of the index's hits one by one, in a subquery: joined, SQLite may read the whole table first."""
    table = column.class_.__table__
    name = f"{table.name}_search"
    index = sa.table(name, sa.column("rowid", Integer), sa.column(name, Text))
    fits = select(and_(*among)).where(table.c.id == index.c.rowid).correlate(index).scalar_subquery()
    return select(index.c.rowid).where(index.c[name].op("MATCH")(bind("wanted")), fits)


def _index_parameters(phrases: Sequence[Sequence[str]]) -> dict[str, str]:
    return {"wanted": " AND ".join("(" + " OR ".join(map(_quoted, group)) + ")" for group in phrases)}


def _quoted(phrase: str) -> str:
    return '"' + phrase.replace('"', '""') + '"'


def _containing_by_like(
    column: InstrumentedAttribute[str], groups: Sequence[int], among: Sequence[ColumnElement[bool]], bind: Bind = _asked
) -> Select[int]:
    holds = (
        or_(*(column.contains(bind(f"phrase_{g}_{n}"), escape="/") for n in range(size)))
        for g, size in enumerate(groups)
    )
    return select(column.class_.__table__.c.id).where(*among, *holds).correlate(None)


def _like_parameters(phrases: Sequence[Sequence[str]]) -> dict[str, str]:
    return {f"phrase_{g}_{n}": _escaped(phrase) for g, group in enumerate(phrases) for n, phrase in enumerate(group)}


def _escaped(phrase: str) -> str:
    return re.sub(r"([%_/])", r"/\1", phrase)


def schemas() -> list[str]:
    """Every schema that this program has had, the newest first."""
    return [each.revision for each in _migrations().walk_revisions()]


def newest_schema() -> str | None:
    return _migrations().get_current_head()


def present_schema() -> str | None:
    """The schema of the database as it is; None in an empty one."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _migrations() -> ScriptDirectory:
    return ScriptDirectory(current_app.extensions["migrate"].directory)


@dataclass(frozen=True, slots=True)
class Examined:
    """What a database file holds."""

    schema: str  # the newest migration that it went through
    counts: dict[str, int]  # {table: rows}


def examine(path: Path) -> Examined:
    """Look through a database file that nobody has open. Raises Unhealthy when it is damaged."""
    with reading(path) as ask:
        try:
            verdict = ask("PRAGMA integrity_check")[0][0]
            loose = ask("PRAGMA foreign_key_check")
            names = [
                name
                for (name,) in ask("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
                if not (name.startswith(("sqlite_", "alembic_")) or "_search" in name)
            ]
            counts = {name: ask(f'SELECT count(*) FROM "{name}"')[0][0] for name in names}  # noqa: S608 - its own names
            schema = ask("SELECT version_num FROM alembic_version")
        except sqlcipher3.dbapi2.DatabaseError as error:
            raise Unhealthy(f"The copy of the database cannot be read ({error}). Nothing was changed.") from None
    if verdict != "ok" or loose:
        problem = verdict if verdict != "ok" else f"{len(loose)} broken references"
        raise Unhealthy(f"The copy of the database is not whole ({problem}). Nothing was changed.")
    return Examined(schema[0][0] if schema else "", counts)


def copy_database(target: Path) -> Examined:
    """A copy of the database as one file: consistent, looked through, and safe on the disk before it gets its name.

    Raises Unhealthy when the copy is not whole, DiskFull or ReadOnly when it cannot be written; then there is no file
    at `target`.
    """
    part = target.with_suffix(".part")
    part.unlink(missing_ok=True)
    try:
        with db.engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            assert raw is not None
            raw.execute("PRAGMA query_only=0")  # it forbids writing another file as well
            connection.info["query_only"] = "0"
            raw.execute("VACUUM INTO ?", (str(part),))
        examined = examine(part)
        put_in_place(part, target)
    except BaseException as error:
        part.unlink(missing_ok=True)
        ours = in_our_words(error)
        if ours is error:
            raise
        raise ours from error
    return examined


@contextmanager
def reading(path: Path) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """Ask a finished database file, which nobody writes to: `ask("SELECT …")`."""
    copy = sqlcipher3.dbapi2.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)
    try:
        copy.execute("PRAGMA trusted_schema=OFF")
        yield lambda statement: copy.execute(statement).fetchall()
    finally:
        copy.close()


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """A connection that may change the schema, in one transaction.

    SQLite's foreign keys rest meanwhile, else rebuilding a table would delete the rows that point at it; they are
    checked before the commit, and the commit does not happen when one is broken.
    """
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            with connection.begin():
                yield connection
            return
        raw = connection.connection.dbapi_connection
        assert raw is not None
        connection.info["migrating"] = True
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
                    raise Unhealthy(f"The migration would break {len(broken)} references; nothing was changed.")
        finally:
            connection.info.pop("migrating")
            raw.execute("PRAGMA foreign_keys=ON")
