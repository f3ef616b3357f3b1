"""The admin's words in the language of who asks: which one that is, and its catalogue.

A text is written in English where it is used, and looked up by it: `_("Hello %(name)s", name=shop.name)`.
A text is always a format, with `%%` for a percent sign; a whole number in it is written as the language
writes numbers, so a year or an id goes in as a string. A text has no `"`, `<` or `&`: it may stand in an
attribute of a page as it is. `make words` brings the catalogues up to date with the texts.
"""

from __future__ import annotations

import gettext as gnu
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from jinja2 import Environment, pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup
from starlette.requests import Request

SOURCE = "en"
# As the extensions speak to shoppers.
LANGUAGES = (SOURCE, "ar", "de", "es", "fr", "ja")
READ_IN = "admin_language"  # under which name a shop keeps what its staff read the admin in last
LOCALES = Path(__file__).parent / "locales"
_LONGEST = 200  # no more of a tag or a header is looked at

_spoken: ContextVar[Locale] = ContextVar("spoken", default=Locale(SOURCE))  # noqa: B039 - nobody changes a locale


@dataclass(frozen=True, slots=True)
class Lazy:
    """A text of a module's constant, in the language of whoever it is written out for."""

    text: str

    def __str__(self) -> str:
        return _(self.text)


def _(text: str, /, **named: object) -> str:
    """Return the text in the language spoken, with the named values in it."""
    return _catalogue(spoken().language).gettext(text) % _written(named)


def translated(text: str) -> str:
    """Return the text in the language spoken, still a format."""
    return _catalogue(spoken().language).gettext(text)


def ngettext(one: str, many: str, number: int, /, **named: object) -> str:
    """Return the text that fits the number, which it may name as %(num)s."""
    found = _catalogue(spoken().language).ngettext(one, many, number)
    return found % _written({"num": number, **named})


def pgettext(context: str, text: str, /, **named: object) -> str:
    """Return the text as it is meant in the context, where one English word is two in another language."""
    return _catalogue(spoken().language).pgettext(context, text) % _written(named)


def lazy(text: str) -> Lazy:
    """Return a text to be put into words later."""
    return Lazy(text)


def spoken() -> Locale:
    """Return the locale of who asks."""
    return _spoken.get()


def speak(request: Request) -> None:
    """Speak the language of who asks, until the request is answered."""
    _spoken.set(asked_for(request.query_params.get("locale"), request.headers.get("accept-language")))


@contextmanager
def speaking(tag: str) -> Iterator[None]:
    """Speak the language of the tag inside the block."""
    before = _spoken.set(asked_for(tag))
    try:
        yield
    finally:
        _spoken.reset(before)


def asked_for(tag: str | None, accepted: str | None = None) -> Locale:
    """Return the first locale whose language the admin speaks: Shopify's word, then the browser's, English.

    tag: `de`, `pt-BR`, as Shopify says it. accepted: an Accept-Language header.
    """
    wishes = [(tag or "")[:_LONGEST], *_by_weight((accepted or "")[:_LONGEST])]
    known = (locale for wish in wishes if (locale := _locale(wish)))
    return next(known, Locale(SOURCE))


def language_tag() -> str:
    """Return the spoken locale as HTML and HTTP write it: `en-GB`."""
    return str(spoken()).replace("_", "-")


def direction(tag: str) -> str:
    """Return which way the language of a tag, such as `ar` or `de@CH`, is written: ltr or rtl."""
    try:
        return str(Locale.parse(tag.partition("@")[0], sep="-").text_direction)
    except (ValueError, UnknownLocaleError):
        return "ltr"


def script_words() -> Mapping[str, str]:
    """Return the texts of the admin's scripts in the language spoken, by the English one."""
    return _script_words(spoken().language)


def speak_in(environment: Environment) -> None:
    """Give templates `_`, `ngettext`, `pgettext` and `{% trans %}`."""
    environment.add_extension("jinja2.ext.i18n")
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    environment.policies["ext.i18n.trimmed"] = True
    environment.globals.update(
        _=_page_text, gettext=_page_text, ngettext=_page_plural, pgettext=_page_context
    )


@pass_eval_context
def _page_text(context: EvalContext, text: str, /, **named: object) -> str:
    return _for_page(context, _catalogue(spoken().language).gettext(text), named)


@pass_eval_context
def _page_plural(context: EvalContext, one: str, many: str, number: int, /, **named: object) -> str:
    found = _catalogue(spoken().language).ngettext(one, many, number)
    return _for_page(context, found, {"num": number, **named})


@pass_eval_context
def _page_context(context: EvalContext, meant: str, text: str, /, **named: object) -> str:
    return _for_page(context, _catalogue(spoken().language).pgettext(meant, text), named)


def _for_page(context: EvalContext, found: str, named: Mapping[str, object]) -> str:
    """Return the text with its values escaped; the text itself is ours."""
    return (Markup(found) if context.autoescape else found) % _written(named)  # noqa: S704


def _written(named: Mapping[str, object]) -> dict[str, object]:
    return {name: _number(value) for name, value in named.items()}


def _number(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return format_decimal(value, locale=spoken())
    return value


@lru_cache(maxsize=256)  # anybody may ask for what there is not, in any number of ways
def _locale(tag: str) -> Locale | None:
    """Return the locale of the tag, None for one of a language the admin doesn't speak or of none."""
    try:
        found = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return None
    return found if found.language in LANGUAGES else None


def _by_weight(accepted: str) -> list[str]:
    """Return the tags of an Accept-Language header, dearest first."""
    weighed = []
    for part in accepted.split(","):
        tag, _semicolon, weight = part.strip().partition(";q=")
        weighed.append((-_weight(weight), tag))
    return [tag for _dear, tag in sorted(weighed, key=lambda one: one[0])]


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


@cache
def _catalogue(language: str) -> gnu.NullTranslations:
    """Return the texts of a language; the source language needs none."""
    if language == SOURCE:
        return gnu.NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(language))
    compiled.seek(0)
    return gnu.GNUTranslations(compiled)


def catalogue_path(language: str) -> Path:
    """Return the file a language's texts are kept in."""
    return LOCALES / language / "LC_MESSAGES" / "admin.po"


def read_catalogue(language: str) -> Catalog:
    """Return a language's texts as they are kept."""
    with catalogue_path(language).open("rb") as kept:
        return read_po(kept, locale=language, domain="admin")


@cache
def _script_words(language: str) -> Mapping[str, str]:
    if language == SOURCE:
        return {}
    return {
        str(message.id): str(message.string)
        for message in read_catalogue(language)
        if message.id and message.string and any(place.endswith(".js") for place, _line in message.locations)
    }
