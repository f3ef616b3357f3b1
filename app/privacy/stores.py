"""All that is held of a person, store by store, in the order of the register."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from app.connections import Connections
from app.consent.digests import Digests, open_digests
from app.consent.holdings import HOLDINGS
from app.events.log import DEAD, STREAM
from app.privacy.inbox import read_deliveries
from app.privacy.keys import read_granted, read_nudged, read_told, read_visits
from app.privacy.log_entries import read_entries
from app.privacy.person import Person
from app.privacy.rows import read_rows
from app.privacy.unfinished import wait_for_broker
from app.recommend.forget import read_learnt
from app.values import ShopDomain

Held = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class DataSubject:
    """The person that a request is about. subjects: the digests of their names."""

    connections: Connections
    digests: Digests
    person: Person

    @property
    def shop(self) -> ShopDomain:
        """Return whose customer they are."""
        return ShopDomain(self.person.shop)

    @property
    def subjects(self) -> frozenset[str]:
        """Return the digests of the person's names."""
        return frozenset(one for each in self.person.subjects(self.digests).values() for one in each)

    @property
    def of_email(self) -> Callable[[str], str]:
        """Return the function from an address to its digest."""
        return partial(self.digests.of_email, self.shop)


async def data_subject(connections: Connections, person: Person) -> DataSubject:
    """Return the person ready to be looked for."""
    return DataSubject(connections, await open_digests(connections), person)


async def read_held(sought: DataSubject) -> Held:
    """Return everything that is held of the person: rows by store.

    The log first: what leaves it meanwhile is handled, and found in the tables. Raises RequestIncomplete
    when what was told before is with a broker for too long.
    """
    connections, person, subjects = sought.connections, sought.person, sought.subjects
    log = await read_entries(connections, person, STREAM)
    await wait_for_broker(connections)
    rows = await read_rows(connections, person, subjects)
    learnt = await read_learnt(connections, sought.shop, person.customer_ids)
    held: Held = rows | {
        "visitor": await read_visits(connections, person),
        "nudged": await read_nudged(connections, person),
        "granted": await read_granted(connections, person),
        "told": await read_told(connections, person, subjects),
        "model files": [asdict(each) for each in learnt],
        "event log": log,
        "dead letters": await read_entries(connections, person, DEAD),
        "inbox": await read_deliveries(connections, person, sought.of_email),
    }
    return {each.name: held[each.name] for each in HOLDINGS}


async def count_held(sought: DataSubject) -> dict[str, int]:
    """Return how much is held of the person, by store."""
    return {store: len(rows) for store, rows in (await read_held(sought)).items()}
