"""Signing in, staying in, and getting out."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher
from flask import Flask

from cpms.audit.models import AuditEntry
from cpms.auth import queries, services
from cpms.core import clock
from cpms.core.db import transaction
from tests.conftest import NOW, PASSPHRASE
from tests.pages import Answer, Person

WRONG = "this is not the passphrase"


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every password hash that argon2 computes for a comparison; it computes them as ever."""
    computed: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, stored: str, password: str) -> bool:
        computed.append(stored)
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    yield computed


@pytest.fixture
def browser(app: Flask) -> Callable[[], Person]:
    return lambda: Person(app.test_client())


def sign_in(person: Person, username: str, password: str = PASSPHRASE, **fields: str) -> Answer:
    return person.post("/login", username=username, password=password, **fields)


def is_in(person: Person) -> bool:
    return person.get("/auth/profile").status_code == 200


def later(**by: float) -> datetime:
    return NOW + timedelta(**by)


def test_rita_signs_in_and_goes_on_to_where_she_wanted(outsider: Person, last_audit: Callable[[], AuditEntry]) -> None:
    asked = outsider.get("/auth/profile?x=1")
    assert asked.status_code == 302
    assert asked.headers["Location"] == "/login?next=/auth/profile?x%3D1"
    page = outsider.get("/login", next="/auth/profile?x=1").page
    answer = sign_in(outsider, "Rita", next=page.value("next"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/profile?x=1")
    assert is_in(outsider)
    entry = last_audit()
    assert (entry.action, entry.about_table, entry.origin) == ("auth.sign_in", "user", "127.0.0.1")
    assert entry.actor_id == int(entry.about_id or 0)


def test_without_a_place_to_go_the_home_page_follows(outsider: Person) -> None:
    assert sign_in(outsider, "rita").headers["Location"] == "/"
    assert outsider.get("/login").headers["Location"] == "/"


@pytest.mark.parametrize("url", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:x"])
def test_nobody_is_sent_elsewhere(outsider: Person, url: str) -> None:
    assert sign_in(outsider, "rita", next=url).headers["Location"] == "/"
    assert outsider.get("/login", next=url).headers["Location"] == "/"


@pytest.mark.parametrize("username", ["rita", "nobody-of-that-name", "gone"])
def test_a_wrong_try_tells_nothing_about_names(app: Flask, outsider: Person, username: str) -> None:
    with app.app_context(), transaction("test.write", actor=None):
        gone = queries.user_named("hugo")
        assert gone is not None
        gone.username, gone.username_key, gone.active = "gone", "gone", False
    answer = sign_in(outsider, username, WRONG)
    assert answer.status_code == 422
    assert answer.page.one(".alert").get_text(" ", strip=True) == (
        "This user name and this password do not belong together. Please try again."
    )
    assert answer.page.value("username") == username
    assert answer.page.value("password") == ""
    assert WRONG not in answer.html


@pytest.mark.parametrize("username", ["rita", "nobody-of-that-name"])
def test_a_hash_is_computed_for_names_that_nobody_has_too(outsider: Person, hashes: list[str], username: str) -> None:
    sign_in(outsider, username, WRONG)
    assert len(hashes) == 1
    assert hashes[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("username", ["rita", "nobody-of-that-name"])
def test_a_wrong_try_is_recorded_without_what_was_typed(
    app: Flask, outsider: Person, last_audit: Callable[[], AuditEntry], username: str
) -> None:
    sign_in(outsider, username, WRONG)
    entry = last_audit()
    assert (entry.action, entry.actor_id) == ("auth.sign_in_failed", None)
    assert entry.reason == ("wrong password" if username == "rita" else "no such user name")
    assert (entry.about_id is not None) == (username == "rita")


def test_what_is_missing_is_said_beside_the_field(outsider: Person) -> None:
    answer = sign_in(outsider, "", "")
    assert answer.status_code == 422
    assert answer.page.error("username") == "Please give your user name."
    assert answer.page.error("password") == "Please give your password."


def test_a_field_that_is_not_on_the_page_is_refused(outsider: Person) -> None:
    assert sign_in(outsider, "rita", role="owner").status_code == 400


def test_the_token_of_the_page_is_needed(outsider: Person) -> None:
    answer = outsider.client.post("/login", data={"username": "rita", "password": PASSPHRASE})
    assert answer.status_code == 400


def test_the_cookie_is_closed_to_scripts_and_other_sites(outsider: Person) -> None:
    flags = {part.strip() for part in sign_in(outsider, "rita").headers["Set-Cookie"].split(";")[1:]}
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= flags
    assert not any(flag.startswith(("Expires", "Max-Age", "Domain")) for flag in flags)


def test_over_https_the_cookie_belongs_to_this_host_alone(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "SESSION_COOKIE_NAME", "__Host-sid")
    monkeypatch.setitem(app.config, "SESSION_COOKIE_SECURE", True)
    answer = app.test_client().get("/login", base_url="https://localhost")
    assert answer.headers["Set-Cookie"].startswith("__Host-sid=")
    assert "; Secure" in answer.headers["Set-Cookie"]
    assert "Domain" not in answer.headers["Set-Cookie"]


def test_the_database_holds_nothing_that_opens_a_session(app: Flask, outsider: Person) -> None:
    sign_in(outsider, "rita")
    with outsider.client.session_transaction() as session:
        token = session["_user_id"]
    with app.app_context():
        row = queries.session_with(token)
        assert row is not None
        assert row.token_hash != token and len(row.token_hash) == 64
        assert len(token) >= 43  # 256 bits
    thief = Person(app.test_client())
    with thief.client.session_transaction() as session:
        session["_user_id"] = row.token_hash
    assert not is_in(thief)


def test_signing_in_gives_a_new_session_and_ends_the_old_one(rita: Person, app: Flask) -> None:
    with rita.client.session_transaction() as session:
        old = session["_user_id"]
    sign_in(rita, "rita")
    with rita.client.session_transaction() as session:
        assert session["_user_id"] != old
    thief = Person(app.test_client())
    with thief.client.session_transaction() as session:
        session["_user_id"] = old
    assert thief.get("/auth/profile").status_code == 302


def test_a_changed_cookie_opens_nothing(rita: Person) -> None:
    cookie = rita.client.get_cookie("sid")
    assert cookie is not None
    rita.client.set_cookie("sid", cookie.value[:-2] + "xx")
    assert rita.get("/auth/profile").status_code == 302


def test_signing_out_ends_the_session_and_clears_the_browser(
    rita: Person, app: Flask, last_audit: Callable[[], AuditEntry]
) -> None:
    copy = Person(app.test_client())
    with rita.client.session_transaction() as session, copy.client.session_transaction() as other:
        other.update(session)
    answer = rita.post("/logout")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert last_audit().action == "auth.sign_out"
    assert rita.get("/auth/profile").status_code == 302
    assert copy.get("/auth/profile").status_code == 302
    assert rita.get("/login").page.value("username") == ""


def test_a_session_lasts_twelve_hours_at_most(rita: Person) -> None:
    for minutes in range(0, 12 * 60, 10):
        with clock.freeze(later(minutes=minutes)):
            assert is_in(rita), minutes
    with clock.freeze(later(hours=12)):
        assert rita.get("/auth/profile").status_code == 302


def test_a_page_that_nobody_touches_locks_after_fifteen_minutes(rita: Person) -> None:
    with clock.freeze(later(minutes=14, seconds=59)):
        assert is_in(rita)
    with clock.freeze(later(minutes=29, seconds=58)):
        assert is_in(rita)
    with clock.freeze(later(minutes=44, seconds=58)):
        assert rita.get("/auth/profile").status_code == 302


def test_what_a_screen_asks_by_itself_keeps_nobody_signed_in(rita: Person) -> None:
    for minutes in range(1, 15):
        with clock.freeze(later(minutes=minutes)):
            assert rita.htmx.get("/auth/awake").status_code == 204
    with clock.freeze(later(minutes=15)):
        assert rita.htmx.get("/auth/awake").status_code == 401


def test_the_clinic_says_how_long_a_screen_stays_open(rita: Person, olga: Person) -> None:
    form = {"open_0": "y", "opens_0": "08:00", "closes_0": "18:00"}
    seen = olga.get("/settings/clinic").page.value("seen")
    answer = olga.post(
        "/settings/clinic",
        clinic_name="Test Dental",
        time_zone="Europe/Berlin",
        address="",
        phone="",
        idle_minutes="5",
        seen=seen,
        **form,
    )
    assert answer.status_code == 303
    with clock.freeze(later(minutes=5)):
        assert rita.get("/auth/profile").status_code == 302


def test_a_busy_person_writes_at_most_once_a_minute(rita: Person, statements: list[str]) -> None:
    for second in range(0, 60, 5):
        with clock.freeze(later(minutes=2, seconds=second)):
            rita.htmx.get("/auth/profile")
    assert len([each for each in statements if each.startswith("UPDATE")]) == 1


# --- wrong tries ---


def test_two_hundred_wrong_tries_compute_no_more_than_twenty_hashes(outsider: Person, hashes: list[str]) -> None:
    answers = [sign_in(outsider, "rita", f"{WRONG} {n}") for n in range(200)]
    assert len(hashes) <= 20
    assert {answer.status_code for answer in answers[:4]} == {422}
    assert {answer.status_code for answer in answers[5:]} == {429}
    assert "wait 31 seconds" in answers[-1].page.one(".alert").get_text()
    assert answers[-1].headers["Retry-After"] == "31"
    computed = len(hashes)
    assert sign_in(outsider, "rita").status_code == 429
    assert len(hashes) == computed
    with clock.freeze(later(seconds=31)):
        assert sign_in(outsider, "rita").status_code == 303


def test_two_hundred_names_from_one_address_compute_no_more_either(outsider: Person, hashes: list[str]) -> None:
    for n in range(200):
        sign_in(outsider, f"name{n}", WRONG)
    assert len(hashes) <= 20


def test_a_name_that_nobody_has_is_blocked_in_the_same_words(browser: Callable[[], Person]) -> None:
    words = []
    for username, address in (("rita", "10.0.0.1"), ("nobody-of-that-name", "10.0.0.2")):
        person = browser()
        person.client.environ_base = person.client.environ_base | {"REMOTE_ADDR": address}
        words.append(
            [
                (a.status_code, a.page.one(".alert").get_text())
                for a in (sign_in(person, username, WRONG) for _ in range(8))
            ]
        )
    assert words[0] == words[1]


def test_a_restart_forgets_nothing(app: Flask, outsider: Person) -> None:
    from config import Config
    from cpms import create_app
    from cpms.core.db import db

    for _ in range(5):
        sign_in(outsider, "rita", WRONG)
    again = create_app(Config.from_env({"CPMS_INSTANCE": app.config["CPMS_INSTANCE"]}))
    try:
        assert sign_in(Person(again.test_client()), "rita").status_code == 429
    finally:
        with again.app_context():
            db.engine.dispose()


def test_the_wait_grows_and_the_right_password_ends_it(outsider: Person) -> None:
    for _ in range(5):
        sign_in(outsider, "rita", WRONG)
    with clock.freeze(later(seconds=31)):
        sign_in(outsider, "rita", WRONG)
    with clock.freeze(later(seconds=62)):
        assert sign_in(outsider, "rita").status_code == 429
    with clock.freeze(later(seconds=95)):
        assert sign_in(outsider, "rita").status_code == 303
        outsider.post("/logout")
        assert sign_in(outsider, "rita", WRONG).status_code == 422


def test_somebody_who_guesses_elsewhere_keeps_nobody_out_of_their_own_screen(
    rita: Person, browser: Callable[[], Person]
) -> None:
    guesser = browser()
    for _ in range(12):
        sign_in(guesser, "rita", WRONG)
    assert sign_in(guesser, "rita").status_code == 429
    rita.post("/auth/lock")
    assert sign_in(rita, "rita").status_code == 303


def test_a_screen_of_ones_own_has_no_endless_tries_either(rita: Person, hashes: list[str]) -> None:
    rita.post("/auth/lock")
    for _ in range(200):
        sign_in(rita, "rita", WRONG)
    assert len(hashes) <= 20


def test_many_at_once_are_no_more_than_one_by_one(app: Flask, hashes: list[str]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    people = [Person(app.test_client()) for _ in range(40)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda person: sign_in(person, "rita", WRONG).status_code, people))
    assert len(hashes) == 5
    assert sorted(set(answers)) == [422, 429]


# --- the sheet that covers a page ---


def test_a_page_whose_session_is_over_is_covered_by_a_sheet(rita: Person) -> None:
    with clock.freeze(later(minutes=15)):
        answer = rita.htmx.get("/auth/users", target="user-list")
    assert answer.status_code == 401
    assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == ("#lock", "innerHTML")
    assert answer.page.value("username") == "rita"
    assert not answer.page.has("nav")


def test_the_sheet_says_why_it_covers_the_page(rita: Person, olga: Person, app: Flask) -> None:
    def sheet() -> str:
        return " ".join(rita.htmx.get("/auth/awake").page.all(".sheet-body p")[0].get_text().split())

    with clock.freeze(later(minutes=15)):
        assert sheet().startswith("Nobody was here for a while, so the screen was locked. What you")
    olga.post(f"/auth/users/{rita.id}/sessions/end")
    assert sheet().startswith("This session was ended, from another screen or because a backup was put back. What")
    with rita.client.session_transaction() as cookie:
        token, cookie["_user_id"] = cookie["_user_id"], "opened after the backup was made"
    assert sheet().endswith("as after a backup was put back. Please sign in: your day opens anew.")
    with rita.client.session_transaction() as cookie:
        cookie["_user_id"] = token
    rita.post("/login", username="rita", password=PASSPHRASE)
    rita.post("/auth/lock")
    assert sheet().startswith("This screen was locked. What you typed is still there")
    rita.post("/login", username="rita", password=PASSPHRASE)
    rita.post("/logout")
    assert sheet() == "Somebody signed out in this browser. Please sign in: your day opens anew."


def test_the_same_person_goes_on_where_they_were(rita: Person, last_audit: Callable[[], AuditEntry]) -> None:
    token = rita.csrf_token()
    with clock.freeze(later(minutes=20)):
        answer = rita.htmx.post("/login", target="lock", username="rita", password=PASSPHRASE)
        assert (answer.status_code, answer.html) == (200, "")
        assert '"session-open"' in answer.headers["HX-Trigger"]
        assert last_audit().action == "auth.sign_in"
        again = rita.client.post("/auth/theme", data={"theme": "dark"}, headers={"X-CSRFToken": token})
        assert again.status_code == 303


def test_a_form_of_before_signing_out_in_another_window_gets_the_sheet(rita: Person) -> None:
    token = rita.csrf_token()
    rita.post("/logout")
    form = {"csrf_token": token, "q": "Chipped corner"}
    answer = rita.client.post("/calendar/chairs", data=form, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (401, "#lock")
    assert rita.client.post("/calendar/chairs", data=form).status_code == 400


def test_somebody_else_gets_a_page_of_their_own(rita: Person) -> None:
    token = rita.csrf_token()
    with clock.freeze(later(minutes=20)):
        answer = rita.htmx.post("/login", target="lock", username="ada", password=PASSPHRASE)
        assert answer.headers["HX-Redirect"] == "/"
        assert "HX-Trigger" not in answer.headers
        stale = rita.client.post("/auth/theme", data={"theme": "dark"}, headers={"X-CSRFToken": token})
        assert stale.status_code == 400


def test_a_wrong_password_in_the_sheet_brings_the_sheet_back(rita: Person) -> None:
    rita.post("/auth/lock")
    answer = rita.htmx.post("/login", target="lock", username="rita", password=WRONG)
    assert answer.status_code == 422
    assert answer.page.one(".sheet").select_one(".alert") is not None
    assert not answer.page.has("link")


def test_locking_ends_the_session_and_asks_the_same_person(rita: Person, last_audit: Callable[[], AuditEntry]) -> None:
    answer = rita.post("/auth/lock", next="/auth/profile")
    assert answer.headers["Location"] == "/login?next=/auth/profile"
    assert last_audit().action == "auth.lock"
    assert rita.get("/auth/profile").status_code == 302
    assert rita.get("/login").page.value("username") == "rita"


def test_locking_covers_an_htmx_page(rita: Person) -> None:
    answer = rita.htmx.post("/auth/lock", target="lock", next="/auth/profile")
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (401, "#lock")


# --- sessions of others ---


def test_whoever_leaves_is_out_at_the_next_request(olga: Person, rita: Person) -> None:
    assert olga.post(f"/auth/users/{rita.id}/deactivate").status_code == 303
    assert rita.get("/auth/profile").status_code == 302
    assert sign_in(rita, "rita").status_code == 422


def test_with_another_role_one_signs_in_anew(olga: Person, rita: Person) -> None:
    page = olga.get(f"/auth/users/{rita.id}").page
    fields = {name: page.value(name) for name in ("display_name", "username", "email", "color", "version")}
    assert olga.post(f"/auth/users/{rita.id}", role="dentist", **fields).status_code == 303
    assert rita.get("/auth/profile").status_code == 302


def test_a_reset_password_signs_out_everywhere(olga: Person, rita: Person) -> None:
    olga.post(f"/auth/users/{rita.id}/reset-password")
    assert rita.get("/auth/profile").status_code == 302
    assert sign_in(rita, "rita").status_code == 422


def test_disk_full_keeps_a_reader_in(rita: Person, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from cpms.core.errors import Busy

    def no_room(*_args: object, **_more: object) -> None:
        raise Busy

    monkeypatch.setattr(services, "see", no_room)
    with clock.freeze(later(minutes=2)):
        assert is_in(rita)
