"""What a merchant should know of a rule before it runs, each in a sentence. Pure.

What is found is so; not everything is found. Fields are looked at one by one (`possible`), so a rule that
only two fields together make impossible is not told from one that is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Literal

from app.rules.fields import Field, Names, nearest
from app.rules.intervals import hull
from app.rules.locale import locale
from app.rules.nodes import (
    AllOf,
    AnyOf,
    BooleanLiteral,
    Compare,
    Condition,
    Constant,
    Contains,
    FieldValue,
    Not,
    OneOf,
    Overlap,
    Rule,
    divisors_of,
    fields_of,
)
from app.rules.possible import possible
from app.rules.space import ALL_KNOWN, ANYTHING, Space
from app.rules.spans import Numbers, Range
from app.rules.words import Words
from app.wording import wording

Found = Literal[
    "never_matches", "matches_everyone", "contradiction", "never_holds", "always_holds", "over",
    "outside_schedule", "divides_by_zero", "unknown_name",
]  # fmt: skip
# More pairs than this are not tried for a contradiction, nor an `and` of more parts for an idle one.
MOST_PAIRS = 1_000
MOST_PARTS = 20
# Of more unknown names than these it is not told what was meant: each is compared with all the shop has.
MOST_MEANT = 5

_KINDS: Mapping[Names, str] = {
    "product": wording("product"),
    "product_type": wording("product type"),
    "vendor": wording("vendor"),
    "tag": wording("product tag"),
    "collection": wording("collection"),
    "segment": wording("segment"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know. message: a sentence. path: the part of the rule. stops: the rule is of no use."""

    kind: Found
    message: str
    path: str
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Shop:
    """What a rule is held against. names: what there is, by what it is; a kind left out is not checked.

    Nor are collections where none is known: they are read after all else of a shop.

    today: in the shop's time zone, None to leave the calendar out. schedule: when the rule is asked at
    all, as a rule over time.*. language: of the parts of rules that a sentence repeats.
    """

    currency: str = ""
    names: Mapping[Names, frozenset[str]] | None = None
    today: date | None = None
    schedule: Rule | None = None
    language: str = "en"


ANY_SHOP = Shop()


def findings(rule: Rule, shop: Shop = ANY_SHOP, path: str = "rule") -> list[Finding]:
    """Return what there is to know of a rule, what matters most first; empty for a rule that is fine."""
    review = _Review(shop, Words(locale(shop.language), shop.currency, {}))
    whole = list(review.whole(rule.root, path))
    parts = () if whole else review.parts(rule.root, path, ANYTHING)
    return [*whole, *parts, *review.names(rule.root, path), *review.divisions(rule.root, path)]


