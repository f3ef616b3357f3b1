"""When a checkout whose cart stays as it is may be told something new. Pure.

A rule can read what goes on meanwhile: how long the shopper stays, what goes wrong, that they are about
to leave. And whose visit a checkout is of, the pixel tells while the checkout asks for the first time. No
change of the cart asks for that, so an answer says when it is worth asking once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from app.campaigns.facts import LONG_S
from app.rules.nodes import AllOf, AnyOf, Compare, Condition, Constant, FieldValue, Not, Rule, Term, fields_of

SOON_S = (5, 20)  # by one of them the pixel has told whose visit it is
LATEST_S = 900
# Times at which a page asks by itself, at most: every shopper of the shop pays for them.
MOST = 4
# Kinds of engagement that every checkout shows once its visit is known: a cart, and a begun checkout.
_AT_ONCE = 2
# What is compared with a time, and how much later than that time it has surely passed: a visit's clock is
# as old as its last event, which came a little before or after the page's first question.
_CLOCKS = {"checkout.dwell_s": 1, "visit.dwell_s": 15, "visit.idle_s": 15}
_BY_THE_PAGE = frozenset({"checkout.dwell_s", "checkout.errors", "checkout.steps"})
_GOES_ON = frozenset(_CLOCKS) | _BY_THE_PAGE | {
    "visit.exit_intent", "visit.errors", "visit.step", "visit.steps_back", "visit.coupon_failures",
    "intent.now", "intent.visit",
}  # fmt: skip


class Marks(NamedTuple):
    """After how many seconds of a stay a campaign may apply that did not at its beginning.

    soon: also once it is known whose visit it is.
    """

    times: frozenset[int] = frozenset()
    soon: bool = False


def marks_of(rule: Rule, evidence: int = 0) -> Marks:
    """Return the marks of a campaign.

    They are when a time is over that its rule names; a minute where it reads what goes on and names none, or
    where the dwelling itself is needed as evidence. evidence: how many kinds of engagement it asks for.
    """
    fields = set(fields_of(rule.root))
    times = {mark for each in _comparisons(rule.root) for mark in _named(each)}
    if not times and any(field.name in _GOES_ON for field in fields):
        times.add(LONG_S)
    if evidence > _AT_ONCE:
        times.add(LONG_S + 1)
    soon = evidence > 1 or any(each.needs == "visit" and each.name not in _BY_THE_PAGE for each in fields)
    return Marks(frozenset(time for time in times if time <= LATEST_S), soon)


def _comparisons(node: Condition) -> Iterator[Compare]:
    if isinstance(node, Compare):
        yield node
    elif isinstance(node, (AllOf, AnyOf)):
        for part in node.parts:
            yield from _comparisons(part)
    elif isinstance(node, Not):
        yield from _comparisons(node.part)


def _named(compared: Compare) -> Iterator[int]:
    """Yield when each time is over that a clock is compared with."""
    clocks = [each.field.name for each in compared.terms if isinstance(each, FieldValue)]
    for name in clocks:
        if name in _CLOCKS:
            yield from (ceil(time) + _CLOCKS[name] for time in map(_time, compared.terms) if time is not None)


def _time(term: Term) -> float | None:
    """Return a constant's number of seconds, None for what is no time."""
    if not isinstance(term, Constant) or isinstance(term.value, (bool, str)) or term.value <= 0:
        return None
    return term.value
