"""The terms of a score: what can speak for a product, how much each counts, and for whom more or less."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from math import log, log1p
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Past(NamedTuple):
    """In how many orders a product was bought, and how many days ago the last time."""

    times: float
    days: float


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each term counts; learnt per shop on its validation period. In units of log odds a deviation.

    together: bought with the cart; with_history: bought with what the shopper has. learned: LightFM's,
    as a whole; learned_customer, learned_item: what the customer and the item bring to it, beside.
    repeats: bought before, halved every 90 days; month: the same, every 30; times, bought, twice: how
    often, at all, again; rate, rate_lately: the share of the shopper's orders that hold it.
    popular, recent: orders that hold it, of the last months and weeks. kind_history, kind_popular:
    the same of its kind. same_kind: products of its kind in the cart, 2 at most. fresh: new in the shop.
    …_again: counts only for what was bought before.
    """

    together: float = 1.0
    learned: float = 0.0
    repeats: float = 0.0
    popular: float = 0.0
    fresh: float = 0.0
    with_history: float = 0.0
    learned_customer: float = 0.0
    learned_item: float = 0.0
    times: float = 0.0
    bought: float = 0.0
    twice: float = 0.0
    rate: float = 0.0
    month: float = 0.0
    rate_lately: float = 0.0
    recent: float = 0.0
    same_kind: float = 0.0
    kind_history: float = 0.0
    kind_popular: float = 0.0
    together_again: float = 0.0
    popular_again: float = 0.0

    def row(self) -> NDArray[np.float64]:
        """Return the weights in the order of TERMS."""
        return np.array(astuple(self))


TERMS = tuple(field.name for field in fields(Weights))
AT = {name: at for at, name in enumerate(TERMS)}
# What is only known of products that the shopper bought before.
OF_HISTORY = ("repeats", "times", "month", "bought", "twice", "rate", "rate_lately")
BOUGHT = np.array([AT[name] for name in OF_HISTORY[1:]])
# What a product has whoever asks: the rows of `Arrays.standing`, the learned one's part last.
STANDING = np.array([AT[name] for name in ("popular", "recent", "fresh", "kind_popular", "learned_item")])
KINDS = np.array([AT["same_kind"], AT["kind_history"]])  # the rows of `Visit.kinds`
CIRCUMSTANCES = 3
REPEATS_HALF_LIFE_DAYS = 90.0
MONTH_DAYS = 30.0


def circumstances(cart_size: int, known: bool, orders: int) -> NDArray[np.float64]:
    """Return what shifts the weights, (3,): a known shopper, the cart's size, the shopper's orders."""
    return np.array([float(known), log(max(cart_size, 1)), log1p(orders) if known else 0.0])


def no_shifts() -> NDArray[np.float64]:
    """Return weights that are the same for everyone."""
    return np.zeros((CIRCUMSTANCES, len(TERMS)))


def of_history(times: NDArray[np.float64], days: NDArray[np.float64], orders: int) -> NDArray[np.float64]:
    """Return the terms OF_HISTORY of what was bought, shape (7, products); repeats not yet a z-score."""
    rate = np.sqrt(times / np.maximum(times, max(orders, 1)))
    terms = np.ones((len(OF_HISTORY), len(times)))
    terms[0], terms[2] = np.exp2(days / -REPEATS_HALF_LIFE_DAYS), np.exp2(days / -MONTH_DAYS)
    terms[4:] = times > 1, rate, rate * terms[2]
    terms[:3] *= times
    np.log1p(terms[:3], out=terms[:3])
    return terms
