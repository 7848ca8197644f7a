"""The owner's screen of users."""

from collections.abc import Callable
from typing import Any

import pytest

from cpms.audit.models import AuditEntry
from tests.conftest import PASSPHRASE
from tests.make import Make
from tests.pages import Answer, Person

NINA = {
    "display_name": "Nina New",
    "username": "nina",
    "email": "nina@example.org",
    "role": "assistant",
    "color": "#112233",
}
OWN = "blue kettle walks sideways"


def form_of(olga: Person, user_id: int | None) -> dict[str, Any]:
    page = olga.get(f"/auth/users/{user_id}").page
    fields = {name: page.value(name) for name in ("display_name", "username", "email", "role", "color", "version")}
    if page.one('[name="is_provider"]').has_attr("checked"):
        fields["is_provider"] = "y"
    return fields


def one_time(answer: Answer) -> str:
    return answer.page.one("[data-one-time]").get_text()


def test_olga_lets_nina_in(olga: Person, outsider: Person, last_audit: Callable[[], AuditEntry], make: Make) -> None:
    answer = olga.htmx.post("/auth/users/new", target="dialog", **NINA)
    assert (answer.status_code, answer.headers["HX-Trigger"]) == (200, "users-changed")
    assert last_audit().action == "user.create"
    password = one_time(answer)
    assert make.user("nina").must_change_password
    assert "nina" in olga.htmx.get("/auth/users", target="user-list").page.one("#user-list").get_text()

    outsider.post("/login", username="nina", password=password)
    assert outsider.get("/settings/").headers["Location"] == "/auth/profile/password"
    assert outsider.htmx.get("/settings/").headers["HX-Redirect"] == "/auth/profile/password"
    changed = outsider.post("/auth/profile/password", old=password, password=OWN, again=OWN)
    assert changed.status_code == 303
    assert last_audit().action == "profile.password"
    assert outsider.get("/settings/").status_code == 200
    outsider.post("/logout")
    assert outsider.post("/login", username="nina", password=password).status_code == 422
    assert outsider.post("/login", username="nina", password=OWN).status_code == 303


def test_the_password_for_one_time_is_in_no_cookie_and_shown_once(olga: Person, make: Make) -> None:
    answer = olga.post("/auth/users/new", **NINA)
    password = one_time(answer)
    assert password not in str(answer.headers)
    for url in ("/auth/users", f"/auth/users/{make.user('nina').id}", "/settings/"):
        assert password not in olga.get(url).html


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("display_name", "  ", "Please give the name."),
        ("display_name", "x" * 101, "At most 100 characters, please."),
        ("username", "", "Please give a user name."),
        ("username", "n", "At least two letters or digits, with dots, dashes or underscores between them."),
        ("username", "ni na", "At least two letters or digits, with dots, dashes or underscores between them."),
        ("username", "OLGA", "Somebody has this user name already. Please take another one."),
        ("username", "ﷺ" * 20, "At most 60 characters, please."),
        ("email", "nina", "Please give a whole e-mail address, like name@example.org."),
        ("email", "nina@@example.org", "Please give a whole e-mail address, like name@example.org."),
        ("email", "Olga@Example.org", "Somebody has this e-mail address already."),
        ("role", "", "Please choose a role."),
        ("role", "king", "Please choose from the list."),
        ("color", "red", "Please choose a colour."),
    ],
)
@pytest.mark.parametrize("htmx", [False, True])
def test_bad_input_is_said_beside_the_field_and_kept(
    olga: Person, last_audit: Callable[[], AuditEntry], field: str, value: str, sentence: str, htmx: bool
) -> None:
    before = last_audit().id
    send = (
        (lambda **form: olga.htmx.post("/auth/users/new", target="dialog", **form))
        if htmx
        else (lambda **form: olga.post("/auth/users/new", **form))
    )
    answer = send(**(NINA | {field: value}))
    assert answer.status_code == 422
    assert answer.page.error(field) == sentence or sentence in answer.page.error(field)
    for name, typed in (NINA | {field: value}).items():
        if (name, typed) not in {("role", "king"), ("role", "")}:
            assert answer.page.value(name) == typed.strip()
    assert last_audit().id == before


