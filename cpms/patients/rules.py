"""Names, dates and numbers as people type them; who looks like the same person; how two edits come together.

Search: every patient has a search text, and what a person types becomes phrases that are looked for in it. Phrases have
three characters or more, because the index knows nothing shorter; a fragment of one or two letters is therefore kept
in the search text once more, filled up to three. Dates of birth stand there in digits of their own, so that a part of a
phone number never meets one.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2s
from typing import Any

from cpms.core.text import digits, fold

OLDEST = 130  # years
LONGEST_SEARCH = 100  # characters; nobody means more
MOST_WORDS = 8

_SHORTEST_PHRASE = 3
_FILL = "^"
_BEGINNING = "<<"  # what follows is where the last name begins
_DATE_DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")  # `fold` turns typed ones into 0-9: they cannot be typed
_YEARS = range(1850, 2150)
_NO_COUNTRY_NEEDED = 7  # digits: this much of a phone number tells people apart

_YEAR_FIRST = re.compile(r"(\d{4})[-./ ](\d{1,2})[-./ ](\d{1,2})")
_DAY_FIRST = re.compile(r"(\d{1,2})[-./ ](\d{1,2})[-./ ](\d{4}|\d{2})")
_DAY_FIRST_PACKED = re.compile(r"(\d{2})(\d{2})(\d{4})")
_YEAR_FIRST_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})")
_DAY_AND_MONTH = re.compile(r"(\d{1,2})[./](\d{1,2})\.?")
_FAR_AWAY = 366 * 2  # days: beyond, a date is a birthday
_PHONE = re.compile(r"[\d\s+()./\-–#*]*(?:\b(?:ext|extension)\.?\s*(\d{1,6}))?", re.IGNORECASE)

Phrases = tuple[tuple[str, ...], ...]  # of every group at least one


# Dates of birth


def days_meant(typed: str) -> tuple[date, ...]:
    """The dates that a text may mean, day before month: 2.3.1985, 02/03/1985, 1985-03-02, 02031985; 2.3.25 is two."""
    text = _plain_digits(typed).strip()
    if found := _YEAR_FIRST.fullmatch(text) or _YEAR_FIRST_PACKED.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
        if meant := _days((year,), month, day):
            return meant
    if found := _DAY_FIRST.fullmatch(text) or _DAY_FIRST_PACKED.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
        return _days((1900 + year, 2000 + year) if len(found[3]) == 2 else (year,), month, day)
    return ()


def _days(years: Iterable[int], month: int, day: int) -> tuple[date, ...]:
    if month > 12 >= day:
        day, month = month, day  # 03/25/1985 has only one reading
    meant = []
    for year in years:
        try:
            meant.append(date(year, month, day))
        except ValueError:
            continue
    return tuple(each for each in meant if each.year in _YEARS)


def day_near(typed: str, today: date) -> date | None:
    """The one day that a text means, if a clinic could have something to do on it; 3.12. is the next one to come."""
    if found := _DAY_AND_MONTH.fullmatch(_plain_digits(typed).strip()):
        meant = _days((today.year, today.year + 1), int(found[2]), int(found[1]))
        return next((day for day in meant if day >= today), None)
    meant = days_meant(typed)
    return meant[0] if len(meant) == 1 and abs((meant[0] - today).days) < _FAR_AWAY else None


# Phone numbers


def is_phone(typed: str) -> bool:
    """Digits and the signs between them; letters only as an extension, "ext 12"."""
    return bool(digits(typed)) and _PHONE.fullmatch(typed) is not None


def dial(phone: str) -> str:
    """The number for a `tel:` link."""
    extension = found[1] if (found := _PHONE.fullmatch(phone)) else None
    number = phone[: found.start(1)] if found and extension else phone
    return (
        ("+" if number.lstrip().startswith("+") else "") + digits(number) + (f";ext={extension}" if extension else "")
    )


def is_same_phone(one: str, other: str) -> bool:
    """With or without the country before it: +90 532 123 45 67 is 0532 123 45 67."""
    one, other = sorted((digits(one).lstrip("0"), digits(other).lstrip("0")), key=len)
    return one == other != "" or (len(one) >= _NO_COUNTRY_NEEDED and other.endswith(one))


def phone_tail(phone: str) -> str:
    """The end of a number, which every spelling of it has; nothing when it is too short to tell people apart."""
    tail = digits(phone).lstrip("0")[-9:]
    return tail if len(tail) >= _NO_COUNTRY_NEEDED else ""


# Search keys


def name_key(first_name: str, last_name: str) -> str:
    """What the list is sorted by, and searched from the front: "last first", folded. A last name "—" is nothing."""
    return " ".join(filter(None, (fold(last_name), fold(first_name))))[:220]


def search_text(*, first_name: str, last_name: str, phones: Iterable[str], chart_no: int, born: date) -> str:
    """All that a patient is found by."""
    key = name_key(first_name, last_name)
    squeezed = [fold(_squeezed(name)) for name in (last_name, first_name)]
    words = dict.fromkeys(" ".join((key, *squeezed)).split())
    more = [word for word in words if word not in key.split()]
    parts = (key, *more, _fragments(words), f"#{chart_no}#", *map(digits, phones), _date_phrase(born))
    return _BEGINNING + " ".join(filter(None, parts))


def _squeezed(name: str) -> str:
    """O'Brien is typed as obrien too, and Anne-Marie as annemarie."""
    return "".join(c for c in name if not unicodedata.category(c).startswith("P"))


