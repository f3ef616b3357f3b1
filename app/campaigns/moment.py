"""The moment of a decision: all that rules' facts are read from. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Protocol

from app.catalog.catalog import Catalog, Product
from app.consent.policy import Permissions
from app.profiles.customer import Profile
from app.profiles.visit import Visit


class Line(Protocol):
    """A line of the cart asked about."""

    @property
    def quantity(self) -> int: ...

    @property
    def price(self) -> str: ...


class Cart(Protocol):
    """The cart asked about."""

    @property
    def currency(self) -> str: ...

    @property
    def subtotal(self) -> str: ...

    @property
    def lines(self) -> Sequence[Line]: ...

    @property
    def product_ids(self) -> tuple[int, ...]: ...

    @property
    def codes(self) -> Sequence[str] | None: ...


class Signals(Protocol):
    """What the browser noticed."""

    @property
    def dwell_ms(self) -> int | None: ...

    @property
    def errors(self) -> int | None: ...

    @property
    def steps(self) -> int | None: ...


class Asked(Protocol):
    """What was asked; its shape only, for the wire stands above this domain."""

    @property
    def surface(self) -> str: ...

    @property
    def cart(self) -> Cart: ...

    @property
    def trigger_type(self) -> str | None: ...

    @property
    def locale(self) -> str | None: ...

    @property
    def country(self) -> str | None: ...

    @property
    def signals(self) -> Signals | None: ...


class Intents(Protocol):
    """How likely a purchase is, in this visit and within minutes."""

    @property
    def now(self) -> float: ...

    @property
    def visit(self) -> float: ...


@dataclass(frozen=True)
class Moment:
    """One decision's moment. now: aware, in the shop's zone.

    subtotal_minor: None where the cart is in another currency than the shop's. product_id: of the product
    shown, if one is. profile: None unless it may be used and there is one. visit: None unless it may be
    used and did something. intents: None where nobody estimates them.
    """

    now: datetime
    asked: Asked
    subtotal_minor: int | None
    product_id: int | None
    may: Permissions
    catalog: Catalog
    profile: Profile | None
    segments: tuple[str, ...]
    visit: Visit | None
    intents: Intents | None = None

    @cached_property
    def in_cart(self) -> tuple[Product, ...]:
        """Return the products of the cart that the shop has."""
        return _known(self.catalog, self.asked.cart.product_ids)

    @cached_property
    def viewed(self) -> tuple[Product, ...] | None:
        """Return the products looked at that the shop has, None where that is not known."""
        return None if self.visit is None else _known(self.catalog, self.visit.last_viewed)

    @property
    def shown(self) -> Product | None:
        """Return the product that is shown."""
        return None if self.product_id is None else self.catalog.get(self.product_id)

    @property
    def own_currency(self) -> bool:
        """Return whether the cart is in the shop's currency."""
        return self.asked.cart.currency == self.catalog.currency


def _known(catalog: Catalog, product_ids: Sequence[int]) -> tuple[Product, ...]:
    return tuple(product for each in product_ids if (product := catalog.get(each)) is not None)
