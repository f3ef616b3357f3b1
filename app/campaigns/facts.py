"""What rules may know at the moment of a decision, as far as the visitor allows it. Pure.

A fact that is not allowed or not known is None. Only those are worked out that the shop's running rules
read, and a few cheap ones beside, so that a rule can be tried on past decisions before it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.campaigns.moment import Moment
from app.catalog.catalog import Product
from app.profiles.customer import Profile
from app.rules.fields import FIELDS, WEEKDAYS, Value
from app.values import exponent, price_minor

_DAY_S = 86_400
MANY_PAGES = 3
LONG_S = 60
_MOST_TAGS = 2_000


Reader = Callable[[Moment], Value]


def facts_of(moment: Moment, readers: Iterable[tuple[str, Reader]]) -> dict[str, Value]:
    """Return the facts by name, those that are None left out: the same to a rule."""
    found = {name: read(moment) for name, read in readers}
    return {name: value for name, value in found.items() if value is not None}


def readers_of(names: Iterable[str]) -> tuple[tuple[str, Reader], ...]:
    """Return how each of the facts is read; one that nothing tells yet is left out, and so never known."""
    return tuple((name, _allowed(name, READERS[name])) for name in sorted(names) if name in READERS)


def page_of(surface: str) -> str:
    """Return the page that a block stands on: the order summary's is the checkout."""
    return "checkout" if surface == "checkout_lines" else surface


