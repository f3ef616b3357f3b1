"""Bring the admin's catalogues up to date with the texts in its code: `make words`.

New texts come in untranslated, those that nothing says any more go out. With --missing and a language,
list what is not translated yet.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from app.admin.borrowed import borrowed
from app.admin.language import LANGUAGES, SOURCE, catalogue_path, read_catalogue
from scripts.phrases import phrases

ADMIN = Path(__file__).parents[1] / "app" / "admin"
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2"), ("static/**.js", "javascript")]
_OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}}
_KEYWORDS = {"_": None, "lazy": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
# The day of the last change is the repository's to know.
_WRITTEN = datetime(2026, 11, 25, tzinfo=UTC)


def texts() -> Catalog:
    """Return every text of the admin, with the files that say it."""
    found = Catalog(domain="admin", project="Tillwise", creation_date=_WRITTEN)
    for file, _line, text, _comments, context in extract_from_dir(
        ADMIN, _METHODS, _OPTIONS, keywords=_KEYWORDS, comment_tags=()
    ):
        found.add(text, locations=[(file, 0)], context=context)
    for file, text in (*borrowed(), *phrases()):
        found.add(text, locations=[(file, 0)])
    for message in found:
        # As a catalogue that was read has them: the order of its texts is by the first.
        message.locations.sort()
    return found


def brought_up_to_date(language: str, template: Catalog) -> Catalog:
    """Return a language's catalogue with the template's texts, translated where they were."""
    path = catalogue_path(language)
    kept = read_catalogue(language) if path.exists() else Catalog(language, "admin", project="Tillwise")
    kept.update(template, no_fuzzy_matching=True)
    kept.revision_date, kept.fuzzy = _WRITTEN, False
    kept.header_comment = f"# Tillwise's admin in {kept.locale.english_name}. `make words` keeps the texts."
    kept.version, kept.msgid_bugs_address = "0", ""
    kept.last_translator = kept.language_team = "Tillwise"
    kept.obsolete.clear()
    return kept


def missing(catalogue: Catalog) -> Iterator[Message]:
    """Yield what is not translated, or only in some of its forms."""
    for message in catalogue:
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and not all(forms):
            yield message


def keep(language: str, catalogue: Catalog) -> None:
    """Write the catalogue down."""
    path = catalogue_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=110, include_lineno=False, sort_by_file=True)


def main(arguments: list[str]) -> int:
    """Do what the arguments ask for; return the exit code."""
    if arguments[:1] == ["--missing"]:
        sys.stdout.writelines(f"{message.id!r}\n" for message in missing(read_catalogue(arguments[1])))
        return 0
    template = texts()
    for language in LANGUAGES:
        if language != SOURCE:
            catalogue = brought_up_to_date(language, template)
            keep(language, catalogue)
            todo = len(list(missing(catalogue)))
            sys.stdout.write(f"{language}: {len(catalogue)} texts, {todo} to translate\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
