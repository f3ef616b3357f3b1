"""A person erased from every store, and the receipt that says what was found and what became of it.

What is found is written down before any of it goes, and with it every name it was found under: an
attempt that dies at any step is finished by the next one, and the receipt counts what the first one
found. Whatever leads on to more of the person goes last, in one transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from app.connections import Connections
from app.consent.barred import bar_checkouts
from app.consent.holdings import HOLDINGS, Effect, erasable
from app.consent.receipts import Receipt, Signed, keep_receipt, open_receipt_key, read_receipt
from app.consent.requests import Kind, PrivacyRequest, Status, close, closed, read_request, remember
from app.consent.withdrawal import bar_late_events
from app.errors import NotFound
from app.events.log import DEAD, STREAM
from app.jobs import alone, request_job
from app.outbound.offer_metafield_writing import take_back
from app.outbound.write_back import unmark
from app.privacy.inbox import erase_deliveries
from app.privacy.keys import erase_keys, granted_keys, nudged_keys, told_keys, visitor_keys
from app.privacy.log_entries import erase_entries
from app.privacy.person import Person, find_person
from app.privacy.purge import purge
from app.privacy.rows import codes_told, erase_rows
from app.privacy.stores import DataSubject, count_held, data_subject
from app.privacy.unfinished import RequestIncomplete, empty_broker, wait_for_hands, wait_for_writing
from app.privacy.waiting import keep_waiting
from app.recommend.forget import forget_in_models
from app.shops.store import get_shop

ERASING = "erasing"
_LOOKS = 3


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure under way. receipt_id: of the receipt it will end in."""

    sought: DataSubject
    request: PrivacyRequest
    receipt_id: str


Step = Callable[[Erasure], Awaitable[None]]


async def erase_person(connections: Connections, shop: str, request_id: str) -> Signed:
    """Return the receipt of the request, once nothing of the person is left; a repeat returns the same one.

    Two at once wait for each other. Raises NotFound for a request that was never opened, RequestIncomplete
    when what was told before is still in somebody's hands, or what was told meanwhile could not be kept out.
    """
    async with alone(connections, ERASING, shop):
        request = await read_request(connections, shop, request_id)
        if request is None:
            raise NotFound(f"{shop} has no request {request_id!r}")
        if request.status is Status.DONE:  # whoever did it may have died before the purge
            signed = await _issued(connections, request)
        else:
            erasing = await _remembered(connections, request)
            second_look = await _erased(erasing)
            await _retrain(connections, shop, erasing.request.found)  # once it is done nobody would ask
            signed = await _closed(erasing, second_look)
    await purge(connections)
    return signed


def receipt_id_of(sought: DataSubject, request: PrivacyRequest) -> str:
    """Return the id of the receipt that a request ends in: the same for every attempt."""
    return sought.digests.of(request.shop, f"receipt:{request.kind}", request.request_id)


def subject_of(sought: DataSubject, request: PrivacyRequest) -> str | None:
    """Return the digest by which the receipt names the person: of the number that was asked about, if any."""
    asked = frozenset(filter(None, [request.customer_id]))  # not of who was merged into them
    person = Person(shop=request.shop, customer_ids=asked) if asked else sought.person
    return person.subject(sought.digests)


def named_by(request: PrivacyRequest) -> Person:
    """Return the person as far as the request names them. Pure."""
    named = Person(
        shop=request.shop,
        customer_ids=frozenset(filter(None, [request.customer_id])),
        email_digests=frozenset(filter(None, [request.email_digest])),
        order_ids=frozenset(request.order_ids),
    )
    known = msgspec.convert({**request.names, "shop": request.shop}, Person)
    return named.joined(known)


async def _remembered(connections: Connections, request: PrivacyRequest) -> Erasure:
    """Return the erasure with what there is of the person written down."""
    sought = await data_subject(connections, await find_person(connections, named_by(request)))
    request = await remember(
        connections,
        request,
        subject=subject_of(sought, request),
        names=msgspec.to_builtins(sought.person),
        found=await count_held(sought),
    )
    return Erasure(sought, request, receipt_id_of(sought, request))


async def _erased(erasing: Erasure) -> dict[str, int]:
    """Return what the same search finds after every step was done: zeros."""
    for _ in range(_LOOKS):
        for step in STEPS:
            await step(erasing)
        await empty_broker(erasing.sought.connections)
        await wait_for_writing(erasing.sought.connections, erasing.sought.shop)
        counts = await count_held(erasing.sought)
        left = {store: counts[store] for store in erasable()}
        if not any(left.values()) and not await _codes_told(erasing.sought):
            return left
    stores = ", ".join(store for store, count in left.items() if count) or "coupons"
    raise RequestIncomplete(f"request {erasing.request.request_id}: more was told meanwhile ({stores})")


