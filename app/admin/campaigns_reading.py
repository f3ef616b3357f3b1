"""What was typed in the editor, read as a campaign. Pure.

Every field is read by itself, so that all that is wrong is told at once, each beside its field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import Any, TypeVar

import msgspec

from app.admin.campaigns_form import HOUR_S, LEADS_TO, Form
from app.admin.campaigns_rows import Row, Rows, condition_of, rule_of, typed_number
from app.admin.campaigns_view import field_words
from app.admin.language import _
from app.admin.sentences import told
from app.admin.typed import check_marks, fraction_of, limit, plain
from app.campaigns.campaign import Campaign, check_words, read_campaign
from app.campaigns.messages import BUILT_IN, PLURALS, Text, check_texts
from app.errors import InputError, RuleError
from app.rules.expression import read_rule
from app.rules.fields import FIELDS
from app.values import as_utc, minor_units

Value = TypeVar("Value")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,39}", re.ASCII)
_BYTE = re.compile(r"\(byte ([0-9]+)\)")
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?", re.ASCII)
# Where the campaign's own field stands in the editor.
_PLACES: Mapping[str, str] = {
    "offer.discount.percentage": "off",
    "offer.discount.amount": "off",
    "offer.discount.minimum": "minimum",
    "offer.discount": "off",
    "offer.target": "target",
    "offer.product_ids": "products",
    "schedule.ends_at": "ends_at",
    "schedule.hours": "hour_until",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with a field, in a sentence."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class ParsedForm:
    """What the fields say. campaign: None while something is wrong; rule: as far as it can be read."""

    campaign: Campaign | None
    rule: Any
    wrong: tuple[FieldError, ...]


def read_form(form: Form, campaign_id: str, zone: tzinfo, currency: str = "") -> ParsedForm:
    """Return what the fields say under that id, and all that is wrong with them.

    currency: of amounts, empty for one of two decimals.
    """
    reading = _Reading(form, zone, currency)
    rule = reading.rule()
    made: dict[str, Any] = {
        "id": campaign_id,
        "name": reading.name(),
        "rule": True if rule is None else rule,
        "offer": reading.offer(),
        "schedule": reading.schedule(),
        "caps": reading.caps(),
        "evidence": reading.whole("evidence", 0, 7, 1),
        "priority": reading.whole("priority", -1000, 1000, 0),
        "holdout": reading.number("holdout", 0, 100, 10) / 100,
        "delay_s": reading.whole("delay_s", 0, 86_400, 0),
        "expires_s": reading.lasts(),
        "group": reading.word("group"),
        "choice": reading.word("choice"),
        "stop": form.stop,
        "trigger": form.trigger,
    }  # fmt: skip
    campaign = None
    if not reading.wrong:
        campaign = reading.at("", lambda: read_campaign(made))
    if campaign is not None:
        reading.words_of(campaign)
    return ParsedForm(None if reading.wrong else campaign, rule, tuple(reading.wrong))


def campaign_id_of(name: str, taken: frozenset[str]) -> str:
    """Return an id for a new campaign, like its name and nobody else's."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32].strip("-") or "campaign"
    numbered = (f"{plain}-{number}" for number in range(2, len(taken) + 3))
    return plain if plain not in taken else next(each for each in numbered if each not in taken)


