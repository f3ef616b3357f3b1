"""Which campaign, if any, gives something to who left: weighed as in a checkout, by the same rules. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from app.campaigns.campaign import Running
from app.campaigns.facts import evidence_of, facts_of
from app.campaigns.margin import PricedLine, cards_minor, spare_minor, worth_minor
from app.campaigns.moment import Moment
from app.campaigns.plan import Plan, plan_of
from app.campaigns.shopper_history import CampaignHistory
from app.campaigns.weigh import weigh
from app.campaigns.weighed import Inputs, Weighed
from app.catalog.catalog import Catalog
from app.catalog.costs import costs_of, usual_margin
from app.consent.policy import Permissions
from app.profiles.customer import Profile
from app.reach.store import Abandonment
from app.shops.store import Shop
from app.values import decimal_amount

TRIGGER: Final = "abandonment"


@dataclass(frozen=True, slots=True)
class BasketLine:
    """A line of the basket that was left. price: decimal, as the shop asks it now."""

    product_id: int
    variant_id: int
    quantity: int
    price_minor: int
    price: str


@dataclass(frozen=True, slots=True)
class Basket:
    """The basket as a campaign's facts ask for it."""

    currency: str
    subtotal: str
    lines: tuple[BasketLine, ...]
    codes: None = None  # nobody tells which it had

    @property
    def product_ids(self) -> tuple[int, ...]:
        """Return its products, each once."""
        return tuple(dict.fromkeys(line.product_id for line in self.lines))

    @property
    def priced(self) -> tuple[PricedLine, ...]:
        """Return its lines as margins are worked out of them."""
        return tuple(
            PricedLine(line.product_id, line.quantity, line.price_minor, line.variant_id)
            for line in self.lines
        )


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """An abandoned checkout in place of a checkout's request: its basket, and no browser signals."""

    cart: Basket
    surface: str = "checkout"
    trigger_type: str | None = TRIGGER
    locale: str | None = None
    country: str | None = None
    signals: None = None


@dataclass(frozen=True, slots=True)
class Leaver:
    """Who left. may: what their own last answers allow. told: how often a campaign wrote to them.

    shown: what campaigns of a checkout are to them, as far as that may be used.
    """

    customer_id: int
    may: Permissions
    profile: Profile | None
    told: dict[str, int]
    shown: Mapping[str, CampaignHistory] = field(default_factory=dict)


def basket_of(abandonment: Abandonment, catalog: Catalog) -> Basket:
    """Return the basket at today's prices; what the shop sells no more is not in it."""
    lines = []
    for variant_id, quantity in abandonment.lines:
        product = catalog.product_of(variant_id)
        price_minor = None if product is None else product.price_minor_of(variant_id)
        if product is not None and price_minor is not None:
            price = decimal_amount(price_minor, catalog.currency)
            lines.append(BasketLine(product.product_id, variant_id, quantity, price_minor, price))
    subtotal = decimal_amount(abandonment.subtotal_minor, abandonment.currency or catalog.currency)
    return Basket(abandonment.currency or catalog.currency, subtotal, tuple(lines))


def plan_to_write(shop: Shop, campaigns: Sequence[Running], catalog: Catalog) -> Plan | None:
    """Return what the campaigns for who left are weighed by, None without any."""
    costs = costs_of(shop.settings, catalog)
    return plan_of(
        shop.shop, campaigns, shop.currency, shop.settings, zone=shop.time_zone, costs=costs,
        margin=usual_margin(catalog, costs), trigger=TRIGGER,
    )  # fmt: skip


def weighed_for(
    plan: Plan, abandonment: Abandonment, leaver: Leaver, catalog: Catalog, spent: tuple[str, ...],
    now: datetime,
) -> Weighed:  # fmt: skip
    """Return which campaign writes, and why not the others. spent: those at their total."""
    basket = basket_of(abandonment, catalog)
    moment = _moment(plan, abandonment, basket, leaver, catalog, now)
    facts, sold = facts_of(moment, plan.readers), basket.priced
    # Its delay is waited for before the letter leaves, not before it is chosen.
    told = {name: CampaignHistory(times=leaver.told.get(name, 0), matched_at=1) for name in plan.by_id}
    inputs = Inputs(
        at=int(now.timestamp()),
        facts=facts,
        # A checkout was begun, whatever else is known.
        evidence=tuple(dict.fromkeys((*evidence_of(facts), "cart", "checkout"))),
        cart=basket.product_ids,
        subtotal_minor=moment.subtotal_minor,
        home_minor=None if moment.own_currency or not sold else worth_minor(sold),
        cards_minor=cards_minor(sold, catalog),
        spare_minor=spare_minor(sold, plan.costs, plan.margin),
        remembers=True,
        subscribed=bool(sold) and all(catalog.is_full_price(line.product_id) for line in sold),
        fired={**leaver.shown, **told},
        spent=spent,
    )
    withheld = partial(plan.withholds, f"customer:{leaver.customer_id}")
    return weigh(plan, inputs, abandonment.abandonment_id, withheld)


def _moment(
    plan: Plan, abandonment: Abandonment, basket: Basket, leaver: Leaver, catalog: Catalog, now: datetime
) -> Moment:
    """Return what rules are asked about: the basket that was left, and its customer as far as they allow."""
    profile = leaver.profile if leaver.may.may_use_profile else None
    return Moment(
        now=now.astimezone(plan.zone),
        asked=LeftBehind(basket),
        subtotal_minor=abandonment.subtotal_minor if basket.currency == catalog.currency else None,
        product_id=None,
        may=leaver.may,
        catalog=catalog,
        profile=profile,
        segments=profile.segments if profile else (),
        visit=None,
    )
