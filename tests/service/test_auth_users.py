"""Users come, change and leave; somebody always holds the keys."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from cpms.audit import queries as audit
from cpms.auth import queries, services
from cpms.auth.models import User
from cpms.core.db import db, transaction
from cpms.core.errors import ConstraintBroken, Refused, Stale
from cpms.core.permissions import Role
from cpms.core.text import fold_name
from tests.conftest import PASSWORD_HASH


def named(username: str) -> User:
    user = queries.user_named(username)
    assert user is not None
    return user


def columns(user: User, **changes: Any) -> dict[str, Any]:
    names = ("username", "email", "display_name", "role", "color", "is_provider")
    return {name: getattr(user, name) for name in names} | changes


@contextmanager
def writing(action: str = "test.write", **more: Any) -> Iterator[None]:
    with transaction(action, actor=None, **more):
        yield


def newcomer(**changes: Any) -> dict[str, Any]:
    return {
        "username": "nina",
        "email": "nina@example.org",
        "display_name": "Nina New",
        "role": Role.ASSISTANT,
        "password_hash": PASSWORD_HASH,
    } | changes


def demote(user: User) -> None:
    services.update_user(user, seen=user.row_version, **columns(user, role=Role.DENTIST))


@pytest.mark.parametrize("way", [demote, services.deactivate])
def test_the_last_owner_stays(ctx: Flask, way: Callable[[User], None]) -> None:
    with pytest.raises(Refused), writing():
        way(named("olga"))
    olga = named("olga")
    assert (olga.role, olga.active) == (Role.OWNER, True)


@pytest.mark.parametrize("way", [demote, services.deactivate])
def test_an_owner_who_left_is_nobody_to_rely_on(ctx: Flask, way: Callable[[User], None]) -> None:
    with writing():
        demote_to_owner = columns(named("ada"), role=Role.OWNER)
        services.update_user(named("ada"), seen=named("ada").row_version, **demote_to_owner)
    with writing():
        services.deactivate(named("ada"))
    with pytest.raises(Refused), writing():
        way(named("olga"))


@pytest.mark.parametrize("way", [demote, services.deactivate])
def test_with_a_second_owner_the_first_may_go(ctx: Flask, way: Callable[[User], None]) -> None:
    with writing():
        services.update_user(named("ada"), seen=named("ada").row_version, **columns(named("ada"), role=Role.OWNER))
    with writing():
        way(named("olga"))
    assert [owner.username for owner in queries.active_owners()] == ["ada"]


@pytest.mark.parametrize("username", ["olga", "OLGA", " Olga "])
def test_a_user_name_is_given_once_in_upper_and_lower_case(ctx: Flask, username: str) -> None:
    with pytest.raises(Refused) as refusal, writing():
        services.create_user(**newcomer(username=username))
    assert refusal.value.field == "username"


def test_an_email_is_given_once_in_upper_and_lower_case(ctx: Flask) -> None:
    with pytest.raises(Refused) as refusal, writing():
        services.create_user(**newcomer(email="Olga@Example.ORG"))
    assert refusal.value.field == "email"


def test_a_turkish_i_makes_no_second_name(ctx: Flask) -> None:
    with writing():
        services.create_user(**newcomer(username="ISIL"))
    with pytest.raises(Refused), writing():
        services.create_user(**newcomer(username="ısıl", email="other@example.org"))


def test_the_database_itself_refuses_a_second_name(ctx: Flask) -> None:
    with pytest.raises(ConstraintBroken), writing():
        db.session.add(
            User(
                username="Olga",
                username_key=fold_name("Olga"),
                email="x@example.org",
                email_key="x@example.org",
                display_name="X",
                role=Role.DENTIST,
                password_hash=PASSWORD_HASH,
            )
        )


def test_the_trail_says_who_was_made_and_never_the_password(ctx: Flask) -> None:
    with writing("user.create"):
        nina = services.create_user(**newcomer())
    entry = audit.entries(limit=1)[0]
    change = audit.changes_of(entry.id)[0]
    assert (entry.action, change.table_name, change.row_id) == ("user.create", "user", str(nina.id))
    assert change.columns["role"] == [None, "assistant"]
    assert "argon2" not in str(change.columns)


def test_the_second_of_two_editors_is_told(ctx: Flask) -> None:
    seen = named("ada").row_version
    with writing():
        services.update_user(named("ada"), seen=seen, **columns(named("ada"), display_name="Dr Ada Keller"))
    with pytest.raises(Stale), writing():
        services.update_user(named("ada"), seen=seen, **columns(named("ada"), color="#112233"))
    assert (named("ada").display_name, named("ada").color) == ("Dr Ada Keller", "#0f766e")


def test_signing_in_makes_nobodys_open_form_stale(ctx: Flask) -> None:
    seen = named("ada").row_version
    with writing():
        services.open_session(named("ada"), fitting=PASSWORD_HASH, ip="", device="")
    assert named("ada").last_login_at is not None
    with writing():
        services.update_user(named("ada"), seen=seen, **columns(named("ada"), color="#112233"))
    assert named("ada").row_version == seen + 1


def test_a_password_that_changed_meanwhile_opens_no_session(ctx: Flask) -> None:
    with writing():
        services.reset_password(named("ada"), services.hash_password("another one, quite long"))
    with pytest.raises(services.Conflict), writing():
        services.open_session(named("ada"), fitting=PASSWORD_HASH, ip="", device="")


def test_a_hash_of_weaker_days_is_made_anew(ctx: Flask) -> None:
    weak = services.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("blue kettle walks sideways")
    with writing():
        named("ada").password_hash = weak
    fresh = services.fresher_hash(named("ada"), "blue kettle walks sideways")
    assert fresh is not None and fresh.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert services.fresher_hash(named("olga"), "whatever") is None


def test_a_password_fits_however_its_letters_are_composed(ctx: Flask) -> None:
    with writing():
        named("ada").password_hash = services.hash_password("\u015feker gibi bir parola")
    assert services.password_fits(named("ada"), "s\u0327eker gibi bir parola")
    assert not services.password_fits(named("ada"), "seker gibi bir parola")


def test_two_hundred_signs_count_to_the_last(ctx: Flask) -> None:
    password = "".join(chr(0x4E00 + n) for n in range(200))
    with writing():
        named("ada").password_hash = services.hash_password(password)
    assert services.password_fits(named("ada"), password)
    assert not services.password_fits(named("ada"), password[:-1] + "x")


def test_old_sessions_and_counters_are_forgotten_at_night(ctx: Flask) -> None:
    from datetime import timedelta

    from cpms.auth import jobs
    from cpms.core import clock

    with writing():
        token = services.open_session(named("ada"), fitting=PASSWORD_HASH, ip="", device="")
        services.count_try(["name:x"])
    now = clock.now()
    with clock.freeze(now + timedelta(days=29)):
        jobs.forget_sessions()
        assert queries.session_with(token) is not None
        assert queries.attempt("name:x") is not None
    with clock.freeze(now + timedelta(days=31)):
        jobs.forget_sessions()
        assert queries.session_with(token) is None
        assert queries.attempt("name:x") is None
