"""What is known of a shopper at the moment of a decision: one read, of what may be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from redis.exceptions import RedisError

from app.consent.policy import Permissions
from app.profiles.keys import checkout_key, client_key, customer_key
from app.profiles.visitor import NOBODY, VisitorProfile, joined, unpack

Read = Callable[[Sequence[str]], Awaitable[list[bytes | None]]]


@dataclass(frozen=True, slots=True)
class Names:
    """What a shopper is called: by their token, their browser and their checkout."""

    customer_id: int | None = None
    client_id: str | None = None
    checkout_token: str | None = None


@dataclass(frozen=True, slots=True)
class Shopper:
    """A shopper as far as the permissions let us see.

    profile: of the customer's orders. visit: of what was looked at. reached: False when neither
    could be read, and both are empty for that reason.
    """

    customer_id: int | None = None
    profile: VisitorProfile = NOBODY
    visit: VisitorProfile = NOBODY
    reached: bool = True


async def recall(read: Read, shop: str, names: Names, may: Permissions) -> Shopper:
    """Return the shopper. Reads nothing that may not be used, and at most three keys at once."""
    profile_keys, visit_keys = _keys(shop, names, may)
    customer_id = names.customer_id if may.may_use_profile else None
    if not profile_keys and not visit_keys:
        return Shopper(customer_id)
    try:
        values = await read([*profile_keys, *visit_keys])
    except (RedisError, OSError, TimeoutError):
        return Shopper(customer_id, reached=False)
    profiles = [unpack(value) for value in values]
    profile = profiles.pop(0) if profile_keys else NOBODY
    visit = NOBODY
    for part in profiles:
        visit = joined(visit, part)
    return Shopper(customer_id, profile, visit)


def _keys(shop: str, names: Names, may: Permissions) -> tuple[list[str], list[str]]:
    """Return the keys of the profile and of the visit that may be read."""
    profile, visit = [], []
    if may.may_use_profile and names.customer_id is not None:
        profile.append(customer_key(shop, names.customer_id))
    if may.may_use_visit and names.client_id:
        visit.append(client_key(shop, names.client_id))
    if may.may_use_visit and names.checkout_token:
        visit.append(checkout_key(shop, names.checkout_token))
    return profile, visit
