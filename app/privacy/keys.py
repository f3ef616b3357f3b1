"""A person's values in Redis: their profile, what their browsers looked at, and what they last answered."""

from __future__ import annotations

from typing import Any

import msgspec

from app.campaigns.shopper_history import unpack as unpack_nudged
from app.connections import Connections
from app.consent.told import told_key
from app.consent.told import unpack as unpack_told
from app.privacy.person import Person
from app.profiles.keys import checkout_key, client_key, customer_key, granted_key, nudged_key
from app.profiles.packed import unpack_profile, unpack_visit
from app.upsert import chunks

Rows = list[dict[str, Any]]


def visitor_keys(person: Person) -> list[str]:
    """Return where the person's profile and visits are. Pure."""
    shop = person.shop
    return [
        *(customer_key(shop, each) for each in sorted(person.customer_ids)),
        *(client_key(shop, each) for each in sorted(person.client_ids)),
        *(checkout_key(shop, each) for each in sorted(person.checkout_tokens)),
    ]


def nudged_keys(person: Person) -> list[str]:
    """Return where it is what campaigns showed the person. Pure."""
    return [nudged_key(person.shop, each) for each in _units(person)]


def granted_keys(person: Person) -> list[str]:
    """Return where the person's own codes are. Pure."""
    return [granted_key(person.shop, each) for each in _units(person)]


def told_keys(person: Person, subjects: frozenset[str]) -> list[str]:
    """Return where the person's last answers are. subjects: the digests of their names. Pure."""
    return [told_key(person.shop, each) for each in sorted(subjects)]


async def read_visits(connections: Connections, person: Person) -> Rows:
    """Return the profile and the visits, one row a key."""
    found = await _values(connections, visitor_keys(person))
    customers = {customer_key(person.shop, each) for each in person.customer_ids}
    return [{"key": key} | readable(value, profile=key in customers) for key, value in found.items()]


async def read_nudged(connections: Connections, person: Person) -> Rows:
    """Return what campaigns showed the person, one row a name of theirs and a campaign."""
    found = await _values(connections, nudged_keys(person))
    return [
        {"key": key, "campaign": campaign} | msgspec.structs.asdict(fired)
        for key, value in found.items()
        for campaign, fired in unpack_nudged(value).fired.items()
    ]


async def read_granted(connections: Connections, person: Person) -> Rows:
    """Return the person's own codes, one row a name of theirs and a campaign."""
    rows: Rows = []
    for keys in chunks(granted_keys(person)):
        async with connections.redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hgetall(key)
            answers = await pipe.execute()
        rows += [
            {"key": key, "campaign": campaign.decode(), "code": code.decode()}
            for key, held in zip(keys, answers, strict=True)
            for campaign, code in held.items()
        ]
    return rows


async def read_told(connections: Connections, person: Person, subjects: frozenset[str]) -> Rows:
    """Return the last answers, one row a name of the person."""
    found = await _values(connections, told_keys(person, subjects))
    return [{"key": key, "answers": msgspec.to_builtins(unpack_told(each))} for key, each in found.items()]


async def erase_keys(connections: Connections, keys: list[str]) -> None:
    """Delete the keys, some hundred at a time: meanwhile Redis answers no checkout."""
    for part in chunks(keys):
        await connections.redis.delete(*part)


def readable(value: bytes, *, profile: bool) -> dict[str, Any]:
    """Return a profile or a visit with its fields named, where it is packed without. Pure."""
    if not profile:
        return msgspec.structs.asdict(unpack_visit(value))
    customer = unpack_profile(value)
    bought = {product_id: msgspec.structs.asdict(each) for product_id, each in customer.bought.items()}
    return msgspec.structs.asdict(customer) | {"bought": bought}


def _units(person: Person) -> list[str]:
    return [
        *(f"customer:{each}" for each in sorted(person.customer_ids)),
        *(f"client:{each}" for each in sorted(person.client_ids)),
        *(f"checkout:{each}" for each in sorted(person.checkout_tokens)),
    ]


async def _values(connections: Connections, keys: list[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in chunks(keys):
        values: Any = await connections.redis.mget(part)
        found |= {key: value for key, value in zip(part, values, strict=True) if value is not None}
    return found
