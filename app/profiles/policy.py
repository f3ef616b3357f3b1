"""A shop's approach to new and known shoppers, by segment, as data. Pure.

    {"warm_from_orders": 1, "warm_from_views": 10,
     "cold": [{"approach": "introduction"}, {"approach": "generic_offer", "most_percent": 10}],
     "warm": [{"approach": "complements"}, {"approach": "loyalty", "segments": ["champions", "loyal"]}]}

The first approach in the list that applies to a shopper leads, the others follow it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import msgspec

from app.errors import InputError
from app.profiles.merchant_json import read

Approach = Literal["introduction", "generic_offer", "education", "history", "loyalty", "complements"]
Temperature = Literal["cold", "warm"]

MOST_STEPS = 10
MOST_PERCENT = 90
# Which kinds of offer an approach is made of.
KINDS: dict[Approach, tuple[str, ...]] = {
    "introduction": ("banner", "message"),
    "generic_offer": ("coupon", "upsell"),
    "education": ("message",),
    "history": ("upsell",),
    "loyalty": ("progress", "coupon", "message"),
    "complements": ("upsell",),
}
_WARM_ONLY = frozenset({"history", "loyalty", "complements"})
_NEED_ORDERS = frozenset({"history", "loyalty"})


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An approach. segments: for these only, everyone when empty. most_percent: of a discount."""

    approach: Approach
    segments: tuple[str, ...] = ()
    most_percent: int | None = None


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A shop's way with shoppers.

    warm_from_orders, warm_from_views: either makes a shopper known; 0 views means views never do.
    """

    warm_from_orders: int = 1
    warm_from_views: int = 10
    cold: tuple[Step, ...] = (
        Step("introduction"),
        Step("generic_offer", most_percent=10),
        Step("education"),
    )
    warm: tuple[Step, ...] = (
        Step("loyalty", segments=("champions", "loyal", "previously_loyal", "foreseen_loyal")),
        Step("complements"),
        Step("history"),
    )


DEFAULT = Policy()


def read_policy(data: object) -> Policy:
    """Return the policy from decoded JSON; what is not given is the default's.

    Raises InputError naming the field.
    """
    policy = read(data, Policy)
    if not 1 <= policy.warm_from_orders <= 100:
        raise InputError("the number of orders is 1 to 100", "warm_from_orders")
    if not 0 <= policy.warm_from_views <= 1_000:
        raise InputError("the number of products looked at is 0 to 1000", "warm_from_views")
    _check("cold", policy.cold)
    _check("warm", policy.warm)
    return policy


def temperature(policy: Policy, orders: int, views: int) -> Temperature:
    """Return whether a shopper is known, by what they ordered and what this visit looked at."""
    looked = policy.warm_from_views and views >= policy.warm_from_views
    return "warm" if orders >= policy.warm_from_orders or looked else "cold"


def steps(policy: Policy, orders: int, views: int, segments: Collection[str]) -> tuple[Step, ...]:
    """Return the approaches for a shopper, the leading one first.

    segments: every segment they are in. Who is warm by their views alone has no past to speak of.
    """
    known = temperature(policy, orders, views) == "warm"
    return tuple(
        step
        for step in (policy.warm if known else policy.cold)
        if (not step.segments or not set(step.segments).isdisjoint(segments))
        and (orders or step.approach not in _NEED_ORDERS)
    )


def _check(name: str, given: tuple[Step, ...]) -> None:
    if not 1 <= len(given) <= MOST_STEPS:
        raise InputError(f"{name} has 1 to {MOST_STEPS} steps", name)
    for at, step in enumerate(given):
        if name == "cold" and step.approach in _WARM_ONLY:
            raise InputError(f"{step.approach} is for shoppers one knows", f"cold[{at}].approach")
        if step.most_percent is not None and not 1 <= step.most_percent <= MOST_PERCENT:
            raise InputError(
                f"the highest discount is 1 to {MOST_PERCENT} percent", f"{name}[{at}].most_percent"
            )
