"""The first-run page: once, by whoever has the printed link."""

import shutil
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade

from config import Config
from cpms import create_app
from cpms.audit import queries as audit
from cpms.auth import queries as auth
from cpms.calendar import queries as calendar
from cpms.core import clock
from cpms.core.db import db, transaction
from cpms.core.errors import Conflict, ConstraintBroken
from cpms.core.permissions import Role
from cpms.settings import queries as settings
from cpms.settings.models import Setting
from cpms.setup import services
from tests.conftest import NOW, PASSWORD_HASH
from tests.pages import Person

PASSWORD = "blue kettle walks sideways"
ANSWERS: dict[str, Any] = {
    "clinic_name": "Hill Street Dental",
    "time_zone": "Europe/Istanbul",
    "display_name": "Olga Owner",
    "username": "olga",
    "email": "olga@example.org",
    "password": PASSWORD,
    "again": PASSWORD,
    "is_provider": "y",
    "open_0": "y",
    "opens_0": "08:30",
    "closes_0": "17:00",
}


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(folder)}))
    with app.app_context():
        upgrade()
        db.session.connection().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.session.remove()
        db.engine.dispose()
    return folder / "clinic.db"


@pytest.fixture
def new_clinic(empty_database: Path, tmp_path: Path) -> Iterator[Flask]:
    shutil.copy(empty_database, tmp_path / "clinic.db")
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(tmp_path)}))
    with clock.freeze(NOW):
        yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def link(new_clinic: Flask) -> str:
    with new_clinic.app_context():
        return f"/setup/{services.open_door()}"


@pytest.fixture
def visitor(new_clinic: Flask) -> Person:
    return Person(new_clinic.test_client())


def test_olga_sets_the_clinic_up_and_is_at_work(visitor: Person, link: str, new_clinic: Flask) -> None:
    page = visitor.get(link).page
    assert page.one("h1").get_text() == "Set up the clinic"
    assert page.value("opens_0") == "08:00"
    answer = visitor.post(link, **ANSWERS)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert visitor.get("/auth/users").status_code == 200
    with new_clinic.app_context():
        clinic = settings.current()
        assert (clinic.clinic_name, clinic.time_zone, clinic.is_demo) == (
            "Hill Street Dental",
            "Europe/Istanbul",
            False,
        )
        assert [bool(hours) for hours in clinic.opening] == [True] + [False] * 6
        olga = auth.user_named("OLGA")
        assert olga is not None
        assert (olga.role, olga.active, olga.is_provider, olga.must_change_password) == (Role.OWNER, True, True, False)
        assert olga.password_hash.startswith("$argon2id$")
        assert (len(calendar.chairs()), len(calendar.types())) == (2, 6)
        entry = audit.entries(limit=1)[0]
        assert entry.action == "setup.finish"
        assert {"user", "setting", "chair"} <= {change.table_name for change in audit.changes_of(entry.id)}
        assert not Path(new_clinic.config["CPMS_INSTANCE"], "setup.token").exists()


def test_an_owner_who_treats_nobody_reads_what_is_missing(visitor: Person, link: str) -> None:
    visitor.post(link, **(ANSWERS | {"is_provider": ""}))
    for address in ("/calendar/day/2026-09-01?by=provider", "/calendar/free", "/hours/"):
        main = visitor.get(address).page.one("main")
        assert "Nobody takes visits yet" in main.get_text() and main.select_one('a[href="/auth/users"]'), address
        assert "No free time until" not in main.get_text() and "no chairs in use" not in main.get_text()
    assert "Nobody takes visits yet" in visitor.get("/calendar/events/new").page.one("#provider_id-hint").get_text()
    assert not visitor.get("/calendar/events/new?kind=block").page.has("#provider_id-hint")
    assert "setup_done" not in visitor.get("/audit/").page.text


def test_with_the_tick_there_is_something_to_look_at(visitor: Person, link: str, new_clinic: Flask) -> None:
    assert visitor.post(link, **ANSWERS, with_demo="y").status_code == 303
    with new_clinic.app_context():
        assert settings.current().is_demo
        assert settings.current().clinic_name == "Hill Street Dental"
        assert len(auth.users()) > 3


def test_the_door_opens_once(visitor: Person, link: str, new_clinic: Flask) -> None:
    visitor.post(link, **ANSWERS)
    other = Person(new_clinic.test_client())
    assert other.get(link).headers["Location"] == "/login"
    again = other.post(link, **(ANSWERS | {"username": "eve", "email": "eve@example.org"}))
    assert again.headers["Location"] == "/login"
    with new_clinic.app_context():
        assert [user.username for user in auth.users()] == ["olga"]
        assert services.open_door() is None


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "ş"])
def test_a_guessed_link_is_not_found(visitor: Person, link: str, new_clinic: Flask, token: str) -> None:
    assert visitor.get(f"/setup/{token}").status_code == 404
    assert visitor.post(f"/setup/{token}", **ANSWERS).status_code == 404
    with new_clinic.app_context():
        assert auth.nobody_yet()


