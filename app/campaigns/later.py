"""When a checkout whose cart stays as it is may be told something new. Pure.

A rule can read what goes on meanwhile: how long the shopper stays, what goes wrong, that they are about
to leave. And whose visit a checkout is of, the pixel tells while the checkout asks for the first time. No
change of the cart asks for that, so an answer says when it is worth asking once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil

from app.campaigns.facts import LONG_S
from app.rules.nodes import Compare, Condition, Constant, Either, Every, Not, Read, Rule, Term, fields_of

SOON_S = (5, 20)  # by then the pixel has told whose visit it is
LATEST_S = 900
# Questions that a page asks by itself, at most: every shopper of the shop pays for them.
MOST = 4
# What is compared with a time, and how much later than that time it has surely passed: a visit's clock is
# as old as its last event, which came a little before or after the page's first question.
_CLOCKS = {"checkout.dwell_s": 1, "visit.dwell_s": 15, "visit.idle_s": 15}
_BY_THE_PAGE = frozenset({"checkout.dwell_s", "checkout.errors", "checkout.steps"})
_GOES_ON = frozenset(_CLOCKS) | _BY_THE_PAGE | {
    "visit.exit_intent", "visit.errors", "visit.step", "visit.steps_back", "visit.coupon_failures",
    "intent.now", "intent.visit",
}  # fmt: skip


def marks_of(rule: Rule) -> frozenset[int]:
    """Return after how many seconds of a stay the rule may say something else than at its beginning.

    That is soon, where it reads the visit, and when a time that it names is over; a minute where it reads
    what goes on and names none.
    """
    return frozenset(min(mark, LATEST_S) for mark in _marks(rule.root))


def next_mark(marks: Iterable[int], stayed_s: float) -> int | None:
    """Return how many seconds it is to the next mark, at least 1; None behind the last that is asked at."""
    ahead = [mark - stayed_s for mark in sorted(marks)[:MOST] if mark > stayed_s]
    return max(1, ceil(ahead[0])) if ahead else None


def _marks(root: Condition) -> Iterator[int]:
    fields = set(fields_of(root))
    if any(field.needs == "visit" and field.name not in _BY_THE_PAGE for field in fields):
        yield from SOON_S
    named = [mark for each in _comparisons(root) for mark in _named(each)]
    yield from named
    if not named and any(field.name in _GOES_ON for field in fields):
        yield LONG_S


def _comparisons(node: Condition) -> Iterator[Compare]:
    if isinstance(node, Compare):
        yield node
    elif isinstance(node, (Every, Either)):
        for part in node.parts:
            yield from _comparisons(part)
    elif isinstance(node, Not):
        yield from _comparisons(node.part)


def _named(compared: Compare) -> Iterator[int]:
    """Yield when each time is over that a clock is compared with."""
    clocks = [each.field.name for each in compared.terms if isinstance(each, Read)]
    for name in clocks:
        if name in _CLOCKS:
            yield from (ceil(time) + _CLOCKS[name] for time in map(_time, compared.terms) if time is not None)


def _time(term: Term) -> float | None:
    """Return a constant's number of seconds, None for what is no time."""
    if not isinstance(term, Constant) or isinstance(term.value, (bool, str)) or term.value <= 0:
        return None
    return term.value
