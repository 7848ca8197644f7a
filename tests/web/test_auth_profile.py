"""What everybody may change about themselves."""

from collections.abc import Callable

import pytest

from cpms.audit.models import AuditEntry
from tests.conftest import PASSPHRASE
from tests.make import Make
from tests.pages import Person

NEW = "blue kettle walks sideways"


def test_rita_changes_her_name(rita: Person, make: Make, last_audit: Callable[[], AuditEntry]) -> None:
    version = rita.get("/auth/profile").page.value("version")
    answer = rita.post("/auth/profile", display_name="Rita Moreno", email="rita@clinic.example", version=version)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/profile")
    assert make.user("rita").display_name == "Rita Moreno"
    assert (last_audit().action, last_audit().about_id) == ("profile.update", str(rita.id))


def test_with_htmx_the_page_comes_again(rita: Person) -> None:
    version = rita.get("/auth/profile").page.value("version")
    answer = rita.htmx.post(
        "/auth/profile", target="profile-form", display_name="Rita M", email="rita@example.org", version=version
    )
    assert answer.headers["HX-Redirect"] == "/auth/profile"


@pytest.mark.parametrize(
    ("field", "value"), [("display_name", ""), ("email", "not an address"), ("email", "OLGA@example.org")]
)
def test_bad_input_is_kept_and_explained(rita: Person, make: Make, field: str, value: str) -> None:
    form = {"display_name": "Rita M", "email": "rita@example.org"} | {field: value}
    version = rita.get("/auth/profile").page.value("version")
    answer = rita.htmx.post("/auth/profile", target="profile-form", version=version, **form)
    assert answer.status_code == 422
    assert answer.page.error(field)
    assert {name: answer.page.value(name) for name in form} == form
    assert make.user("rita").display_name == "Rita Desk"


def test_a_stale_profile_shows_both(rita: Person) -> None:
    version = rita.get("/auth/profile").page.value("version")
    rita.post("/auth/profile", display_name="Rita One", email="rita@example.org", version=version)
    answer = rita.post("/auth/profile", display_name="Rita Two", email="rita@example.org", version=version)
    assert answer.status_code == 409
    assert answer.page.value("display_name") == "Rita Two"
    assert "Saved now: Rita One" in answer.page.text


@pytest.mark.parametrize("column", ["role", "username", "active", "password_hash", "is_provider"])
def test_nobody_gives_themselves_more(rita: Person, column: str) -> None:
    version = rita.get("/auth/profile").page.value("version")
    form = {"display_name": "Rita M", "email": "rita@example.org", "version": version, column: "owner"}
    assert rita.post("/auth/profile", **form).status_code == 400


def test_a_new_password_ends_the_other_sessions(
    sign_in: Callable[[str], Person], last_audit: Callable[[], AuditEntry]
) -> None:
    here, there = sign_in("rita"), sign_in("rita")
    answer = here.post("/auth/profile/password", old=PASSPHRASE, password=NEW, again=NEW)
    assert answer.status_code == 303
    assert last_audit().action == "profile.password"
    assert here.get("/auth/profile").status_code == 200
    assert there.get("/auth/profile").status_code == 302
    there.post("/logout")
    assert there.post("/login", username="rita", password=PASSPHRASE).status_code == 422
    assert there.post("/login", username="rita", password=NEW).status_code == 303


@pytest.mark.parametrize(
    ("old", "password", "again", "field", "words"),
    [
        ("", NEW, NEW, "old", "Please give the password that you have now."),
        ("wrong", NEW, NEW, "old", "This is not the password that you have now."),
        (PASSPHRASE, "short", "short", "password", "at least 15 characters"),
        (PASSPHRASE, "x" * 201, "x" * 201, "password", "at most 200 characters"),
        (PASSPHRASE, "rita desk rita desk", "rita desk rita desk", "password", "easy to guess"),
        (PASSPHRASE, "Test Dental Test Dental", "Test Dental Test Dental", "password", "easy to guess"),
        (PASSPHRASE, PASSPHRASE, PASSPHRASE, "password", "the password that you have now"),
        (PASSPHRASE, NEW, NEW + "x", "again", "not the same"),
        (PASSPHRASE, NEW, "", "again", "a second time"),
    ],
)
def test_a_password_is_refused_in_a_sentence_and_never_sent_back(
    rita: Person, outsider: Person, old: str, password: str, again: str, field: str, words: str
) -> None:
    answer = rita.htmx.post("/auth/profile/password", target="password-form", old=old, password=password, again=again)
    assert answer.status_code == 422
    assert words in answer.page.error(field)
    assert [answer.page.value(name) for name in ("old", "password", "again")] == [""] * 3
    assert outsider.post("/login", username="rita", password=PASSPHRASE).status_code == 303


def test_whoever_finds_an_open_screen_cannot_guess_the_password(
    rita: Person, last_audit: Callable[[], AuditEntry]
) -> None:
    codes = [
        rita.post("/auth/profile/password", old=f"guess {n}", password=NEW, again=NEW).status_code for n in range(20)
    ]
    assert codes[:5] == [422] * 5 and set(codes[5:]) == {429}
    assert last_audit().action == "profile.password_failed"


def test_one_signs_out_the_other_screens(sign_in: Callable[[str], Person]) -> None:
    here, there = sign_in("rita"), sign_in("rita")
    assert here.post("/auth/profile/sessions/end").status_code == 303
    assert here.get("/auth/profile").status_code == 200
    assert there.get("/auth/profile").status_code == 302


@pytest.mark.parametrize("theme", ["dark", "light", "auto"])
def test_light_or_dark_is_kept_with_the_person(rita: Person, last_audit: Callable[[], AuditEntry], theme: str) -> None:
    rita.post("/auth/theme", theme="light" if theme == "dark" else "dark")
    answer = rita.post("/auth/theme", theme=theme, next="/settings/")
    assert answer.headers["Location"] == "/settings/"
    assert rita.get("/auth/profile").page.one("html")["data-theme"] == theme
    assert last_audit().action == "profile.theme"


def test_a_theme_that_does_not_exist_is_not_taken(rita: Person) -> None:
    assert rita.post("/auth/theme", theme="pink").status_code == 400


@pytest.mark.parametrize(
    "url", ["/auth/profile", "/auth/profile/password", "/auth/users", "/settings/", "/settings/clinic"]
)
def test_nothing_of_this_is_for_outsiders(outsider: Person, url: str) -> None:
    assert outsider.get(url).status_code == 302
    assert outsider.htmx.get(url).status_code == 401
    if url != "/settings/":
        assert outsider.post(url).status_code in {302, 405}
