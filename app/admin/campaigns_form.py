"""The editor's fields: a campaign as it is typed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, Literal

import msgspec

from app.admin.campaigns_rows import Group, rows_of
from app.campaigns.campaign import Campaign, Class, DiscountTerms, Kind, OfferTerms
from app.campaigns.messages import FREE_SHIPPING, OWN_PROGRESS, Text, key_of
from app.rules.expression import read_rule
from app.values import as_utc

Off = Literal["percentage", "amount", "shipping"]
LeadsTo = Literal["shipping", "own"]
# What a bar leads to, as the page's own sentence of it is called.
LEADS_TO: Mapping[LeadsTo, str] = {"shipping": FREE_SHIPPING, "own": OWN_PROGRESS}
HOUR_S = 3_600


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words in one language. text: plural forms stand in lines of their own: `one: …`, `other: …`."""

    locale: str = ""
    text: str = ""


class Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is typed. id: of the campaign that is changed, empty for a new one; seen: its state then.

    rule: JSON in the place of groups, None while these say it. lasts: hours. holdout: percent.
    """

    id: str = ""
    seen: str = ""
    name: str = ""
    match: Literal["all", "any"] = "all"
    groups: tuple[Group, ...] = ()
    rule: str | None = None
    kind: Kind = "coupon"
    off: str = ""
    off_as: Off = "percentage"
    applies_to: Class = "order"
    minimum: str = ""
    combines_with: tuple[Literal["order", "product", "shipping"], ...] = ()
    with_code: bool = True
    target: str = ""
    leads_to: LeadsTo = "shipping"
    products: str = ""
    key: str = ""
    slot: str = ""
    messages: tuple[Message, ...] = ()
    lasts: str = ""
    delay_s: str = ""
    evidence: str = "1"
    holdout: str = "10"
    priority: str = "0"
    stop: bool = False
    group: str = ""
    choice: str = ""
    per_visitor: str = ""
    per_session: str = ""
    total: str = ""
    starts_at: str = ""
    ends_at: str = ""
    weekdays: tuple[int, ...] = ()
    hour_from: str = ""
    hour_until: str = ""
    trigger: Literal["checkout", "abandonment"] = "checkout"


def form_of(campaign: Campaign, zone: tzinfo, seen: str = "") -> Form:
    """Return the campaign as it is typed. seen: see `Form`; without it, it is a new one."""
    rule = read_rule(campaign.rule)
    rows, offer, schedule, caps = rows_of(rule), campaign.offer, campaign.schedule, campaign.caps
    hours = schedule.hours or ("", "")
    return Form(
        id=campaign.id if seen else "",
        seen=seen,
        name=campaign.name,
        match=rows.match if rows else "all",
        groups=rows.groups if rows else (),
        rule=None if rows else msgspec.json.format(msgspec.json.encode(rule.stored), indent=2).decode(),
        kind=offer.kind,
        target=offer.target or "",
        leads_to=_leads_to(offer),
        products=", ".join(map(str, offer.product_ids)),
        key=offer.key or "",
        slot=offer.slot or "",
        messages=tuple(Message(name, _typed_text(text)) for name, text in offer.messages.items()),
        lasts=plain_number(campaign.expires_s and campaign.expires_s / HOUR_S),
        delay_s=plain_number(campaign.delay_s or None),
        evidence=str(campaign.evidence),
        holdout=plain_number(campaign.holdout * 100),
        priority=str(campaign.priority),
        stop=campaign.stop,
        group=campaign.group or "",
        choice=campaign.choice or "",
        per_visitor=plain_number(caps.per_visitor),
        per_session=plain_number(caps.per_session),
        total=plain_number(caps.total),
        starts_at=_typed_time(schedule.starts_at, zone),
        ends_at=_typed_time(schedule.ends_at, zone),
        weekdays=schedule.weekdays,
        hour_from=str(hours[0]),
        hour_until=str(hours[1]),
        trigger=campaign.trigger,
        **(_typed_discount(offer.discount) if offer.discount else {}),
    )


def _leads_to(offer: OfferTerms) -> LeadsTo:
    """Return what a bar leads to; one that another kind of offer becomes leads to free shipping."""
    is_own = offer.kind == "progress" and key_of(offer.kind, offer.key, offer.messages) != FREE_SHIPPING
    return "own" if is_own else "shipping"


def _typed_discount(discount: DiscountTerms) -> dict[str, Any]:
    """Return the discount's fields of the form."""
    free = discount.frees_shipping
    return {
        "off": "" if free else plain_number(discount.percentage) or discount.amount or "",
        "off_as": "shipping" if free else "amount" if discount.amount else "percentage",
        "applies_to": "order" if free else discount.applies_to,
        "minimum": discount.minimum or "",
        "combines_with": discount.combines_with,
        "with_code": discount.with_code,
    }


def _typed_text(text: Text) -> str:
    return text if isinstance(text, str) else "\n".join(f"{form}: {words}" for form, words in text.items())


def _typed_time(time: datetime | None, zone: tzinfo) -> str:
    return f"{as_utc(time).astimezone(zone):%Y-%m-%d %H:%M}" if time else ""


def plain_number(value: float | None) -> str:
    """Return a number without noughts at its end, nothing for none."""
    return "" if value is None else f"{round(value, 6):.6f}".rstrip("0").rstrip(".")
