"""What a rule may read: each fact's name, kind, unit, range, and the permission it needs. Pure.

A fact that is not known, or that the visitor does not allow to be used, is None. Money is in the
shop's own currency, as a number of whole units (80.5), and None when the cart is in another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

Value = bool | int | float | str | tuple[str, ...] | None
Facts = Mapping[str, Value]

Kind = Literal["number", "money", "flag", "text", "texts", "date"]
Unit = Literal["seconds", "days", "share", "hour"]
Needs = Literal["none", "visit", "profile"]
# What a text names, so that a name the shop does not have can be told.
Names = Literal["product", "product_type", "vendor", "tag", "collection", "segment"]

NUMBERS: frozenset[Kind] = frozenset({"number", "money"})
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SURFACES = ("checkout", "thank_you", "order_status", "storefront")
_ID, _COUNTRY, _CURRENCY = r"[0-9]{1,19}", r"[A-Z]{2}", r"[A-Z]{3}"
_LOCALE, _LANGUAGE = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", r"[a-z]{2,3}"


@dataclass(frozen=True, slots=True)
class Field:
    """A fact that rules may read.

    kind: `texts` is a list of texts, `date` a text like 2026-11-27. needs: what the visitor must
    allow, else the fact is None. least, most: of a number, None where there is no end. whole: no
    fractions. choices: all that a text can be, empty where it can be anything. pattern: what a text
    looks like, a regular expression. names: what its texts name in the shop.
    """

    name: str
    kind: Kind
    label: str
    example: bool | int | float | str
    needs: Needs = "none"
    unit: Unit | None = None
    least: float | None = None
    most: float | None = None
    whole: bool = False
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    names: Names | None = None

    @property
    def is_number(self) -> bool:
        """Return whether it can be calculated with."""
        return self.kind in NUMBERS


def _count(name: str, label: str, example: int, **more: Any) -> Field:
    return Field(name, "number", label, example, least=0, whole=True, **more)


def _money(name: str, label: str, example: float, **more: Any) -> Field:
    return Field(name, "money", label, example, least=0, **more)


def _share(name: str, label: str, example: float, needs: Needs) -> Field:
    return Field(name, "number", label, example, needs=needs, unit="share", least=0, most=1)


def _ids(name: str, label: str, **more: Any) -> Field:
    return Field(name, "texts", label, "8011223344556", pattern=_ID, names="product", **more)


def _collections(name: str, label: str, **more: Any) -> Field:
    return Field(name, "texts", label, "winter-sale", names="collection", **more)


_CART = (
    _money("cart.subtotal", "the cart's subtotal", 80.0),
    _count("cart.lines", "the number of lines in the cart", 3),
    _count("cart.units", "the number of items in the cart", 4),
    _ids("cart.product_ids", "the products in the cart"),
    Field("cart.product_types", "texts", "the product types in the cart", "Skis", names="product_type"),
    Field("cart.vendors", "texts", "the vendors in the cart", "Nordwand", names="vendor"),
    Field("cart.tags", "texts", "the tags of the products in the cart", "outdoor", names="tag"),
    _collections("cart.collections", "the collections of the products in the cart"),
    _money("cart.dearest_price", "the price of the dearest item in the cart", 120.0),
    Field("cart.discounted", "flag", "the cart has a discount already", True),
)
_VISIT = (
    _count("visit.pages", "the number of pages seen in this visit", 5, needs="visit"),
    _count("visit.products", "the number of products seen in this visit", 3, needs="visit"),
    _count("visit.dwell_s", "the time spent in this visit", 180, needs="visit", unit="seconds"),
    _count("visit.idle_s", "the time since the last action", 60, needs="visit", unit="seconds"),
    _count("visit.searches", "the number of searches in this visit", 2, needs="visit"),
    _count("visit.searches_empty", "the number of searches that found nothing", 1, needs="visit"),
    _count("visit.added", "the number of times something was put into the cart", 2, needs="visit"),
    _count("visit.removed", "the number of times something was taken out of the cart", 1, needs="visit"),
    _count("visit.step", "how far the checkout got (0 to 6)", 3, needs="visit", most=6),
    _count("visit.steps_back", "the number of steps back in the checkout", 1, needs="visit"),
    _count("visit.errors", "the number of errors shown in this visit", 2, needs="visit"),
    _count("visit.coupon_failures", "the number of coupon codes that were refused", 1, needs="visit"),
    _count("visit.visits", "the number of visits so far", 2, needs="visit"),
    Field("visit.returning", "flag", "the shopper has been here before", True, needs="visit"),
    Field("visit.exit_intent", "flag", "the shopper is about to leave", True, needs="visit"),
    _ids("visit.viewed_product_ids", "the products looked at lately", needs="visit"),
    Field(
        "visit.viewed_product_types", "texts", "the product types looked at lately", "Skis",
        needs="visit", names="product_type",
    ),
    _collections(
        "visit.viewed_collections", "the collections of the products looked at lately", needs="visit"
    ),
    _money(
        "visit.viewed_dearest_price", "the price of the dearest product looked at", 1000.0, needs="visit"
    ),
)  # fmt: skip
_CHECKOUT = (
    Field("checkout.surface", "text", "the page that asks", "checkout", choices=SURFACES),
    _count("checkout.dwell_s", "the time spent in the checkout", 90, needs="visit", unit="seconds"),
    _count("checkout.errors", "the number of errors shown in the checkout", 1, needs="visit"),
    _count("checkout.steps", "the number of steps taken in the checkout", 2, needs="visit"),
)
_PROFILE = (
    _count("profile.orders", "the number of the customer's orders so far", 3, needs="profile"),
    _money("profile.spent", "what the customer has spent so far", 400.0, needs="profile"),
    _money("profile.aov", "the customer's average order", 75.0, needs="profile"),
    _count(
        "profile.days_since_order", "the time since the customer's last order", 30,
        needs="profile", unit="days",
    ),
    _share("profile.discount_affinity", "the share of orders with a discount", 0.5, "profile"),
    _share("profile.return_rate", "the share of spending that was refunded", 0.1, "profile"),
    _money("profile.lifetime_value", "the spending expected in the next 90 days", 150.0, needs="profile"),
    Field(
        "profile.segments", "texts", "the customer's segments", "champions",
        needs="profile", names="segment",
    ),
)  # fmt: skip
_AROUND = (
    Field("shopper.cold", "flag", "the shop does not know the shopper yet", True),
    Field("market.country", "text", "the country", "DE", pattern=_COUNTRY),
    Field("market.locale", "text", "the locale", "de-DE", pattern=_LOCALE),
    Field("market.language", "text", "the language", "de", pattern=_LANGUAGE),
    Field("market.currency", "text", "the shopper's currency", "EUR", pattern=_CURRENCY),
    _count("time.hour", "the hour of the day in the shop", 18, unit="hour", most=23),
    Field("time.weekday", "text", "the day of the week in the shop", "friday", choices=WEEKDAYS),
    Field("time.date", "date", "the date in the shop", "2026-11-27"),
    _share("intent.now", "the chance of a purchase within five minutes", 0.3, "visit"),
    _share("intent.visit", "the chance of a purchase in this visit", 0.6, "visit"),
    Field("product.id", "text", "the product shown", "8011223344556", pattern=_ID, names="product"),
    Field("product.type", "text", "the type of the product shown", "Skis", names="product_type"),
    Field("product.vendor", "text", "the vendor of the product shown", "Nordwand", names="vendor"),
    _collections("product.collections", "the collections of the product shown"),
    _money("product.price", "the price of the product shown", 49.0),
    Field("trigger.type", "text", "what made the page ask", "exit_intent", pattern=r"[A-Za-z0-9_.-]{1,40}"),
)

FIELDS: Mapping[str, Field] = {each.name: each for each in (*_CART, *_VISIT, *_CHECKOUT, *_PROFILE, *_AROUND)}


def nearest(name: str, among: Mapping[str, object] | tuple[str, ...] | frozenset[str]) -> str | None:
    """Return what was most likely meant by a name that is not among these, None when nothing is near."""
    close = get_close_matches(name[:100], sorted(among), n=1)
    return close[0] if close else None
