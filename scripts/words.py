"""Keep the translations abreast of what the program says: see docs/translating.md.

python scripts/words.py update          write new sentences into the catalogues, take those out that are no more
python scripts/words.py check           name whatever is missing or does not fit
python scripts/words.py missing tr      print what is not translated yet as JSON: {sentence: translation}
python scripts/words.py fill tr FILE    take the translations of such a JSON file ("-": standard input) over
"""

import argparse
import json
import re
import sys
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "cpms/translations"
METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"**/templates/**.html": {"trimmed": "true"}}
KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)  # a date in the file would differ with every update
PLACE = re.compile(r"%\(\w+\)[a-z]|%%|\{\w+\}")
ENDS = (".", "…", ":", "?", "!")


@cache
def extracted() -> dict[str, tuple[str, str | None, set[str]]]:
    """Every sentence of the program: {its id: (singular, plural, files)}."""
    found: dict[str, tuple[str, str | None, set[str]]] = {}
    for file, _line, words, _comments, _context in extract_from_dir(
        str(ROOT / "cpms"), method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS
    ):
        one, more = words if isinstance(words, tuple) else (words, None)
        if one:
            known = found.setdefault(one, (one, more, set()))
            found[one] = (one, known[1] or more, known[2] | {f"cpms/{file}"})
    return found


def languages() -> list[str]:
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def path_of(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def update(language: str, translations: dict[str, str | list[str]] | None = None) -> None:
    path_of(language).write_bytes(written(language, translations))


def written(language: str, translations: dict[str, str | list[str]] | None = None) -> bytes:
    """The catalogue anew: today's sentences, with the translations that there are and those that come now."""
    old = read(language)
    new = Catalog(locale=language, project="Dental CPMS", version="1", creation_date=NO_DATE, revision_date=NO_DATE)
    new.mime_headers = [*new.mime_headers, ("Plural-Forms", old.plural_forms)]
    new.header_comment = f"# Dental CPMS in {new.locale.english_name}. How to work on this: docs/translating.md"
    new.fuzzy = False
    for one, more, files in extracted().values():
        known = old.get(one)
        fits = known is not None and bool(known.pluralizable) == bool(more)
        said = (translations or {}).get(one) or (known.string if fits else "")
        new.add((one, more) if more else one, tuple(said) if more and said else said, [(f, 1) for f in sorted(files)])
    file = BytesIO()
    write_po(file, new, width=116, no_location=True, sort_by_file=True, omit_header=False)
    return file.getvalue()


def forms(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, list | tuple) else [message.string]


def missing(language: str) -> dict[str, str | list[str]]:
    """What has no translation yet, ready to be filled in."""
    catalog, found = read(language), {}
    for one, more, _files in extracted().values():
        known = catalog.get(one)
        if known is None or bool(known.pluralizable) != bool(more) or not all(forms(known)):
            found[one] = [""] * catalog.num_plurals if more else ""
    return found


def problems(language: str) -> list[str]:
    """Whatever is wrong with a catalogue, a line each."""
    catalog, there = read(language), extracted()
    wrong = [f"not translated: {one}" for one in missing(language)]
    wrong += [f"not said any more: {each.id}" for each in catalog if each.id and _first(each) not in there]
    wrong += [f"not said any more: {_first(each)}" for each in catalog.obsolete.values()]
    for message in catalog:
        for form in forms(message) if message.id else ():
            wrong += [f"{what}: {_first(message)} → {form}" for what in _faults(message, form)]
    return wrong


def _first(message: Message) -> str:
    return message.id[0] if isinstance(message.id, list | tuple) else message.id


def _faults(message: Message, said: str) -> list[str]:
    sources = list(message.id) if isinstance(message.id, list | tuple) else [message.id]
    source, faults = sources[-1], []
    if message.fuzzy:
        faults.append("only guessed (fuzzy)")
    if not said:
        return faults
    places = [set(PLACE.findall(each)) for each in sources]
    if not set.intersection(*places) <= set(PLACE.findall(said)) <= set.union(*places):
        faults.append("other placeholders")
    if source[:1].isspace() != said[:1].isspace() or source[-1:].isspace() != said[-1:].isspace():
        faults.append("other blanks at its ends")
    if [source.endswith(end) for end in ENDS] != [said.endswith(end) for end in ENDS]:
        faults.append("ends otherwise")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("update", "check", "missing", "fill"))
    parser.add_argument("language", nargs="?")
    parser.add_argument("file", nargs="?", default="-")
    asked = parser.parse_args()
    for language in [asked.language] if asked.language else languages():
        if asked.command == "update":
            update(language)
        elif asked.command == "missing":
            print(json.dumps(missing(language), ensure_ascii=False, indent=1))
        elif asked.command == "fill":
            text = sys.stdin.read() if asked.file == "-" else Path(asked.file).read_text()
            update(language, json.loads(text))
        elif wrong := problems(language):
            print(*(f"{language}: {line}" for line in wrong), sep="\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