@dataclass(frozen=True, slots=True)
class _Review:
    shop: Shop
    words: Words

    def whole(self, root: Condition, path: str) -> Iterator[Finding]:
        """Yield what is so of the rule as a whole."""
        if possible(root) is None:
            yield Finding("never_matches", self._why_never(root), path, stops=True)
        elif possible(Not(root)) is None:
            message = wording("This rule matches everyone: it tells nobody apart.")
            yield Finding("matches_everyone", message, path)
        elif possible(Not(root), ALL_KNOWN) is None:
            read = self.words.locale.listed(
                sorted({self.words.name(each) for each in fields_of(root)}), "and"
            )
            message = wording(f"This rule matches everyone of whom it is known: {read}.")
            yield Finding("matches_everyone", message, path)
        elif self.shop.today and not _meets(root, self.shop.today):
            message = wording("This rule only matches on dates that have passed.")
            yield Finding("over", message, path, stops=True)
        elif self.shop.schedule and possible(AllOf((root, self.shop.schedule.root))) is None:
            when = self.words.condition(self.shop.schedule.root)
            message = wording(f"This rule never matches while it runs, that is when {when}.")
            yield Finding("outside_schedule", message, path, stops=True)

    def parts(self, node: Condition, path: str, space: Space) -> Iterator[Finding]:
        """Yield the parts that decide nothing, though the whole does. space: what holds around the part."""
        if isinstance(node, Not):
            # What is inside may be turned round by the `not`; it is looked at for itself.
            yield from self.parts(node.part, f"{path}.![0]", ANYTHING)
        elif isinstance(node, AllOf):
            yield from self._idle(node, path)
            around = possible(node, space) or space
            for at, part in enumerate(node.parts):
                yield from self.parts(part, f"{path}.and[{at}]", around)
        elif isinstance(node, AnyOf):
            for at, part in enumerate(node.parts):
                inside = f"{path}.or[{at}]"
                if possible(part, space) is None:
                    message = wording(f"This part never holds: {self._said(part)}.")
                    yield Finding("never_holds", message, inside)
                else:
                    yield from self.parts(part, inside, space)

    def _idle(self, node: AllOf, path: str) -> Iterator[Finding]:
        """Yield the parts of an `and` that hold wherever the others do."""
        for at, part in enumerate(node.parts if 1 < len(node.parts) <= MOST_PARTS else ()):
            others = possible(AllOf((*node.parts[:at], *node.parts[at + 1 :])))
            if others is not None and possible(Not(part), others) is None:
                said = self._said(part)
                message = wording(f"This part changes nothing, the others ask for it already: {said}.")
                yield Finding("always_holds", message, f"{path}.and[{at}]")
                return  # of two that say the same, one has to stay

    def names(self, root: Condition, path: str) -> Iterator[Finding]:
        """Yield the products, segments and other names that the shop does not have."""
        told = set[tuple[Names, str]]()
        for names, text, where in named(root, path):
            known = (self.shop.names or {}).get(names)
            if known is None or text in known or (names, text) in told:
                continue
            if names == "collection" and not known:
                continue
            told.add((names, text))
            close = None if names == "product" or len(told) > MOST_MEANT else nearest(text, known)
            kind = _KINDS[names]
            message = (
                wording(f"The shop has no {kind} {text!r}. Did you mean {close!r}?")
                if close
                else wording(f"The shop has no {kind} {text!r}.")
            )
            yield Finding("unknown_name", message, where)

    def divisions(self, root: Condition, path: str) -> Iterator[Finding]:
        """Yield the calculations that divide by what can be 0."""
        for node, where in _walk(root, path):
            if not isinstance(node, Compare):
                continue
            for divisor in (each for term in node.terms for each in divisors_of(term)):
                least, most = hull(divisor, ANYTHING)
                if least <= 0 <= most:
                    by = self.words.term(divisor)
                    message = wording(
                        f"This divides by {by}, which can be 0: the comparison does not hold then."
                    )
                    yield Finding("divides_by_zero", message, where)

    def _why_never(self, root: Condition) -> str:
        """Return what makes a rule impossible: two parts that exclude each other, where two do."""
        if isinstance(root, BooleanLiteral):
            return wording("This rule matches no one: it says so itself.")
        pair = _conflict(root)
        if pair is None:
            return wording(f"This rule never matches: it can't be that {self._said(root)}.")
        one, other = (self._said(each) for each in pair)
        return wording(f"This rule never matches: it can't be that {one}, and also that {other}.")

    def _said(self, node: Condition) -> str:
        return self.words.condition(node)


def _conflict(root: Condition) -> tuple[Condition, Condition] | None:
    """Return two conditions, both of which the rule asks for, that exclude each other."""
    asked = list(_asked(root))
    for tried, (one, other) in enumerate(combinations(asked, 2)):
        if tried >= MOST_PAIRS:
            return None
        if possible(one) and possible(other) and possible(AllOf((one, other))) is None:
            return one, other
    return None


def _asked(node: Condition) -> Iterator[Condition]:
    """Yield the conditions that all have to hold for this one to."""
    if isinstance(node, AllOf):
        for part in node.parts:
            yield from _asked(part)
    else:
        yield node


def _meets(root: Condition, today: date) -> bool:
    """Return whether the rule can match today or later."""
    later = Numbers((((today.toordinal(), 0), (date.max.toordinal(), 0)),))
    return possible(root, Space({"time.date": Range(later)})) is not None


def _walk(node: Condition, path: str) -> Iterator[tuple[Condition, str]]:
    """Yield every condition with its place."""
    yield node, path
    if isinstance(node, (AllOf, AnyOf)):
        operator = "and" if isinstance(node, AllOf) else "or"
        for at, part in enumerate(node.parts):
            yield from _walk(part, f"{path}.{operator}[{at}]")
    elif isinstance(node, Not):
        yield from _walk(node.part, f"{path}.![0]")


def named(root: Condition, path: str) -> Iterator[tuple[Names, str, str]]:
    """Yield each text that is to name something in the shop: what that is, the text, its place."""
    for field, text, where in _texts(root, path):
        if field.names:
            yield field.names, text, where


def _texts(root: Condition, path: str) -> Iterator[tuple[Field, str, str]]:
    for node, where in _walk(root, path):
        match node:
            case OneOf(field, choices):
                yield from ((field, each, where) for each in choices if isinstance(each, str))
            case Overlap(_, field, choices):
                yield from ((field, each, where) for each in choices)
            case Contains(field, Constant(str(value))):
                yield field, value, where
            case Compare(_, (FieldValue(field), Constant(str(value)))) | Compare(
                _, (Constant(str(value)), FieldValue(field))
            ):
                yield field, value, where