def evidence_of(facts: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the different kinds of engagement that the facts tell of: one action alone says little.

    facts: with all of ALWAYS; what they leave out was not seen.
    """

    def at_least(name: str, least: float) -> bool:
        value = facts.get(name)
        return isinstance(value, int | float) and value >= least

    kinds = {
        "cart": at_least("cart.lines", 1) or bool(facts.get("cart.product_ids")),
        "dwell": at_least("visit.dwell_s", LONG_S) or at_least("checkout.dwell_s", LONG_S),
        "pages": at_least("visit.pages", MANY_PAGES),
        "products": at_least("visit.products", 1) or bool(facts.get("visit.viewed_product_ids")),
        "search": at_least("visit.searches", 1),
        "checkout": at_least("visit.step", 1),
        "return": at_least("visit.visits", 2),
    }
    return tuple(name for name, seen in kinds.items() if seen)


def _allowed(name: str, read: Reader) -> Reader:
    """Return the reader behind the permission that the field needs."""
    needs = FIELDS[name].needs
    if needs == "visit":
        return lambda moment: read(moment) if moment.may.may_use_visit else None
    if needs == "profile":
        return lambda moment: read(moment) if moment.may.may_use_profile else None
    return read


def _major(amount_minor: int | None, currency: str) -> float | None:
    """Return minor units as a number of whole units; None of nothing."""
    if amount_minor is None:
        return None
    digits = exponent(currency)
    return float(round(amount_minor / 10**digits, digits))


def _subtotal(moment: Moment) -> Value:
    return _major(moment.subtotal_minor, moment.catalog.currency)


def _dearest_line(moment: Moment) -> Value:
    if not moment.own_currency:
        return None
    currency = moment.catalog.currency
    prices = (price_minor(line.price, currency) for line in moment.asked.cart.lines)
    return _major(max(prices, default=None), currency)


def _dearest(moment: Moment, products: Sequence[Product] | None) -> Value:
    """Return the highest price at which one of the products begins, None without any."""
    prices = [variant.price_minor for each in products or () if (variant := each.offered)]
    return _major(max(prices, default=None), moment.catalog.currency)


def _types(products: Sequence[Product] | None) -> Value:
    return None if products is None else _texts(each.product_type for each in products)


def _texts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return each text once, in order; products without one say nothing."""
    return tuple(dict.fromkeys(each for each in texts if each))


def _tags(products: Sequence[Product]) -> Value:
    """Return the products' tags. Whoever asks names the cart: of more than that all others would wait."""
    tags = _texts(tag for each in products for tag in each.tags)
    return tags if len(tags) <= _MOST_TAGS else None


def _collections(products: Sequence[Product] | None) -> Value:
    """Return the collections that the products are in, None of more than any cart is in."""
    if products is None:
        return None
    found = _texts(each for product in products for each in product.in_collections)
    return found if len(found) <= _MOST_TAGS else None


def _of_visit(name: str) -> Reader:
    def read(moment: Moment) -> Value:
        value: int | None = None if moment.visit is None else getattr(moment.visit, name)
        return value

    return read


def _viewed_ids(moment: Moment) -> Value:
    return None if moment.visit is None else tuple(map(str, moment.visit.last_viewed))


def _idle(moment: Moment) -> Value:
    visit = moment.visit
    return None if visit is None else max(0, int(moment.now.timestamp()) - visit.last_at)


def _returning(moment: Moment) -> Value:
    return None if moment.visit is None else moment.visit.visits > 1


def _signal(name: str, unit: int = 1) -> Reader:
    def read(moment: Moment) -> Value:
        told: int | None = getattr(moment.asked.signals, name, None)
        return None if told is None else told // unit

    return read


def _of_profile(read: Callable[[Profile], Value]) -> Reader:
    return lambda moment: None if moment.profile is None else read(moment.profile)


def _spent(name: str) -> Reader:
    def read(moment: Moment) -> Value:
        amount: int | None = None if moment.profile is None else getattr(moment.profile, name)
        return _major(amount, moment.catalog.currency)

    return read


def _days_since_order(moment: Moment) -> Value:
    last_at = moment.profile.last_ever_at if moment.profile else None
    return None if last_at is None else max(0, int(moment.now.timestamp()) - last_at) // _DAY_S


def _cold(moment: Moment) -> Value:
    """Return whether the shop does not know the shopper: no order, and no visit before this one."""
    ordered = moment.profile is not None and moment.profile.orders_ever > 0
    return not ordered and (moment.visit is None or moment.visit.visits <= 1)


def _country(moment: Moment) -> Value:
    return moment.asked.country.upper() if moment.asked.country else None


def _locale(moment: Moment) -> Value:
    """Return the locale as rules spell it: `pt-BR`."""
    return moment.asked.locale.replace("_", "-") if moment.asked.locale else None


def _language(moment: Moment) -> Value:
    locale = moment.asked.locale
    return locale.replace("_", "-").partition("-")[0].lower() if locale else None


def _of_product(read: Callable[[Product], Value]) -> Reader:
    return lambda moment: None if moment.shown is None else read(moment.shown)


def _intent(name: str) -> Reader:
    def read(moment: Moment) -> Value:
        return None if moment.intents is None else round(getattr(moment.intents, name), 4)

    return read


# What is in FIELDS and not here nothing tells yet: it is None to every rule.
READERS: Mapping[str, Reader] = {
    "cart.subtotal": _subtotal,
    "cart.discounted": lambda moment: None if (codes := moment.asked.cart.codes) is None else bool(codes),
    "cart.lines": lambda moment: len(moment.asked.cart.lines),
    "cart.units": lambda moment: sum(line.quantity for line in moment.asked.cart.lines),
    "cart.product_ids": lambda moment: tuple(map(str, moment.asked.cart.product_ids)),
    "cart.product_types": lambda moment: _types(moment.in_cart),
    "cart.vendors": lambda moment: _texts(each.vendor for each in moment.in_cart),
    "cart.tags": lambda moment: _tags(moment.in_cart),
    "cart.collections": lambda moment: _collections(moment.in_cart),
    "cart.dearest_price": _dearest_line,
    **{
        f"visit.{name}": _of_visit(name)
        for name in (
            "pages", "products", "dwell_s", "searches", "searches_empty", "added", "removed", "step",
            "errors", "visits", "steps_back", "coupon_failures",
        )
    },
    "visit.exit_intent": lambda moment: None if moment.visit is None else moment.visit.exit_intents > 0,
    "visit.idle_s": _idle,
    "visit.returning": _returning,
    "visit.viewed_product_ids": _viewed_ids,
    "visit.viewed_product_types": lambda moment: _types(moment.viewed),
    "visit.viewed_collections": lambda moment: _collections(moment.viewed),
    "visit.viewed_dearest_price": lambda moment: _dearest(moment, moment.viewed),
    "checkout.surface": lambda moment: page_of(moment.asked.surface),
    "checkout.dwell_s": _signal("dwell_ms", 1000),
    "checkout.errors": _signal("errors"),
    "checkout.steps": _signal("steps"),
    "profile.orders": _of_profile(lambda profile: profile.orders_ever),
    "profile.spent": _spent("spent_ever_minor"),
    "profile.aov": _spent("aov_minor"),
    "profile.lifetime_value": _spent("spend_ahead_minor"),
    "profile.days_since_order": _days_since_order,
    "profile.discount_affinity": _of_profile(lambda profile: profile.discount_affinity),
    "profile.return_rate": _of_profile(lambda profile: profile.return_rate),
    "profile.segments": lambda moment: None if moment.profile is None else moment.segments,
    "shopper.cold": _cold,
    "market.country": _country,
    "market.locale": _locale,
    "market.language": _language,
    "market.currency": lambda moment: moment.asked.cart.currency,
    "time.hour": lambda moment: moment.now.hour,
    "time.weekday": lambda moment: WEEKDAYS[moment.now.weekday()],
    "time.date": lambda moment: moment.now.date().isoformat(),
    "intent.now": _intent("now"),
    "intent.visit": _intent("visit"),
    "product.id": _of_product(lambda product: str(product.product_id)),
    "product.type": _of_product(lambda product: product.product_type or None),
    "product.vendor": _of_product(lambda product: product.vendor or None),
    "product.collections": _of_product(lambda product: _collections([product])),
    "product.price": lambda moment: _dearest(moment, [moment.shown] if moment.shown else []),
    "trigger.type": lambda moment: moment.asked.trigger_type,
}  # fmt: skip

# Cheap, and enough to try most rules on past decisions beside what a decision says of itself.
ALWAYS: frozenset[str] = frozenset({
    "cart.lines", "cart.units", "visit.pages", "visit.products", "visit.dwell_s",
    "visit.searches", "visit.added", "visit.removed", "visit.step", "visit.errors", "visit.visits",
    "checkout.dwell_s", "checkout.errors", "profile.orders", "profile.spent", "profile.aov",
    "market.language", "trigger.type",
})  # fmt: skip
