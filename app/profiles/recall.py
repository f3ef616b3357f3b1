"""What is known of a shopper at the moment of a decision: one read, of what may be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.consent.barred import barred_key
from app.consent.digests import Digests
from app.consent.entries import purposes_of
from app.consent.policy import Answers, Permissions
from app.consent.told import KEPT_S, told_key
from app.consent.told import pack as pack_told
from app.consent.told import unpack as unpack_told
from app.events.kinds import AnyEvent, ConsentTold
from app.profiles.consent_events import names_of
from app.profiles.customer import NOBODY, Profile
from app.profiles.keys import checkout_key, client_key, customer_key, fired_key, nudged_key
from app.profiles.names import Names
from app.profiles.packed import unpack_profile, unpack_visit
from app.profiles.visit import NO_VISIT, Visit

Read = Callable[[Sequence[str]], Awaitable[list[bytes | None]]]

# KEYS: the last answers of each name, then until when what began of each is not kept. ARGV: the answers, how
# long they are kept (s), when they were given.
_TELL = """
for at = #KEYS / 2 + 1, #KEYS do
  if tonumber(redis.call('GET', KEYS[at]) or '0') >= tonumber(ARGV[3]) then return end
end
for at = 1, #KEYS / 2 do redis.call('SET', KEYS[at], ARGV[1], 'EX', ARGV[2]) end
"""


class Shopper(msgspec.Struct, frozen=True, gc=False):
    """A shopper as far as the permissions let us see.

    profile: of the customer's orders. visit: of what was looked at.
    told: what each of their names answered about consent before, by kind of name.
    reached: False when what may be used could not be read and so is empty.
    unit: the name under which what campaigns showed them may be kept. nudged: what is kept there, packed.
    fired: how often each campaign was shown to anyone, packed.
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

    With it goes what they answered about consent before, kept under a keyed hash, to notice a withdrawal.
    campaigns: whether the shop has any, and so wants to know what they showed.
    """
    customer_id = names.customer_id if may.may_use_profile else None
    unit = names.unit(may) if campaigns else None
    told_keys = {kind: told_key(shop, subject) for kind, subject in names.subjects(digests, shop).items()}
    profile_key = None if customer_id is None else customer_key(shop, customer_id)
    visit_keys = _visit_keys(shop, names) if may.may_use_visit else ()
    nudged_at = nudged_key(shop, unit) if unit else None
    fired_at = fired_key(shop) if campaigns else None
    keys = [key for key in (*told_keys.values(), profile_key, *visit_keys, nudged_at, fired_at) if key]
    if not keys:
        return Shopper(customer_id)
    try:
        found = dict(zip(keys, await read(keys), strict=True))
    except (RedisError, OSError, TimeoutError):
        return Shopper(customer_id, reached=not (profile_key or visit_keys or unit))
    told = {kind: unpack_told(found[key]) for kind, key in told_keys.items()}
    profile = unpack_profile(found[profile_key]) if profile_key else NOBODY
    visit = _latest((unpack_visit(found[key]) for key in visit_keys), names.customer_id)
    fired = found[fired_at] if fired_at else None
    if profile.refused:
        return Shopper(None, visit=visit, told=told, fired=fired)
    nudged = found[nudged_at] if nudged_at else None
    return Shopper(customer_id, profile, visit, told, unit=unit, nudged=nudged, fired=fired)


async def keep_told(redis: Redis, digests: Digests, events: Iterable[AnyEvent]) -> None:
    """Keep the answers in these events for the next call to be compared with, however late the ledger is.

    Once the ledger has handled the events, it overwrites them with what it holds. Of who was erased since
    they were given nothing is kept.
    """
    told = [event for event in events if isinstance(event, ConsentTold)]
    if not told:
        return
    async with redis.pipeline(transaction=False) as pipe:
        for event in told:
            answers = pack_told(purposes_of(event.answers))
            subjects = names_of(event).subjects(digests, event.shop).values()
            keys = [of(event.shop, each) for of in (told_key, barred_key) for each in subjects]
            pipe.eval(_TELL, len(keys), *keys, answers, KEPT_S, event.happened_at.timestamp())
        await pipe.execute()


def _latest(visits: Iterable[Visit], customer_id: int | None) -> Visit:
    """Return the visit that went on last, of the browser or of the checkout.

    A visit of somebody signed in is theirs alone: no guest or other customer in the same browser has it.
    """
    own = [each for each in visits if each.customer_id in (None, customer_id)]
    return max(own, key=lambda each: each.last_at, default=NO_VISIT)


def _visit_keys(shop: str, names: Names) -> list[str]:
    """Return the keys of the visits under the browser's name and the checkout's."""
    keys = []
    if names.client_id:
        keys.append(client_key(shop, names.client_id))
    if names.checkout_token:
        keys.append(checkout_key(shop, names.checkout_token))
    return keys
