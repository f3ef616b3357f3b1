"""What is known of a shopper at the moment of a decision: one read, of what may be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.consent.digests import Digests
from app.consent.entries import purposes_of
from app.consent.policy import Answers, Permissions
from app.consent.told import KEPT_S, told_key
from app.consent.told import pack as pack_told
from app.consent.told import unpack as unpack_told
from app.events.kinds import AnyEvent, ConsentTold
from app.profiles.customer import NOBODY, Profile
from app.profiles.keys import checkout_key, client_key, customer_key, fired_key, nudged_key
from app.profiles.names import Names
from app.profiles.packed import unpack_profile, unpack_visit
from app.profiles.telling import names_of
from app.profiles.visit import NO_VISIT, Visit

Read = Callable[[Sequence[str]], Awaitable[list[bytes | None]]]


class Shopper(msgspec.Struct, frozen=True, gc=False):
    """A shopper as far as the permissions let us see.

    profile: of the customer's orders. visit: of what was looked at. told: what each of their names
    answered before, by kind. reached: False when what may be used could not be read and so is empty.
    unit: the name under which it may be kept what campaigns showed them; nudged: what is kept there.
    fired: how often each campaign was shown to anyone.
    """

    customer_id: int | None = None
    profile: Profile = NOBODY
    visit: Visit = NO_VISIT
    told: Mapping[str, Answers | None] = {}
    reached: bool = True
    unit: str | None = None
    nudged: bytes | None = None
    fired: bytes | None = None


async def recall(
    read: Read, shop: str, names: Names, may: Permissions, digests: Digests, campaigns: bool = False
) -> Shopper:
    """Return the shopper: one read of at most eight keys, and of nothing that may not be used.

    Beside it, what they told before is read under a keyed hash, to notice what they take back.
    campaigns: whether the shop has any, and so wants to know what they showed.
    """
    profile_keys, visit_keys = _keys(shop, names, may)
    subjects = names.subjects(digests, shop)
    customer_id = names.customer_id if may.may_use_profile else None
    unit = names.unit(may) if campaigns else None
    beside = _beside(shop, unit) if campaigns else []
    if not (subjects or beside):
        return Shopper(customer_id)
    told_keys = [told_key(shop, subject) for subject in subjects.values()]
    try:
        values = await read([*told_keys, *profile_keys, *visit_keys, *beside])
    except (RedisError, OSError, TimeoutError):
        return Shopper(customer_id, reached=not (profile_keys or visit_keys or unit))
    told = dict(zip(subjects, map(unpack_told, values[: len(told_keys)]), strict=True))
    found = values[len(told_keys) :]
    profile = unpack_profile(found[0]) if profile_keys else NOBODY
    visits = found[len(profile_keys) : len(profile_keys) + len(visit_keys)]
    visit = _latest(map(unpack_visit, visits), names.customer_id)
    fired = found[-1] if beside else None
    if profile.refused:
        return Shopper(None, visit=visit, told=told, fired=fired)
    nudged = found[-2] if unit else None
    return Shopper(customer_id, profile, visit, told, unit=unit, nudged=nudged, fired=fired)


async def keep_told(redis: Redis, digests: Digests, events: Iterable[AnyEvent]) -> None:
    """Keep what the events just told, so that the next call is judged by it however late the ledger is.

    The ledger puts what stands in its place when it comes to it.
    """
    told = [event for event in events if isinstance(event, ConsentTold)]
    if not told:
        return
    async with redis.pipeline(transaction=False) as pipe:
        for event in told:
            answers = pack_told(purposes_of(event.answers))
            for subject in names_of(event).subjects(digests, event.shop).values():
                pipe.set(told_key(event.shop, subject), answers, ex=KEPT_S)
        await pipe.execute()


def _latest(visits: Iterable[Visit], customer_id: int | None) -> Visit:
    """Return the visit that went on last, of the browser or of the checkout.

    One of an account is its owner's alone: whoever else uses the same browser, a guest too, has none of it.
    """
    own = [each for each in visits if each.customer_id in (None, customer_id)]
    return max(own, key=lambda each: each.last_at, default=NO_VISIT)


def _beside(shop: str, unit: str | None) -> list[str]:
    """Return the keys of what campaigns showed: to the shopper, if that may be kept, and to all."""
    return [*([nudged_key(shop, unit)] if unit else []), fired_key(shop)]


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