def test_nothing_opens_before_a_link_was_printed(visitor: Person) -> None:
    assert visitor.get("/setup/" + "a" * 43).status_code == 404


def test_the_link_stays_the_same_and_only_this_user_can_read_it(new_clinic: Flask) -> None:
    with new_clinic.app_context():
        token = services.open_door()
        assert token == services.open_door()
        assert token is not None and len(token) >= 43
    path = Path(new_clinic.config["CPMS_INSTANCE"], "setup.token")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.glob("setup.token*")] == ["setup.token"]


def test_eight_starts_at_once_print_one_link(new_clinic: Flask) -> None:
    def start(_: int) -> str | None:
        with new_clinic.app_context():
            return services.open_door()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(start, range(8)))) == 1


def test_the_sign_in_page_of_an_empty_clinic_shows_the_way_and_no_token(visitor: Person, link: str) -> None:
    page = visitor.get("/login").page
    assert "printed a link" in page.text
    assert link.rsplit("/", 1)[1] not in page.html
    assert not page.has("form")


def test_twenty_at_once_make_one_owner(link: str, new_clinic: Flask) -> None:
    people = [Person(new_clinic.test_client()) for _ in range(20)]
    for person in people:
        person.get(link)

    def answer(number: int) -> str:
        form = ANSWERS | {"username": f"olga{number}", "email": f"olga{number}@example.org"}
        return people[number].post(link, **form).headers["Location"]

    with ThreadPoolExecutor(20) as pool:
        places = list(pool.map(answer, range(20)))
    assert sorted(places) == ["/"] + ["/login"] * 19
    with new_clinic.app_context():
        assert len(auth.users()) == 1
        assert len(calendar.chairs()) == 2


def test_the_database_itself_refuses_a_second_set_up(link: str, visitor: Person, new_clinic: Flask) -> None:
    visitor.post(link, **ANSWERS)
    owner = {"display_name": "Eve", "username": "eve", "email": "eve@example.org"}
    with new_clinic.app_context():
        with pytest.raises(Conflict), transaction("setup.finish", actor=None):
            services.finish(clinic={}, owner=owner, password_hash=PASSWORD_HASH, with_demo=False)
        with pytest.raises(ConstraintBroken), transaction("setup.finish", actor=None):
            db.session.add(Setting(key=services.DONE, value="again"))
        assert len(auth.users()) == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("clinic_name", "", "Please give the clinic's name."),
        ("time_zone", "Mars/Olympus", "Please choose from the list."),
        ("display_name", " ", "Please give your name."),
        ("username", "o", "At least two letters"),
        ("email", "olga", "Please give a whole e-mail address"),
        ("password", "", "Please give a password."),
        ("password", "short", "not the same"),
        ("again", "another password, long", "not the same"),
        ("closes_0", "08:00", "The clinic closes after it opens."),
    ],
)
def test_bad_input_is_kept_and_explained(
    visitor: Person, link: str, new_clinic: Flask, field: str, value: str, words: str
) -> None:
    form = ANSWERS | {field: value}
    answer = visitor.post(link, **form)
    assert answer.status_code == 422
    said = "again" if (field, value) == ("password", "short") else field
    assert words in answer.page.error(said)
    for name in ("clinic_name", "display_name", "username", "email", "opens_0", "closes_0"):
        assert answer.page.value(name) == form[name].strip()
    assert answer.page.value("password") == answer.page.value("again") == ""
    assert answer.page.one('[name="open_0"]').has_attr("checked")
    assert not answer.page.one('[name="open_1"]').has_attr("checked")
    with new_clinic.app_context():
        assert auth.nobody_yet()
        assert calendar.chairs() == []


@pytest.mark.parametrize("password", ["too short", "Hill Street Dental 1", "olga owner olga owner", "1234567890123456"])
def test_a_weak_password_is_refused(visitor: Person, link: str, new_clinic: Flask, password: str) -> None:
    answer = visitor.post(link, **(ANSWERS | {"password": password, "again": password}))
    assert answer.status_code == 422
    assert answer.page.error("password")
    with new_clinic.app_context():
        assert auth.nobody_yet()


def test_a_field_that_is_not_on_the_page_is_refused(visitor: Person, link: str) -> None:
    assert visitor.post(link, **ANSWERS, role="owner").status_code == 400
