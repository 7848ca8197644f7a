"""What a good password is, and how long somebody waits after wrong ones. No database, no clock."""

import hashlib
import ipaddress
import re
import secrets
import unicodedata
from collections.abc import Iterable
from datetime import timedelta
from enum import Enum
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from cpms.core.text import fold, fold_name

SHORTEST = 15
LONGEST = 200

_HARD_ENOUGH = 8  # letters, digits or signs that nobody could foresee; a common word counts as three of them
_WORD, _FORESEEN, _OTHER = 3, 1, 1
_LONGEST_PIECE = 24
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "!@#$%^&*()",
)
_ROWS_BOTH_WAYS = tuple(row for each in _ROWS for row in (each, each[::-1]))
_LEET = str.maketrans("0134578@$!", "oieastbasi")
_HOUSE_WORDS = ("dental", "dentist", "clinic", "practice", "cpms", "zahnarzt", "praxis", "klinik", "dis", "hekim")

_NO_LOOKALIKES = "abcdefghjkmnpqrstuvwxyz23456789"

FREE_TRIES = 5
FREE_TRIES_OF_AN_ADDRESS = 10  # several people sit at one desk
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=24)
_LONGEST_WAIT_OF_AN_ADDRESS = timedelta(minutes=15)  # one wrongdoer must not send a whole desk home


class Weakness(Enum):
    """Why a password is not taken."""

    SHORT = "short"
    LONG = "long"
    FORESEEABLE = "foreseeable"


def composed(password: str) -> str:
    """The password as it is hashed: the same letters are the same, however a keyboard composes them."""
    return unicodedata.normalize("NFC", password)


def weakness(password: str, *, about: Iterable[str] = ()) -> Weakness | None:
    """What is wrong with a password. `about` are texts that belong to the person and the clinic: names, e-mail."""
    password = composed(password)
    if len(password) < SHORTEST:
        return Weakness.SHORT
    if len(password) > LONGEST:
        return Weakness.LONG
    if _hardness(_shortest_unit(password.casefold()), frozenset(_words(about))) < _HARD_ENOUGH:
        return Weakness.FORESEEABLE
    return None


def _words(about: Iterable[str]) -> Iterable[str]:
    yield from _HOUSE_WORDS
    for text in about:
        for word in (text.casefold(), *fold(text).split()):
            if len(word) >= 3:
                yield word


def _shortest_unit(text: str) -> str:
    """`abcabcabca` says no more than `abc`."""
    for length in range(1, len(text) // 2 + 1):
        if text == (text[:length] * (len(text) // length + 1))[: len(text)]:
            return text[:length]
    return text


def _hardness(text: str, own: frozenset[str]) -> int:
    """The least that somebody has to guess, reading the text as common words, own words, key rows, and the rest."""
    spelt = text.translate(_LEET)
    plain = "".join(fold(c)[:1] or c for c in text)
    best = [0] * (len(text) + 1)
    for end in range(1, len(text) + 1):
        best[end] = best[end - 1] + (0 if end > 1 and text[end - 1] == text[end - 2] else _OTHER)
        for start in range(max(0, end - _LONGEST_PIECE), end - 2):
            pieces = {text[start:end], spelt[start:end], plain[start:end]}
            if pieces & own or _is_row(text[start:end]):
                best[end] = min(best[end], best[start] + _FORESEEN)
            elif pieces & common_passwords():
                again = 0 if text.find(text[start:end]) < start else _WORD
                best[end] = min(best[end], best[start] + again)
    return best[-1]


def _is_row(piece: str) -> bool:
    return any(piece in row for row in _ROWS_BOTH_WAYS)


@cache
def common_passwords() -> frozenset[str]:
    """What everybody else takes, from the file beside this one."""
    lines = Path(__file__).with_name("common_passwords.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def one_time_password() -> str:
    """Four groups that can be read out over a desk: 98 bits, no letters that look alike."""
    return "-".join("".join(secrets.choice(_NO_LOOKALIKES) for _ in range(5)) for _ in range(4))


def name_key(username: str) -> str:
    """What counts the tries for a name. Hashed: people type their password into the wrong field."""
    return "name:" + hashlib.sha256(fold_name(username).encode()).hexdigest()


def address_key(address: str) -> str:
    """What counts the tries from an address; of IPv6 the network, since a machine there has addresses without end."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "address:unknown"
    if parsed.version == 6 and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped  # a server that listens on both kinds sees the old kind like this
    if parsed.version == 6:
        parsed = ipaddress.ip_network(f"{parsed}/64", strict=False).network_address
    return f"address:{parsed}"


def wait_after(key: str, failures: int) -> timedelta | None:
    """How long nobody may try after so many wrong tries in a row: nothing, 30 s, a minute, two… up to a day."""
    of_an_address = key.startswith("address:")
    beyond = failures - (FREE_TRIES_OF_AN_ADDRESS if of_an_address else FREE_TRIES)
    if beyond < 0:
        return None
    longest = _LONGEST_WAIT_OF_AN_ADDRESS if of_an_address else _LONGEST_WAIT
    return min(_FIRST_WAIT * 2 ** min(beyond, 20), longest)


def is_own_path(url: str) -> bool:
    """Whether a browser that is sent there stays on this server."""
    if not url.startswith("/") or url.startswith("//") or "\\" in url or re.search(r"[\x00-\x20\x7f]", url):
        return False
    parts = urlsplit(url)
    return not parts.scheme and not parts.netloc


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_MACHINES = (
    ("iPad", "iPad"),
    ("iPhone", "iPhone"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """Firefox, Windows: enough for a person to know which screen is meant."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    machine = next((name for mark, name in _MACHINES if mark in user_agent), "")
    return ", ".join(part for part in (browser, machine) if part)
