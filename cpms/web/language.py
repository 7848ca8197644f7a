"""Which language a page speaks, and its words. English is the source; the others stand in `cpms/translations`."""

import re
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import request
from flask_babel import Domain, get_locale

LANGUAGES = {"en": "English", "tr": "Türkçe"}  # each as its speakers call it
SOURCE = "en"
LEAST_LETTERS = 3  # of its own that a sentence needs to be known again
_PLACE = re.compile(r"%\((\w+)\)([sd])")
FOLDER = Path(__file__).parent.parent / "translations"


class Catalogues(Domain):  # type: ignore[misc]
    """The translations as their `.po` files say: nothing to compile, so nothing that is older than its source."""

    def get_translations(self) -> NullTranslations:
        return catalogue(str(get_locale() or SOURCE))


@cache
def catalogue(language: str) -> NullTranslations:
    """The words of a language; of English, and of one that nobody translated yet, the source itself."""
    path = FOLDER / language / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        words = read_po(file)
    for message in words:
        if not all(message.string):
            message.string = ""  # a plural that is not translated yet is said in English, not left out
    write_mo(compiled, words)
    compiled.seek(0)
    return Translations(compiled)


def retold(said: str) -> str:
    """What the program wrote down in English, in the reader's language: the names and numbers in it stay, a sentence in
    it is retold too. What is not from the catalogue stays as it is."""
    return _retold(said, str(get_locale() or SOURCE))


@lru_cache(maxsize=1000)
def _retold(said: str, language: str) -> str:
    words = catalogue(language)
    if language == SOURCE or not said:
        return said
    if (told := words.gettext(said)) != said:
        return str(told)
    for form, source in _forms(language):
        if found := form.fullmatch(said):
            values = {
                name.removeprefix("d_"): int(value) if name.startswith("d_") else _retold(value, language)
                for name, value in found.groupdict().items()
            }
            return str(words.gettext(source)) % values
    return said


@cache
def _forms(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Every sentence with places in it, as what fits it; those that say most themselves come first."""
    found = []
    for source in getattr(catalogue(language), "_catalog", {}):
        if not isinstance(source, str) or "%(" not in source:
            continue
        parts = _PLACE.split(source)  # text, name, letter, text, …
        texts, names, letters = parts[::3], parts[1::3], parts[2::3]
        if sum(map(str.isalpha, "".join(texts))) < LEAST_LETTERS or len(set(names)) < len(names):
            continue
        form = re.escape(texts[0].replace("%%", "%"))
        for name, letter, text in zip(names, letters, texts[1:], strict=True):
            form += rf"(?P<d_{name}>-?\d+)" if letter == "d" else f"(?P<{name}>.+)"
            form += re.escape(text.replace("%%", "%"))
        found.append((len("".join(texts)), re.compile(form, re.DOTALL), source))
    return [(form, source) for _size, form, source in sorted(found, key=lambda each: -each[0])]


def first_spoken(*wishes: str) -> str:
    """The first of the wishes that there is; else what the browser asks for; else English."""
    for wish in wishes:
        if wish in LANGUAGES:
            return wish
    return request.accept_languages.best_match(LANGUAGES) or SOURCE