class _Reading:
    """Fields being read; what is wrong with one leaves the others be."""

    def __init__(self, form: Form, zone: tzinfo, currency: str) -> None:
        self.wrong: list[FieldError] = []
        self._form, self._zone, self._currency = form, zone, currency

    def at(self, field: str, read: Callable[[], Value]) -> Value | None:
        """Return what is read, None where that fails, which is noted."""
        try:
            return read()
        except InputError as error:
            self.note(field or _PLACES.get(error.field, error.field), told(str(error)))
            return None

    def note(self, field: str, message: str) -> None:
        """Note what is wrong with a field, as a sentence."""
        self.wrong.append(FieldError(field, f"{message[:1].upper()}{message[1:]}"))

    def some(self, **values: Any) -> dict[str, Any]:
        """Return those values that there are."""
        return {name: value for name, value in values.items() if value is not None}

    def name(self) -> str:
        """Return the campaign's name."""
        name = self._form.name.strip()
        if not (1 <= len(name) <= 100 and name.isprintable()):
            self.note("name", _("give it a name of up to 100 characters, to know it by"))
        return name

    def rule(self) -> Any:
        """Return the rule as JSONLogic, None where it can't be read."""
        if self._form.rule is not None:
            return self._rule_of_json(self._form.rule)
        before = len(self.wrong)
        for at, group in enumerate(self._form.groups):
            for number, row in enumerate(group.conditions):
                self._row(row, f"groups[{at}].conditions[{number}]")
        rows = Rows(self._form.match, self._form.groups)
        return rule_of(rows, self._currency) if len(self.wrong) == before else None

    def _row(self, row: Row, place: str) -> None:
        """Note what is wrong with one condition; each is a rule of its own."""
        try:
            read_rule(condition_of(row, place, self._currency))
        except RuleError as error:
            label = field_words(FIELDS[row.field])
            self.note(f"{place}.value", told(str(error)).replace(row.field, label))
        except InputError as error:
            self.note(error.field, str(error))

    def _rule_of_json(self, text: str) -> Any:
        try:
            data = msgspec.json.decode(text)
            read_rule(data)
        except InputError as error:
            self.note("rule", f"{error.field}: {told(str(error))}")
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            at = _BYTE.search(str(error))
            says = _("this is not JSON, from byte %(at)s on", at=at[1]) if at else _("this is not JSON")
            self.note("rule", says)
        else:
            return data
        return None

    def offer(self) -> dict[str, Any]:
        """Return what is shown."""
        form = self._form
        offer: dict[str, Any] = {"kind": form.kind, "messages": self._messages()}
        if key := self._key():
            offer["key"] = key
        if form.slot in ("main", "top"):
            offer["slot"] = form.slot
        match form.kind:
            case "coupon":
                offer["discount"] = self._discount()
            case "progress":
                offer["target"] = self.amount("target", needed=True)
            case "upsell":
                offer["product_ids"] = self._products()
        return offer

    def _key(self) -> str:
        """Return the key of the page's own sentence, empty for the usual one."""
        form = self._form
        if form.kind != "progress":
            return form.key if form.key.startswith(BUILT_IN[form.kind].partition(".")[0]) else ""
        if form.leads_to == "own" and not any(each.text.strip() for each in form.messages):
            self.note("leads_to", _("write in part 3 what it leads to: only you know it"))
        return LEADS_TO[form.leads_to]

    def _discount(self) -> dict[str, Any]:
        form = self._form
        terms = self.some(minimum=self.amount("minimum"), with_code=form.with_code)
        terms |= {"combines_with": form.combines_with, "applies_to": form.applies_to}
        match form.off_as:
            case "shipping":
                return terms | {"applies_to": "shipping", "percentage": 100}
            case "amount":
                return terms | {"amount": self.amount("off", needed=True)}
            case _:
                return terms | {"percentage": self._percentage()}

    def _percentage(self) -> float:
        percentage = self.number("off", 0, 100, None)
        if percentage == 0 and not self._noted("off"):
            self.note("off", _("say how much is taken off, such as 10"))
        return percentage

    def _products(self) -> list[int]:
        texts = [each for each in re.split(r"[\s,]+", self._form.products) if each]
        ids = [each.rpartition("/")[2] for each in texts]
        if not 1 <= len(ids) <= 3:
            self.note("products", _("name one to three products"))
        if not all(each.isascii() and each.isdigit() and 0 < int(each) < 2**63 for each in ids):
            self.note("products", _("a product is named by its number, the end of its address in Shopify"))
            return []
        return [int(each) for each in ids]

    def _messages(self) -> dict[str, Text]:
        messages: dict[str, Text] = {}
        for at, each in enumerate(self._form.messages):
            name, text = each.locale.strip(), each.text.strip()
            if not text and not name:
                continue
            if wrong := _unusable(self._form.kind, name, text, messages):
                self.note(f"messages[{at}].{wrong.field}", wrong.message)
                continue
            messages[name] = _read_text(text)
        return messages

    def words_of(self, campaign: Campaign) -> None:
        """Note words with something in them that the campaign does not have."""
        replace, offer = msgspec.structs.replace, campaign.offer
        for at, each in enumerate(self._form.messages):
            if (name := each.locale.strip()) in offer.messages:
                alone = replace(campaign, offer=replace(offer, messages={name: offer.messages[name]}))
                self.at(f"messages[{at}].text", partial(check_words, alone))

    def caps(self) -> dict[str, int]:
        """Return how often it is shown at most."""
        return self.some(**{each: self.count(each) for each in ("per_visitor", "per_session", "total")})

    def schedule(self) -> dict[str, Any]:
        """Return when it runs."""
        hours = [self.whole(each, 0, 24, None) for each in ("hour_from", "hour_until")]
        if len([each for each in hours if each is None]) == 1 and not self._noted("hour_from", "hour_until"):
            self.note("hour_until", _("give both hours, or none for the whole day"))
        return self.some(
            starts_at=self._time("starts_at"),
            ends_at=self._time("ends_at"),
            weekdays=self._form.weekdays,
            hours=None if None in hours else hours,
        )

    def _time(self, field: str) -> datetime | None:
        text = getattr(self._form, field).strip()
        if not text:
            return None
        try:
            told = datetime.fromisoformat(text)
            return as_utc(told if told.tzinfo else told.replace(tzinfo=self._zone))
        except (ValueError, OverflowError):
            self.note(field, _("write the day and the time like 2026-12-01 09:00"))
            return None

    def lasts(self) -> int | None:
        """Return how long it lasts for a shopper, in seconds."""
        if not self._form.lasts.strip():
            return None
        return round(self.number("lasts", 1 / 60, 90 * 24, 24) * HOUR_S)

    def count(self, field: str) -> int | None:
        """Return a number of times, None for no limit."""
        count: int | None = self.whole(field, 1, 10**9, None)
        return count

    def whole(self, field: str, least: int, most: int, usual: int | None) -> Any:
        """Return a whole number, the usual one where nothing was typed."""
        if not getattr(self._form, field).strip():
            return usual
        number = self.number(field, least, most, usual)
        if number != int(number):
            self.note(field, _("this is a whole number"))
        return int(number)

    def number(self, field: str, least: float, most: float, usual: float | None) -> float:
        """Return a number within its ends; the usual one where nothing was typed and there is one."""
        text = getattr(self._form, field).strip()
        if not text and usual is not None:
            return usual
        number = self.at(field, lambda: typed_number(text, field))
        if number is None:
            return least
        if not least <= number <= most:
            self.note(field, _("this goes from %(low)s to %(high)s", low=limit(least), high=limit(most)))
        return number

    def amount(self, field: str, *, needed: bool = False) -> str | None:
        """Return an amount as it is kept; None where nothing was typed and nothing needs to be."""
        text: str = getattr(self._form, field).strip()
        if not text and not needed:
            return None
        return self.at(field, lambda: _typed_amount(text, field, self._currency, needed=needed))

    def word(self, field: str) -> str | None:
        """Return a name that campaigns share, None for none."""
        text: str = getattr(self._form, field).strip()
        if text and not _WORD.fullmatch(text):
            self.note(field, _("use up to 40 letters, digits, spaces, - and _"))
        return text or None

    def _noted(self, *fields: str) -> bool:
        return any(each.field in fields for each in self.wrong)


