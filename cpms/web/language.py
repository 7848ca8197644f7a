"""Which language a page speaks, and its words. English is the source; the others stand in `cpms/translations`."""

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import has_request_context, request
from flask_babel import Domain, get_locale

LANGUAGES = {"en": "English", "tr": "Türkçe"}  # each as its speakers call it
SOURCE = "en"
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
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return Translations(compiled)


def first_spoken(*wishes: str) -> str:
    """The first of the wishes that there is; else what the browser asks for; else English."""
    for wish in wishes:
        if wish in LANGUAGES:
            return wish
    wanted = request.accept_languages.best_match(LANGUAGES) if has_request_context() else None
    return wanted or SOURCE