def _fragments(words: Iterable[str]) -> str:
    """Every one and every two letters in a row, filled up to a phrase."""
    short = {word[at : at + length] for word in words for length in (1, 2) for at in range(len(word))}
    return "".join(sorted(part.rjust(_SHORTEST_PHRASE, _FILL) for part in short))


def _phrase(word: str) -> str:
    return word.rjust(_SHORTEST_PHRASE, _FILL)


def _date_phrase(day: date) -> str:
    return day.isoformat().translate(_DATE_DIGITS)


def _plain_digits(text: str) -> str:
    return "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in text)


# Search


@dataclass(frozen=True, slots=True)
class Sought:
    """What a typed text asks for: names that begin with it, then one attempt after the other."""

    begins: str = ""
    attempts: tuple[Phrases, ...] = ()


def sought(typed: str) -> Sought:
    """Read a search as names in any order, or as a number: chart number, date of birth, part of a phone number."""
    text = _plain_digits(typed[:LONGEST_SEARCH]).strip()
    if not any(c.isalpha() for c in text):
        return Sought(attempts=_number(text))
    groups: list[tuple[str, ...]] = []
    for part in text.split():
        if meant := days_meant(part):
            groups.append((*map(_date_phrase, meant), *_part_of_phone(digits(part))))
        else:
            groups += [_part_of_number(word) if word.isdigit() else (_phrase(word),) for word in fold(part).split()]
    wanted = tuple(group for group in groups[:MOST_WORDS] if group)
    words = fold(text).split()
    if not wanted:
        return Sought()
    begins = " ".join(words) if not any(c.isdigit() for c in text) else ""
    if len(wanted) == 1:
        return Sought(begins, (wanted,))
    last_name_first = ((_BEGINNING + words[0],), *wanted[1:])
    return Sought(begins, (last_name_first, wanted))


def _number(text: str) -> tuple[Phrases, ...]:
    runs = digits_in_a_row(text)
    if not runs:
        return ()
    joined = "".join(runs)
    exact = [_date_phrase(day) for day in days_meant(text)]
    if len(runs) == 1:
        exact.insert(0, _chart_phrase(joined))
    attempts: list[Phrases] = [(tuple(exact),)] if exact else []
    if phone := _part_of_phone(joined):
        attempts.append((phone,))
    if len(runs) > 1 and all(len(run) >= _SHORTEST_PHRASE for run in runs):
        attempts.append(tuple((run,) for run in runs[:MOST_WORDS]))
    if year := _year_phrase(joined):
        attempts.append((year,))
    return tuple(attempts)


def digits_in_a_row(text: str) -> list[str]:
    return re.findall(r"\d+", text)


def _part_of_number(run: str) -> tuple[str, ...]:
    return (_chart_phrase(run), *_part_of_phone(run), *_year_phrase(run))


def _part_of_phone(run: str) -> tuple[str, ...]:
    """A whole number may be stored with its country and without the zero that is typed."""
    significant = run.lstrip("0") if len(run) > _NO_COUNTRY_NEEDED else run
    return (significant,) if len(significant) >= _SHORTEST_PHRASE else ()


def _chart_phrase(run: str) -> str:
    return f"#{run.lstrip('0') or '0'}#"


def _year_phrase(run: str) -> tuple[str, ...]:
    return (f"{run}-".translate(_DATE_DIGITS),) if len(run) == 4 and int(run) in _YEARS else ()


def names_meant(typed: str) -> dict[str, str]:
    """What a search that found nobody says about a new patient: field → text."""
    text = " ".join(typed.split())[:LONGEST_SEARCH]
    if len(days_meant(text)) == 1:
        return {"date_of_birth": text}
    if is_phone(text):
        return {"mobile_phone": text}
    words = [word for word in text.split() if not any(c.isdigit() for c in word)]
    if len(words) < 2:
        return {"last_name": " ".join(words)}
    return {"first_name": " ".join(words[:-1]), "last_name": words[-1]}


# Two people edit one patient


def fingerprint(value: Any) -> str:
    """Tells whether a value is the one that a form was made from."""
    return blake2s(str(value).encode(), digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True)
class Seen:
    """What an editor had before their eyes: the row's version, and a fingerprint of each value in the form."""

    version: int
    prints: Mapping[str, str]

    @classmethod
    def of(cls, version: int, values: Mapping[str, Any]) -> "Seen":
        return cls(version, {name: fingerprint(value) for name, value in values.items()})

    @classmethod
    def read(cls, text: str, names: Sequence[str]) -> "Seen":
        """The opposite of `str()`; ValueError when the text was not made by it."""
        version, *prints = text.split(".")
        return cls(int(version), dict(zip(names, prints, strict=True)))

    def __str__(self) -> str:
        return ".".join((str(self.version), *self.prints.values()))

    def changed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the values that are not the ones that were seen."""
        return {name: value for name, value in values.items() if fingerprint(value) != self.prints[name]}


def meet(seen: Seen, *, typed: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Both edits in one form: what this editor typed, and what the other stored in the fields left alone here."""
    return {**stored, **seen.changed(typed)}
