"""A campaign as the merchant writes it, read and checked once. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from app.campaigns.messages import VARIABLES, Text, check_texts
from app.errors import InputError
from app.refused_field import refused_field
from app.rules.expression import read_rule
from app.values import as_utc
from app.wording import wording

Kind = Literal["coupon", "banner", "message", "progress", "upsell"]
Status = Literal["draft", "running", "paused", "stopped"]
Class = Literal["order", "product", "shipping"]
Trigger = Literal["checkout", "abandonment"]
Money = Annotated[str, Meta(pattern=r"\A[0-9]{1,9}(\.[0-9]{1,3})?\Z")]
Id = Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9_-]{0,39}\Z")]
Word = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9 _-]{0,39}\Z")]
ProductId = Annotated[int, Meta(gt=0, le=2**63 - 1)]
Times = Annotated[int, Meta(ge=1, le=10**9)]
# With its offset: whose midnight a bare one means is not to be guessed.
Moment = Annotated[datetime, Meta(tz=True)]

MOST_PRODUCTS = 3
DAY_S = 86_400
LONGEST_S = 90 * DAY_S
COUPON_S = DAY_S


class Schedule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """When it runs. weekdays: 1 is Monday, none means every day; hours: from, until, in the shop's zone.

    Hours that end before they begin go past midnight: 22 to 6.
    """

    starts_at: Moment | None = None
    ends_at: Moment | None = None
    weekdays: tuple[Annotated[int, Meta(ge=1, le=7)], ...] = ()
    hours: tuple[Annotated[int, Meta(ge=0, le=24)], Annotated[int, Meta(ge=0, le=24)]] | None = None


class Caps(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How often at most: to one visitor, in one session of theirs, and to all together."""

    per_visitor: Times | None = None
    per_session: Times | None = None
    total: Times | None = None


