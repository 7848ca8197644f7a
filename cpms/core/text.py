"""Folding of names and numbers, so that a search finds what a person means, not how it was typed."""

import re
import unicodedata

# Letters that no decomposition turns into plain ones.
_PLAIN = str.maketrans(
    {"İ": "i", "I": "i", "ı": "i", "ё": "е", "Ё": "е", "ß": "ss", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l"}
    | {"đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "ħ": "h", "Ħ": "h", "þ": "th", "Þ": "th"}
    | {"æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe"}
)
_NOT_WORD = re.compile(r"[^\w]+")
# Also the marks that turn the direction of what follows: a name must not reorder the line that it stands in.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069\ufeff]")
# Alphabets that have letters of their own; Q, W and X stand where a dictionary has them.
_ALPHABETS = {"tr": "abcçdefgğhıijklmnoöpqrsştuüvwxyz"}
_TURKISH_I = str.maketrans({"I": "ı", "İ": "i"})


def fold(text: str) -> str:
    """Lower case without marks: "ŞÜKRÜ IŞIK" and "şükrü ışık" both give "sukru isik". Words are joined by one blank."""
    plain = unicodedata.normalize("NFKD", text.translate(_PLAIN).casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c)).translate(_PLAIN)
    return _NOT_WORD.sub(" ", letters).replace("_", " ").strip()


def sort_key(text: str, language: str) -> tuple[list[tuple[int, str]], str]:
    """What a list is sorted by for its reader: marks do not count, but where they make a letter of the alphabet."""
    alphabet = _ALPHABETS.get(language, "")
    low = text.translate(_TURKISH_I).lower() if alphabet else text
    letters = (each if each in alphabet else fold(each) for each in unicodedata.normalize("NFC", low))
    return [(alphabet.find(each), each) for each in "".join(each or " " for each in letters)], text


NO_NAME = "—"  # stands where somebody has no last name, or no first one


def full_name(first: str, last: str) -> str:
    """As it is said: "Selma Yıldız"."""
    return " ".join(each for each in (first, last) if each != NO_NAME)


def listed_name(first: str, last: str) -> str:
    """As it stands in a list: "Yıldız, Selma"."""
    return ", ".join(each for each in (last, first) if each != NO_NAME)


def fold_name(text: str) -> str:
    """The key by which user names and e-mail addresses are one: case and composed letters do not count."""
    return unicodedata.normalize("NFKC", text.strip()).translate(_PLAIN).casefold()


def digits(text: str) -> str:
    """Only the digits of a phone number, as 0-9 whatever script they were typed in."""
    return "".join(str(unicodedata.digit(c)) for c in text if c.isdigit())


def clean(text: str) -> str:
    """What a form stores: composed letters, no control characters, blanks at the ends gone, line ends as \\n."""
    return _CONTROL.sub("", unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")).strip()


def clean_line(text: str) -> str:
    """`clean` for one line: every run of white space is one blank."""
    return " ".join(clean(text).split())