async def _unmark(erasing: Erasure) -> None:
    """Take back what the person carries in Shopify, which tells us of that change as of any other."""
    sought = erasing.sought
    await unmark(sought.connections, sought.shop, sought.person.customer_ids)
    await take_back(sought.connections, sought.shop, sought.person.customer_ids)


async def _bar_late_events(erasing: Erasure) -> None:
    """Keep out what happened until now, and let those who hold some of it already come to their end."""
    sought, now = erasing.sought, datetime.now(UTC)
    await bar_late_events(sought.connections, sought.shop, sought.subjects, now)
    await bar_checkouts(sought.connections, sought.shop, sought.subjects, now)
    await wait_for_hands(sought.connections)


async def _erase_letters(erasing: Erasure) -> None:
    sought = erasing.sought
    await erase_deliveries(sought.connections, sought.person, sought.of_email)


async def _erase_log(erasing: Erasure) -> None:
    connections = erasing.sought.connections

    async def keep(event: object) -> None:
        await keep_waiting(connections, event)

    for stream in (STREAM, DEAD):
        await erase_entries(connections, erasing.sought.person, stream, keep)


async def _erase_keys(erasing: Erasure) -> None:
    sought = erasing.sought
    person = sought.person
    shown = nudged_keys(person) + granted_keys(person)
    await erase_keys(sought.connections, visitor_keys(person) + shown + told_keys(person, sought.subjects))


async def _erase_models(erasing: Erasure) -> None:
    sought = erasing.sought
    await forget_in_models(sought.connections, sought.shop, sought.person.customer_ids)


async def _erase_rows(erasing: Erasure) -> None:
    sought = erasing.sought
    shown_no_more = closed(datetime.now(UTC), erasing.receipt_id)
    codes = await _codes_told(sought)
    async with sought.connections.write() as db:
        await erase_rows(await db.connection(), sought.person, sought.subjects, codes, shown_no_more)


async def _codes_told(sought: DataSubject) -> Sequence[str]:
    """Return the codes that letters told them. One that was being written may tell another meanwhile."""
    return await codes_told(sought.connections, sought.person, sought.subjects)


# Each can be repeated. What Shopify tells of the first is kept out by the second. The rows lead from one
# name of the person to the next, so they go last.
STEPS: tuple[Step, ...] = (
    _unmark,
    _bar_late_events,
    _erase_letters,
    _erase_log,
    _erase_keys,
    _erase_models,
    _erase_rows,
)


async def _closed(erasing: Erasure, second_look: Mapping[str, int]) -> Signed:
    """Return the receipt, kept together with the end of the request."""
    connections, request = erasing.sought.connections, erasing.request
    key = await open_receipt_key(connections)
    signed = key.sign(_receipt(erasing, second_look, datetime.now(UTC)))
    async with connections.write() as db:
        await keep_receipt(db, signed)
        await close(db, request, signed.receipt.done_at, erasing.receipt_id)
    return signed


def _receipt(erasing: Erasure, second_look: Mapping[str, int], now: datetime) -> Receipt:
    request, sought = erasing.request, erasing.sought
    found = {store: request.found.get(store, 0) for store in erasable()}
    effects = {each.name: each.effect for each in HOLDINGS}
    return Receipt(
        receipt_id=erasing.receipt_id,
        kind=Kind.CUSTOMER.value,
        shop=request.shop,
        owner=sought.digests.of(request.shop, "shop", request.shop),
        subject=request.subject,
        requested_at=request.received_at,
        done_at=now,
        found=found,
        deleted={store: count for store, count in found.items() if effects[store] is Effect.DELETE},
        anonymised={store: count for store, count in found.items() if effects[store] is Effect.ANONYMISE},
        kept=kept(request.found),
        second_look=dict(second_look),
        says="all that was found is gone" if any(found.values()) else "nothing was found",
    )


def kept(found: Mapping[str, int]) -> dict[str, dict[str, object]]:
    """Return what stays of what was found, and why it may. Pure."""
    return {
        each.name: {"count": found[each.name], "reason": each.outcome}
        for each in HOLDINGS
        if each.effect is Effect.KEEP and found.get(each.name)
    }


async def _issued(connections: Connections, request: PrivacyRequest) -> Signed:
    signed = await read_receipt(connections, request.receipt_id) if request.receipt_id else None
    if signed is None:
        raise NotFound(f"request {request.request_id!r} is done and has no receipt")
    return signed


async def _retrain(connections: Connections, shop: str, found: Mapping[str, int]) -> None:
    """Ask for a training without the person, where one could have learnt from them."""
    installed = await get_shop(connections, shop)
    has_app = installed is not None and installed.uninstalled_at is None
    if has_app and (found.get("orders") or found.get("model files")):
        await request_job(connections, "train", shop)
