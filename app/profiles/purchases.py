"""What a shop's customers bought, cleaned of what orders can be wrong about. Pure.

Everything about segments is counted from here, so that an odd order is odd once:

| what is odd                     | what it means                                                    |
|---------------------------------|------------------------------------------------------------------|
| the same order again            | the last one given counts                                        |
| placed in the future            | placed now: the sale is a fact, the clock is not                 |
| refunded in part                | what was kept counts                                             |
| refunded whole, or more         | no purchase; what was given back too much lowers the spend       |
| a negative amount               | money given back: no purchase, lowers the spend, never under 0   |
| nothing to pay (gift, 100 % off)| a purchase of 0: the customer came                               |
| another currency than the shop's| a purchase whose amount is not known: no spend                   |
| more than LARGEST_MINOR         | LARGEST_MINOR; review.py shows it to the merchant                |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# So that nine million of them still add up in 64 bits.
LARGEST_MINOR = 10**12
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Orders:
    """A shop's orders that were not cancelled and have a customer, as columns of one length.

    order_ids, customer_ids: int64. placed_at: int64 epoch seconds. amount_minor: int64, what was
    to pay. refunded_minor: int64, what was given back. own_currency: bool, whether both are in the
    shop's currency.
    """

    order_ids: Ints
    customer_ids: Ints
    placed_at: Ints
    amount_minor: Ints
    refunded_minor: Ints
    own_currency: Flags

    def __len__(self) -> int:
        return len(self.order_ids)


class Purchase(NamedTuple):
    """One row of a customer's history.

    placed_at: epoch seconds. net_minor: what the shop kept, negative when it gave money back.
    counts: whether the customer bought something. priced: whether it has an amount to average over: one of
    gift cards alone, or in another currency than the shop's, has none.
    """

    placed_at: int
    net_minor: int
    counts: bool = True
    priced: bool = True


@dataclass(frozen=True, slots=True)
class Purchases:
    """Purchases as columns of one length, by customer and within a customer by time.

    Columns as in Purchase, with customer_ids (int64) and without `priced`.
    """

    customer_ids: Ints
    placed_at: Ints
    net_minor: Ints
    counts: Flags

    def __len__(self) -> int:
        return len(self.customer_ids)

    def where(self, kept: Flags) -> Purchases:
        """Return the rows that are kept."""
        return Purchases(
            self.customer_ids[kept], self.placed_at[kept], self.net_minor[kept], self.counts[kept]
        )

    def before(self, time: int) -> Purchases:
        """Return what was placed at that time or earlier (epoch seconds)."""
        return self.where(self.placed_at <= time)


def clean(orders: Orders, now: int) -> Purchases:
    """Return the purchases, by the table at the top of this file. now: epoch seconds."""
    rows = _last_of_each(orders.order_ids)
    amount = np.clip(orders.amount_minor[rows], -LARGEST_MINOR, LARGEST_MINOR)
    refunded = np.clip(orders.refunded_minor[rows], 0, LARGEST_MINOR)
    own = orders.own_currency[rows]
    customer_ids, placed_at = orders.customer_ids[rows], np.minimum(orders.placed_at[rows], now)
    by_customer = np.lexsort((rows, placed_at, customer_ids))
    return Purchases(
        customer_ids=customer_ids[by_customer],
        placed_at=placed_at[by_customer],
        net_minor=np.where(own, amount - refunded, 0)[by_customer],
        counts=((amount > refunded) | ((amount == 0) & (refunded == 0)))[by_customer],
    )


def history_of(purchases: Purchases, customer_id: int) -> tuple[Purchase, ...]:
    """Return one customer's rows, oldest first."""
    first, last = np.searchsorted(purchases.customer_ids, [customer_id, customer_id + 1])
    columns = (purchases.placed_at, purchases.net_minor, purchases.counts)
    return tuple(map(Purchase, *(column[first:last].tolist() for column in columns)))


def _last_of_each(order_ids: Ints) -> Ints:
    """Return the places of the last row of every order, ascending."""
    _, from_the_end = np.unique(order_ids[::-1], return_index=True)
    return np.sort(len(order_ids) - 1 - from_the_end)
