"""How a language says what rules are made of: its tables, numbers, plurals and lists. Pure but for reading
its own tables, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache, reduce
from pathlib import Path

import babel
import msgspec

from app.priced import priced

_TABLES = Path(__file__).parent / "locales"
LANGUAGES = tuple(sorted(each.stem for each in _TABLES.glob("*.json")))
_ENGLISH = "en"
# Languages whose singular is not "exactly one" (CLDR); Japanese has none.
_ONE_BELOW_TWO = frozenset({"fr"})


class Numbers(msgspec.Struct, frozen=True):
    """What stands before fractions, and between thousands."""

    decimal: str
    group: str


class Units(msgspec.Struct, frozen=True):
    """How amounts of something are written, by plural form; a share; a text that someone chose."""

    seconds: Mapping[str, str]
    days: Mapping[str, str]
    share: str
    quoted: str


class Locale(msgspec.Struct, frozen=True):
    """A language's table.

    fields: what each field is called, flags left out; English has it from the fields themselves.
    flags: said of true, and of false. says: each comparison, and that it does not hold.
    """

    flags: Mapping[str, tuple[str, str]]
    choices: Mapping[str, Mapping[str, str]]
    says: Mapping[str, tuple[str, str]]
    joins: Mapping[str, str]
    terms: Mapping[str, str]
    units: Units
    numbers: Numbers
    fields: Mapping[str, str] = {}
    language: str = _ENGLISH

    def number(self, value: float) -> str:
        """Return a number as it is written, with as many digits after the point as it has."""
        whole, point, fraction = _plain(value).partition(".")
        return whole.replace(",", self.numbers.group) + (self.numbers.decimal if point else "") + fraction

    def money(self, value: float, currency: str) -> str:
        """Return an amount in the currency's own unit with its sign."""
        return priced(Decimal(str(round(value, 6))), currency, babel.Locale(self.language))

    def amount(self, forms: Mapping[str, str], value: float) -> str:
        """Return an amount with its unit, in the plural form that goes with it."""
        return self.form(forms, value).format(n=self.number(value))

    def form(self, forms: Mapping[str, str], value: float) -> str:
        """Return the plural form that goes with a number; `other` where there is none of its own."""
        return forms.get(_plural(self.language, value), forms["other"])

    def share(self, value: float) -> str:
        """Return a share of 1 as a percentage."""
        return self.units.share.format(n=self.number(round(value * 100, 6)))

    def listed(self, said: Sequence[str], last: str) -> str:
        """Return `a, b and c`. last: `and` or `or`."""
        if len(said) == 1:
            return said[0]
        before = reduce(lambda a, b: self.joins["comma"].format(a=a, b=b), said[:-1])
        return self.joins[last].format(a=before, b=said[-1])


@cache
def locale(language: str) -> Locale:
    """Return the table of a language or locale (`de`, `de-AT`), the English one if there is none."""
    name = language.split("-")[0].lower()
    name = name if name in LANGUAGES else _ENGLISH
    table = msgspec.json.decode((_TABLES / f"{name}.json").read_bytes(), type=Locale)
    return msgspec.structs.replace(table, language=name)


def _plain(value: float) -> str:
    text = f"{value:,.6f}".rstrip("0").rstrip(".")
    return text if text not in ("", "-0") else "0"


def _plural(language: str, value: float) -> str:
    """Return the plural form that CLDR gives the languages there are."""
    if language == "ar":
        return _arabic_plural(value)
    if language in _ONE_BELOW_TWO:
        return "one" if 0 <= value < 2 else "other"
    return "one" if value == 1 else "other"


def _arabic_plural(value: float) -> str:
    if value in (1, 2):
        return "one" if value == 1 else "two"
    rest = value % 100
    if value != int(value) or rest < 3:
        return "other"
    return "few" if rest <= 10 else "many"
