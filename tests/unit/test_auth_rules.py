"""How long somebody waits, whose tries count together, and where a person may be sent."""

from datetime import timedelta

import pytest

from cpms.auth.rules import address_key, device_name, is_own_path, name_key, wait_after


def test_five_wrong_tries_for_a_name_are_free_and_then_the_wait_grows() -> None:
    waits = [wait_after("name:x", failures) for failures in range(1, 10)]
    assert waits[:4] == [None] * 4
    assert waits[4:] == [timedelta(seconds=s) for s in (30, 60, 120, 240, 480)]


def test_somebody_who_guesses_for_a_year_gets_less_than_a_try_an_hour() -> None:
    tries, passed = 0, timedelta()
    while passed < timedelta(days=365):
        tries += 1
        passed += wait_after("name:x", tries) or timedelta()
    assert tries < 400
    assert wait_after("name:x", 10**6) == timedelta(hours=24)


def test_an_address_waits_a_quarter_of_an_hour_at_most() -> None:
    assert wait_after("address:10.0.0.7", 9) is None
    assert wait_after("address:10.0.0.7", 10**6) == timedelta(minutes=15)


def test_a_name_counts_once_in_upper_and_lower_case_and_is_not_kept() -> None:
    assert name_key(" Olga ") == name_key("OLGA")
    assert "olga" not in name_key("olga")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.7", "10.0.0.7", True),
        ("10.0.0.7", "10.0.0.8", False),
        ("fd00::1", "fd00::ffff:2", True),
        ("fd00::1", "fd00:0:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%wlan0", True),
        ("", "nonsense", True),
    ],
)
def test_an_address_counts_alone_and_an_ipv6_network_as_one(one: str, other: str, same: bool) -> None:
    assert (address_key(one) == address_key(other)) is same


@pytest.mark.parametrize("path", ["/", "/calendar/week/2026-09-01", "/patients/?q=a%20b&page=2", "/a?next=http://x"])
def test_a_path_of_ours_may_follow_a_sign_in(path: str) -> None:
    assert is_own_path(path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "calendar",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "http://evil.example/",
        "https:evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/a\r\nSet-Cookie: x",
        " /a",
        "/ /evil.example",
    ],
)
def test_nothing_else_may(url: str) -> None:
    assert not is_own_path(url)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1", "Safari, iPad"),
        ("curl/8.0", ""),
    ],
)
def test_a_device_has_a_name_that_people_know(agent: str, name: str) -> None:
    assert device_name(agent) == name
