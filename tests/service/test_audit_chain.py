"""The trail is written once, and whoever changes it all the same, past the program, is found out."""

import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from cpms.audit import queries, rules
from cpms.audit.rules import Anchor, Verdict
from cpms.core import clock
from cpms.core.db import db, transaction
from cpms.core.errors import ConstraintBroken
from cpms.settings import services as settings
from tests.drill import reached

Sql = Callable[..., Any]


@pytest.fixture
def trail(ctx: Flask) -> Anchor:
    """Ten more entries, and the anchor of the last one."""
    for number in range(10):
        with transaction("settings.change", actor=None):
            settings.change_settings(phone=f"030 {number}")
    anchor = queries.head()
    assert anchor is not None
    return anchor


@pytest.fixture
def behind(ctx: Flask) -> Sql:
    """SQL by somebody who took the triggers away first."""

    def run(*statements: str) -> None:
        raw = db.session.connection().connection.dbapi_connection
        assert raw is not None
        db.session.rollback()
        raw.execute("PRAGMA query_only=0")
        for verb in ("update", "delete", "replace"):
            for table in ("audit_entry", "audit_change"):
                raw.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")
        raw.execute("PRAGMA foreign_keys=OFF")
        for statement in statements:
            raw.execute(statement)
        raw.execute("PRAGMA foreign_keys=ON")
        raw.execute("PRAGMA query_only=1")

    return run


def verdict(app: Flask, *anchors: Anchor) -> Verdict:
    return queries.verify(app.config["CPMS_AUDIT_KEY"], anchors)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor_id = 2 WHERE id = 3",
        "DELETE FROM audit_entry WHERE id = 3",
        "REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE id = 3",
        "UPDATE audit_change SET columns = '{}'",
        "DELETE FROM audit_change",
        "REPLACE INTO audit_change SELECT * FROM audit_change WHERE id = 3",
    ],
)
def test_the_database_refuses_to_change_what_was_written(trail: Anchor, ctx: Flask, statement: str) -> None:
    with pytest.raises(ConstraintBroken) as refused, transaction("test.tamper", actor=None):
        db.session.connection().exec_driver_sql(statement)
    assert refused.value.constraint == "the trail is written once"
    assert verdict(ctx, trail).is_whole


def test_an_untouched_trail_is_whole(trail: Anchor, ctx: Flask) -> None:
    found = verdict(ctx, trail)
    assert (found.is_whole, found.entries) == (True, trail.id)


@pytest.mark.parametrize(
    ("kind", "statements"),
    [
        ("changed", ["UPDATE audit_entry SET actor_id = 2 WHERE id = 5"]),
        ("changed values", ['UPDATE audit_change SET columns = \'{"phone": [null, "x"]}\' WHERE entry_id = 5']),
        ("deleted", ["DELETE FROM audit_change WHERE entry_id = 5", "DELETE FROM audit_entry WHERE id = 5"]),
        ("renumbered", ["UPDATE audit_entry SET id = id + 100 WHERE id >= 5"]),
        (
            "swapped",
            [
                "UPDATE audit_entry SET id = 900 WHERE id = 5",
                "UPDATE audit_entry SET id = 5 WHERE id = 6",
                "UPDATE audit_entry SET id = 6 WHERE id = 900",
            ],
        ),
        (
            "added",
            [
                "INSERT INTO audit_change (entry_id, table_name, row_id, columns, created_at, updated_at) "
                "SELECT 5, 'event', '1', '{}', created_at, updated_at FROM audit_entry WHERE id = 5",
            ],
        ),
        ("cut at its end", ["DELETE FROM audit_change WHERE entry_id > 8", "DELETE FROM audit_entry WHERE id > 8"]),
        ("emptied", ["DELETE FROM audit_change", "DELETE FROM audit_entry"]),
    ],
)
def test_tampering_is_found(trail: Anchor, ctx: Flask, behind: Sql, kind: str, statements: list[str]) -> None:
    behind(*statements)
    assert not verdict(ctx, trail).is_whole, kind
    reached("The trail can be trusted", 1)


def test_a_trail_written_anew_with_the_stolen_key_is_found_by_the_anchor(
    trail: Anchor, ctx: Flask, behind: Sql
) -> None:
    key, before, new = ctx.config["CPMS_AUDIT_KEY"], rules.FIRST, []
    for entry, changes in rules.in_pages(queries._page):
        forged = dict(entry) | ({"actor_id": 2} if entry["id"] == 5 else {})
        before = rules.seal(key, before, forged, changes)
        new.append(f"UPDATE audit_entry SET mac = '{before}' WHERE id = {entry['id']}")
    behind("UPDATE audit_entry SET actor_id = 2 WHERE id = 5", *new)
    assert verdict(ctx).is_whole, "the seals alone cannot tell"
    assert verdict(ctx, trail).lost == (trail,)


def test_another_key_fits_no_seal(trail: Anchor, ctx: Flask) -> None:
    assert len(queries.verify(b"another key of some length......").broken) == trail.id


def test_an_anchor_from_before_a_restore_is_excused_and_a_later_one_is_not(
    trail: Anchor, ctx: Flask, behind: Sql
) -> None:
    behind("DELETE FROM audit_change WHERE entry_id > 8", "DELETE FROM audit_entry WHERE id > 8")
    with clock.freeze(clock.now() + timedelta(hours=1)):
        with transaction(rules.RESTORE, actor=None, reason="from the backup of this morning"):
            pass
        assert verdict(ctx, trail).is_whole
        later = Anchor(trail.id, "5e" * 32, clock.now() + timedelta(minutes=1))
        assert verdict(ctx, trail, later).lost == (later,)


def test_the_seal_is_an_hmac_of_the_entry_and_of_the_seal_before(ctx: Flask) -> None:
    entry = {
        **dict.fromkeys(rules.SEALED),
        "id": 1,
        "action": "a.b",
        "created_at": clock.now(),
    }
    words = '["2026-09-01T07:00:00.000000+00:00", 1, null, "a.b", null, null, null, null, null, null, null, []]'
    assert rules.seal(b"k", "m", entry, []) == hmac.new(b"k", f"m\n{words}".encode(), "sha256").hexdigest()