@pytest.mark.parametrize(
    "unknown", ["password_hash", "active", "must_change_password", "row_version", "id", "username_key", "last_login_at"]
)
def test_no_column_is_set_that_is_not_on_the_form(olga: Person, rita: Person, unknown: str) -> None:
    assert olga.post("/auth/users/new", **NINA, **{unknown: "1"}).status_code == 400
    assert olga.post(f"/auth/users/{rita.id}", **form_of(olga, rita.id), **{unknown: "1"}).status_code == 400


def test_olga_changes_rita(olga: Person, rita: Person, make: Make, last_audit: Callable[[], AuditEntry]) -> None:
    answer = olga.post(f"/auth/users/{rita.id}", **(form_of(olga, rita.id) | {"display_name": "Rita Moreno"}))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/users")
    assert make.user("rita").display_name == "Rita Moreno"
    assert last_audit().action == "user.update"
    assert rita.get("/auth/profile").status_code == 200


def test_the_second_of_two_editors_sees_both_and_loses_nothing(olga: Person, rita: Person, make: Make) -> None:
    old = form_of(olga, rita.id)
    olga.post(f"/auth/users/{rita.id}", **(old | {"display_name": "Rita Moreno", "is_provider": "y"}))
    answer = olga.htmx.post(
        f"/auth/users/{rita.id}", target="user-form", **(old | {"display_name": "Rita Desk-Moreno"})
    )
    assert answer.status_code == 409
    assert answer.page.value("display_name") == "Rita Desk-Moreno"
    assert "Saved now: Rita Moreno" in answer.page.text
    assert "Saved now: yes" in answer.page.text
    assert make.user("rita").display_name == "Rita Moreno"
    again = old | {"display_name": "Rita Desk-Moreno", "version": answer.page.value("version")}
    assert olga.htmx.post(f"/auth/users/{rita.id}", target="user-form", **again).headers["HX-Redirect"] == "/auth/users"
    assert make.user("rita").display_name == "Rita Desk-Moreno"


def test_the_last_owner_cannot_be_demoted_or_removed(olga: Person, make: Make) -> None:
    answer = olga.post(f"/auth/users/{olga.id}", **(form_of(olga, olga.id) | {"role": "dentist"}))
    assert answer.status_code == 422
    assert "is the only owner" in answer.page.error("role")
    assert olga.post(f"/auth/users/{olga.id}/deactivate").status_code == 422
    assert "is the only owner" in olga.htmx.post(f"/auth/users/{olga.id}/deactivate").toast
    assert make.user("olga").active and make.user("olga").role == "owner"


def test_leaving_and_coming_back(olga: Person, rita: Person, last_audit: Callable[[], AuditEntry]) -> None:
    assert olga.htmx.post(f"/auth/users/{rita.id}/deactivate").headers["HX-Redirect"] == f"/auth/users/{rita.id}"
    assert last_audit().action == "user.deactivate"
    page = olga.get(f"/auth/users/{rita.id}").page
    assert "Rita Desk cannot sign in any more." in page.text
    assert olga.post(page.one(".toast form")["action"]).status_code == 303
    assert last_audit().action == "user.reactivate"
    assert rita.get("/auth/profile").status_code == 302  # the old session stays over
    assert rita.post("/login", username="rita", password=PASSPHRASE).status_code == 303


def test_a_reset_password_works_once_and_ends_the_wait(
    olga: Person, outsider: Person, rita: Person, last_audit: Callable[[], AuditEntry]
) -> None:
    outsider.client.environ_base = outsider.client.environ_base | {"REMOTE_ADDR": "10.0.0.9"}
    for _ in range(6):
        outsider.post("/login", username="rita", password="wrong")
    dialog = olga.htmx.get(f"/auth/users/{rita.id}/reset-password", target="dialog")
    assert "at once" in dialog.page.text
    password = one_time(olga.htmx.post(f"/auth/users/{rita.id}/reset-password", target="dialog"))
    assert last_audit().action == "user.reset_password"
    assert outsider.post("/login", username="rita", password=password).status_code == 303
    assert outsider.get("/settings/").headers["Location"] == "/auth/profile/password"