class DiscountTerms(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is taken off: a percentage or an amount in the shop's currency.

    minimum: the subtotal from which it holds. combines_with: classes of other discounts it goes with.
    with_code: whether the shopper gets a code of their own; else the shop's discount Function applies it.
    """

    percentage: Annotated[float, Meta(gt=0, le=100)] | None = None
    amount: Money | None = None
    applies_to: Class = "order"
    minimum: Money | None = None
    combines_with: tuple[Class, ...] = ()
    with_code: bool = True

    @property
    def counts_as(self) -> Class:
        """Return its class in Shopify, where a code for all products is one for the order."""
        return "order" if self.with_code and self.applies_to == "product" else self.applies_to

    @property
    def frees_shipping(self) -> bool:
        """Return whether nothing of the shipping is left to be paid."""
        return self.applies_to == "shipping" and self.percentage == 100


class OfferTerms(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is shown. slot: where, the usual place of its kind by default.

    product_ids: of an upsell, best first. target: the amount a progress leads to. key: the built-in
    sentence for languages the merchant wrote none for; messages: the merchant's own, by locale.
    """

    kind: Kind
    slot: Literal["main", "top"] | None = None
    discount: DiscountTerms | None = None
    product_ids: Annotated[tuple[ProductId, ...], Meta(max_length=MOST_PRODUCTS)] = ()
    target: Money | None = None
    key: Annotated[str, Meta(pattern=r"\A[a-z_]+(\.[a-z_]+)+\Z")] | None = None
    messages: dict[str, Text] = {}


class Campaign(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is shown to whom. rule: JSONLogic, see docs/rules.md.

    evidence: how many different kinds of engagement must have been seen. priority: higher comes first.
    stop: nothing of lower priority is looked at once it matches. group: of those in one, the first that
    matches. delay_s: how long it must have matched in this session. expires_s: how long it lasts for a
    shopper from when it first was shown. holdout: the share of matching visitors who do not see it.
    choice: the name under which it competes with others, and learns which is best. trigger: a checkout that
    asks, or an abandoned one, whose customer is then written to; then delay_s is how long after.
    """

    id: Id
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    rule: Any
    offer: OfferTerms
    evidence: Annotated[int, Meta(ge=0, le=7)] = 1
    priority: Annotated[int, Meta(ge=-1000, le=1000)] = 0
    stop: bool = False
    group: Word | None = None
    schedule: Schedule = Schedule()
    caps: Caps = Caps()
    delay_s: Annotated[int, Meta(ge=0, le=DAY_S)] = 0
    expires_s: Annotated[int, Meta(ge=60, le=LONGEST_S)] | None = None
    holdout: Annotated[float, Meta(ge=0, le=1)] = 0.1
    choice: Word | None = None
    trigger: Trigger = "checkout"

    @property
    def needs_code(self) -> bool:
        """Return whether the shopper must be given a code."""
        return self.offer.discount is not None and self.offer.discount.with_code

    @property
    def takes_off(self) -> bool:
        """Return whether it takes something off, by a code or without one."""
        return self.offer.discount is not None

    @property
    def lasts_s(self) -> int | None:
        """Return how long it lasts for one shopper; a code of theirs is never without an end."""
        return self.expires_s or (COUPON_S if self.needs_code else None)

    @property
    def is_rationed(self) -> bool:
        """Return whether who was shown it is kept from it later, as who is held back from it is not."""
        return self.caps.per_visitor is not None or self.lasts_s is not None


class Running(NamedTuple):
    """A campaign that runs. number: the shop's own for it, under which its showings are counted."""

    campaign: Campaign
    number: int


def read_campaign(data: object) -> Campaign:
    """Return the campaign. Raises InputError that names the field and says what to do about it."""
    try:
        campaign = msgspec.convert(data, Campaign)
    except msgspec.ValidationError as error:
        raise InputError(str(error), refused_field(error)) from None
    read_rule(campaign.rule)
    for message, field in (*_of_offer(campaign.offer), *_of_times(campaign)):
        raise InputError(message, field)
    check_texts(campaign.offer.kind, campaign.offer.messages)
    if campaign.trigger == "abandonment" and not campaign.needs_code:
        raise InputError("a message to shoppers who left gives a coupon with a code of their own", "trigger")
    return campaign


def check_words(campaign: Campaign) -> None:
    """Return if its words say nothing that it does not have: else no shopper would read them.

    Asked of what is written, not of what runs. Raises InputError naming the locale.
    """
    check_texts(campaign.offer.kind, campaign.offer.messages, _filled_in(campaign))


def _filled_in(campaign: Campaign) -> frozenset[str]:
    """Return what the campaign's message comes with."""
    discount = campaign.offer.discount
    if discount is None:
        return VARIABLES[campaign.offer.kind]
    has = {
        "code": discount.with_code,
        "percentage": discount.percentage is not None,
        "amount": discount.amount is not None,
        "minimum": discount.minimum is not None and float(discount.minimum) > 0,
        "count": campaign.lasts_s is not None,
    }
    return frozenset(name for name, is_there in has.items() if is_there)


def _of_offer(offer: OfferTerms) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the offer, with the field it is about."""
    discount = offer.discount
    if (offer.kind == "coupon") != (discount is not None):
        says = (
            wording("a coupon needs a discount; only an offer of kind `coupon` has one")
            if discount is None
            else wording(f"a {offer.kind} can't have a discount; only an offer of kind `coupon` has one")
        )
        yield says, "offer.discount"
    if discount is not None and (discount.percentage is None) == (discount.amount is None):
        yield wording("give either a percentage or an amount"), "offer.discount"
    if discount is not None and discount.amount is not None and not float(discount.amount):
        yield wording("the amount must be above zero"), "offer.discount.amount"
    if discount is not None and _is_part_of_shipping(discount) and discount.with_code:
        says = wording("a code can make shipping free and nothing less: write 100 percent")
        yield says, "offer.discount"
    if (offer.kind == "progress") != (offer.target is not None):
        yield wording("a progress, and nothing else, needs a target: the amount it leads to"), "offer.target"
    if offer.target is not None and not float(offer.target):
        yield wording("the target must be above zero"), "offer.target"
    if (offer.kind == "upsell") != bool(offer.product_ids):
        yield wording("an upsell, and nothing else, needs product_ids"), "offer.product_ids"


def _is_part_of_shipping(discount: DiscountTerms) -> bool:
    """Return whether it leaves some of the shipping to be paid, which Shopify's codes can't."""
    return discount.applies_to == "shipping" and not discount.frees_shipping


def _of_times(campaign: Campaign) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with when it runs."""
    schedule = campaign.schedule
    if schedule.starts_at and schedule.ends_at and as_utc(schedule.ends_at) <= as_utc(schedule.starts_at):
        yield wording("it ends before it starts"), "schedule.ends_at"
    if schedule.hours and (schedule.hours[0] == schedule.hours[1] or schedule.hours == (24, 0)):
        says = wording("the hours begin and end at the same time; leave them out for the whole day")
        yield says, "schedule.hours"
    if campaign.expires_s is not None and campaign.delay_s >= campaign.expires_s:
        yield wording("it would be over before its delay is"), "delay_s"


def ended(campaign: Campaign, now: datetime) -> bool:
    """Return whether its schedule is over."""
    return campaign.schedule.ends_at is not None and as_utc(campaign.schedule.ends_at) <= now.astimezone(UTC)


def is_to_begin(campaign: Campaign, now: datetime) -> bool:
    """Return whether its schedule has not begun yet."""
    begin = campaign.schedule.starts_at
    return begin is not None and as_utc(begin) > now.astimezone(UTC)
