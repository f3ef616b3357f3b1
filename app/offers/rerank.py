"""What business adds to a ranking: one pure step a consideration, summed into a score. Pure.

A step takes a candidate and what surrounds it, and returns what it adds to the score, in log odds: 0 is no
opinion, NEVER takes the candidate out. So the order of steps changes nothing, and each can be read alone.
What most of them add follows from the product and the merchant's terms: it is summed when those change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log

NEVER = float("-inf")
PINNED = 100.0
TOO_DEAR = 1.0
LOOKED_AT = 0.5
SUBSTITUTE = 0.7
SAME_TYPE = 0.5
SLOW = 1.0
DEAR_RATIO = 2.0  # times the cart's subtotal
SLOW_DAYS = 14
LAST_UNITS = 1  # what may be gone before the order is placed


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that was ranked and what the shop knows of it; None is unknown.

    kind: its type; one without a type is of its own. cost_minor: what a unit costs the shop.
    stock: units left. lead_days: until it is sent. return_rate: share of sold units that come back.
    standing: what the steps add that look at no cart, see `with_standing`.
    """

    product_id: int
    price_minor: int
    kind: str | int
    cost_minor: int | None = None
    stock: int | None = None
    lead_days: int | None = None
    return_rate: float | None = None
    standing: float = 0.0


@dataclass(frozen=True, slots=True)
class Terms:
    """What the merchant wants. dear_ratio: times the cart's subtotal, beyond it a product is too dear.

    bought_twice: kinds of which people really buy a second one with the first. substitute, same_type: what
    is taken off a product of a kind in the cart, and off each further one of a kind; 0 where the model does.
    margin: the shop's usual share of a price that is profit, for products whose cost is unknown.
    """

    pinned: frozenset[int] = frozenset()
    boosts: Mapping[int, float] = field(default_factory=dict)
    dear_ratio: float = DEAR_RATIO
    slow_days: int = SLOW_DAYS
    bought_twice: frozenset[str | int] = frozenset()
    substitute: float = SUBSTITUTE
    same_type: float = SAME_TYPE
    margin: float | None = None
    discount: float = 0.0


@dataclass(frozen=True, slots=True)
class Around:
    """The cart the candidates are for. subtotal_minor: None when unknown. sent_away: what they said no to."""

    terms: Terms = Terms()
    subtotal_minor: int | None = None
    viewed: Collection[int] = ()
    kinds_in_cart: frozenset[str | int] = frozenset()
    sent_away: Collection[int] = ()


Step = Callable[[Candidate, Around], float]


def profit(candidate: Candidate, around: Around) -> float:
    """Return the log of margin less discount over the price, 0 where no cost of the shop is known.

    Acceptance × profit, in logs: the score holds the acceptance. What would be sold at a loss is never
    offered.
    """
    terms = around.terms
    if terms.margin is None or not candidate.price_minor:
        return 0.0
    if candidate.cost_minor is None:
        share = terms.margin - terms.discount
    else:
        share = 1 - terms.discount - candidate.cost_minor / candidate.price_minor
    return log(candidate.price_minor * share / 100) if share > 0 else NEVER


def stock(candidate: Candidate, _: Around) -> float:
    """Return NEVER for the last unit: it may be gone before the order is placed."""
    return NEVER if candidate.stock is not None and candidate.stock <= LAST_UNITS else 0.0


def lead_time(candidate: Candidate, around: Around) -> float:
    """Return less for what would hold the whole order up."""
    slow = candidate.lead_days is not None and candidate.lead_days > around.terms.slow_days
    return -SLOW if slow else 0.0


def returns(candidate: Candidate, _: Around) -> float:
    """Return the log of the share that is kept."""
    if candidate.return_rate is None:
        return 0.0
    return log(1 - candidate.return_rate) if candidate.return_rate < 1 else NEVER


def pins(candidate: Candidate, around: Around) -> float:
    """Return enough to come first for what the merchant pinned."""
    return PINNED if candidate.product_id in around.terms.pinned else 0.0


def boosts(candidate: Candidate, around: Around) -> float:
    """Return the log of the merchant's factor."""
    return log(around.terms.boosts.get(candidate.product_id, 1.0))


def price_to_cart(candidate: Candidate, around: Around) -> float:
    """Return less for what is dear beside the cart."""
    if not around.subtotal_minor:
        return 0.0
    return -TOO_DEAR if candidate.price_minor > around.terms.dear_ratio * around.subtotal_minor else 0.0


def looked_at(candidate: Candidate, around: Around) -> float:
    """Return more for what the visit looked at."""
    return LOOKED_AT if candidate.product_id in around.viewed else 0.0


def said_no(candidate: Candidate, around: Around) -> float:
    """Return NEVER for what the shopper said is not for them."""
    return NEVER if candidate.product_id in around.sent_away else 0.0


def complement(candidate: Candidate, around: Around) -> float:
    """Return less for a second one of a kind in the cart, unless people really buy it so."""
    if candidate.kind in around.terms.bought_twice or candidate.kind not in around.kinds_in_cart:
        return 0.0
    return -around.terms.substitute


OF_PRODUCT: tuple[Step, ...] = (profit, stock, lead_time, returns, pins, boosts)
OF_CART: tuple[Step, ...] = (price_to_cart, looked_at, said_no, complement)


def with_standing(candidate: Candidate, terms: Terms) -> Candidate:
    """Return the candidate with what the steps OF_PRODUCT add under these terms."""
    around = Around(terms)
    return replace(candidate, standing=sum(step(candidate, around) for step in OF_PRODUCT))


def rerank(candidates: Sequence[Candidate], scores: Sequence[float], around: Around, most: int) -> list[int]:
    """Return the positions of at most so many candidates, best first, after every step and diversity.

    candidates: `with_standing` under the same terms.
    """
    adjusted = [score + candidate.standing for candidate, score in zip(candidates, scores, strict=True)]
    for step in _speaking(around):
        adjusted = [
            score + step(candidate, around) for candidate, score in zip(candidates, adjusted, strict=True)
        ]
    return diverse(candidates, adjusted, most, around.terms.same_type)


def _speaking(around: Around) -> list[Step]:
    """Return the steps OF_CART that have an opinion of any product beside this cart."""
    speaks = (
        around.subtotal_minor,
        around.viewed,
        around.sent_away,
        around.kinds_in_cart and around.terms.substitute,
    )
    return [step for step, speaks in zip(OF_CART, speaks, strict=True) if speaks]


def diverse(
    candidates: Sequence[Candidate], scores: Sequence[float], most: int, same_type: float = SAME_TYPE
) -> list[int]:
    """Return the positions of the best, each chosen with the kinds of those before it in view."""
    left, kinds = list(scores), [candidate.kind for candidate in candidates]
    chosen: list[int] = []
    while len(chosen) < most and (best := max(left, default=NEVER)) > NEVER:
        at = left.index(best)
        chosen.append(at)
        left[at] = NEVER
        if same_type:
            kind = kinds[at]
            left = [score - same_type if of == kind else score for score, of in zip(left, kinds, strict=True)]
    return chosen
