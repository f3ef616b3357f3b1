"""What campaigns are weighed by, and what came of it: logged, so that it can be weighed again. Pure."""

from __future__ import annotations

import msgspec

from app.campaigns.plan import Place
from app.campaigns.reasons import WAITING, WITHHELD
from app.campaigns.shopper_history import CampaignHistory
from app.intent.features import Features
from app.rules.fields import Value


class Inputs(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What campaigns are weighed by, reduced to what the visitor allowed.

    at: epoch seconds.
    locale, country: for the words.
    facts: what rules are asked of. evidence: the kinds of engagement seen.
    cart: its products. subtotal_minor: None where the cart is in another currency.
    home_minor: what a cart in another currency costs at the shop's own prices.
    cards_minor: what the gift cards in it cost, off which nothing is taken.
    spare_minor: what can be taken off before it is sold at a loss, None where no cost is known.
    remembers: whether what the shopper was shown may be kept. unread: whether it could not be read.
    place: where it is shown, so that what stands there stays.
    fired: what each campaign was to the shopper, by its id.
    spent: campaigns shown to all as often as they may be.
    lacking: campaigns with no code, grant or product to give.
    applied: how many codes on the cart are none of ours. taken: campaigns whose codes are on it.
    subscribed: whether it holds only subscriptions and gift cards. company: whether a company buys.
    places: those that the page has, None for all.
    unworthy: campaigns whose coupon is not worth its price for this shopper, with the reason.
    features: what that was read from, as FEATURES names it.
    draw_by: what draws follow from in place of the decision, the same for all blocks of a checkout.
    """

    at: int
    locale: str | None = None
    country: str | None = None
    facts: dict[str, Value] = {}
    evidence: tuple[str, ...] = ()
    cart: tuple[int, ...] = ()
    subtotal_minor: int | None = None
    home_minor: int | None = None
    cards_minor: int = 0
    spare_minor: int | None = None
    remembers: bool = False
    unread: bool = False
    place: str = ""
    fired: dict[str, CampaignHistory] = {}
    spent: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    applied: int = 0
    taken: tuple[str, ...] = ()
    subscribed: bool = False
    company: bool = False
    places: tuple[Place, ...] | None = None
    unworthy: dict[str, str] = {}
    features: Features = ()
    draw_by: str = ""


class Chosen(msgspec.Struct, frozen=True, gc=False):
    """A campaign to show, and how likely that was given what it was weighed by."""

    campaign_id: str
    propensity: float


class Weighed(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What came of it. matched: whose rules held, of those that were open and had the evidence.

    left_out: why the others of them are not shown.
    """

    inputs: Inputs
    chosen: tuple[Chosen, ...] = ()
    matched: tuple[str, ...] = ()
    left_out: dict[str, str] = {}

    @property
    def withheld(self) -> frozenset[str]:
        """Return the campaigns whose holdout the shopper is in."""
        return frozenset(name for name, why in self.left_out.items() if why == WITHHELD)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Return the campaigns that match and wait for their delay."""
        return tuple(name for name, why in self.left_out.items() if why == WAITING)