def _typed_amount(text: str, field: str, currency: str, *, needed: bool) -> str:
    check_marks(text, field, fraction_of(currency))
    amount = plain(text).replace(",", ".")
    if not _AMOUNT.fullmatch(amount) or (needed and not minor_units(amount, currency)):
        raise InputError(_("this is an amount above zero, such as 80 or 49.90"), field)
    return amount


def _unusable(kind: str, name: str, text: str, others: Mapping[str, Text]) -> FieldError | None:
    """Return what is wrong with words in a language, None for nothing."""
    if not text:
        return FieldError("text", _("write what shoppers read"))
    if not name:
        return FieldError("locale", _("say which language this is, such as de"))
    if name in others:
        return FieldError("locale", _("there are words in this language already"))
    for field, words in (("locale", "x"), ("text", _read_text(text))):
        try:
            check_texts(kind, {name: words})
        except InputError as error:
            return FieldError(field, told(str(error)))
    return None


def _read_text(text: str) -> Text:
    """Return words, or their plural forms where each line begins with one: `one: …`."""
    lines = [line.partition(":") for line in text.splitlines() if line.strip()]
    if lines and all(colon and form.strip() in PLURALS for form, colon, _words in lines):
        return {form.strip(): words.strip() for form, _colon, words in lines}
    return text