def test_somebody_who_left_gets_no_new_password(olga: Person, rita: Person) -> None:
    olga.post(f"/auth/users/{rita.id}/deactivate")
    assert olga.post(f"/auth/users/{rita.id}/reset-password").status_code == 422


def test_olga_sees_and_ends_sessions(
    olga: Person, sign_in: Callable[[str], Person], last_audit: Callable[[], AuditEntry]
) -> None:
    here, there = sign_in("rita"), sign_in("rita")
    page = olga.get(f"/auth/users/{here.id}").page
    ends = [str(form["action"]) for form in page.all("form[action*='/sessions/']")]
    assert len(ends) == 3  # one for each, one for all
    assert olga.post(ends[0]).status_code == 303
    assert last_audit().action == "session.end"
    assert sorted(p.get("/auth/profile").status_code for p in (here, there)) == [200, 302]
    assert olga.post(f"/auth/users/{here.id}/sessions/end").status_code == 303
    assert [p.get("/auth/profile").status_code for p in (here, there)] == [302, 302]


def test_a_session_belongs_to_its_user(olga: Person, rita: Person, ada: Person) -> None:
    page = olga.get(f"/auth/users/{ada.id}").page
    session = str(page.all("form[action*='/sessions/']")[0]["action"]).split("/")[-2]
    assert olga.post(f"/auth/users/{rita.id}/sessions/{session}/end").status_code == 404
    assert olga.post(f"/auth/users/{rita.id}/sessions/99999/end").status_code == 404
    assert ada.get("/auth/profile").status_code == 200


@pytest.mark.parametrize("who", ["ada", "hugo", "rita"])
def test_users_are_the_owners_business(who: str, sign_in: Callable[[str], Person], make: Make) -> None:
    person, olga = sign_in(who), make.user("olga").id
    for url in ("/auth/users", "/auth/users/new", f"/auth/users/{olga}", f"/auth/users/{olga}/reset-password"):
        assert person.get(url).status_code == 403
    for action in ("", "/deactivate", "/reactivate", "/reset-password", "/sessions/end", "/sessions/1/end"):
        assert person.post(f"/auth/users/{olga}{action}").status_code == 403
    assert person.post("/auth/users/new", **NINA).status_code == 403


def test_a_user_who_does_not_exist_is_not_found(olga: Person) -> None:
    assert olga.get("/auth/users/99999").status_code == 404
    assert olga.post("/auth/users/99999/deactivate").status_code == 404


def test_the_list_asks_no_more_for_more_users(olga: Person, statements: list[str]) -> None:
    olga.get("/auth/users")
    few = len(statements)
    for n in range(5):
        olga.post("/auth/users/new", **(NINA | {"username": f"nina{n}", "email": f"nina{n}@example.org"}))
    statements.clear()
    olga.get("/auth/users")
    assert len(statements) == few < 20


def test_olga_ends_the_wait_of_somebody_who_mistyped(
    olga: Person, outsider: Person, last_audit: Callable[[], AuditEntry]
) -> None:
    for _ in range(6):
        outsider.post("/login", username="rita", password="not the passphrase at all")
    assert outsider.post("/login", username="rita", password=PASSPHRASE).status_code == 429
    page = olga.get("/auth/users").page
    [waiting] = page.all("form[action='/auth/users/unlock'] input[name=key]")
    assert "Rita Desk · must wait until" in " ".join(page.text.split())
    assert olga.htmx.post("/auth/users/unlock", key=waiting["value"]).headers["HX-Redirect"] == "/auth/users"
    assert last_audit().action == "auth.unlock"
    assert outsider.post("/login", username="rita", password=PASSPHRASE).status_code == 303
    assert not olga.get("/auth/users").page.has("form[action='/auth/users/unlock']")


def test_a_wait_that_is_over_cannot_be_ended(olga: Person) -> None:
    assert olga.htmx.post("/auth/users/unlock", key="address:10.0.0.9").status_code == 404
