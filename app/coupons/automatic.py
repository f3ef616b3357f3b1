"""A shop's automatic discounts, one for each campaign that gives without a code, kept in Shopify.

Each holds its terms, the key of its grants and the numbers of those that were used in a metafield of ours,
which the discount Function reads. What is there is asked of Shopify every time and made what it ought to be.
What is written down of it tells decide for which terms Shopify has a discount, so that nothing is promised
before.

Of a campaign that is given other terms while it runs, carts carry grants of the earlier ones: that discount
stays until all of these are over, and is told when that is.

The metafield lists a used grant for as long as one with its number can still hold: no other is signed for
that number. Where it can't hold them all, the key changes: every grant under the old one ends.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.connections import Connections
from app.coupons import documents
from app.coupons.missing import ended_early
from app.coupons.promise import (
    METAFIELD,
    MOST_BYTES,
    NAMESPACE,
    Promise,
    automatic_input,
    label,
    metafield_value,
    room,
)
from app.coupons.signed import grant_key
from app.coupons.uses import Discount, discounts_of, drop_discounts, forget_uses, keep_discount, used_since
from app.errors import ShopifyRefused
from app.shopify import accepted
from app.shops.changes import announce_change
from app.shops.secrets import installation_secret
from app.shops.store import Shop
from app.shops.tokens import ask_shop

SIGNING = "grants"
# A grant holds until its last two hours are over, an hour more when clocks change, and decide hears of a use
# a little later than we do.
_SPARE = timedelta(hours=4)
# Shopify runs 25 automatic discounts of a shop, and each change of a campaign would leave one.
MOST_OUTLASTING = 5
_UNTIL = "until"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LiveDiscount:
    """A discount as Shopify has it. value: of its metafield. status: ACTIVE, EXPIRED or SCHEDULED."""

    discount_id: str
    value: Mapping[str, Any]
    status: str


async def keep_automatic(
    connections: Connections, shop: Shop, promises: Sequence[Promise], now: datetime
) -> list[Promise]:
    """Make the discounts that are missing, tell them which grants were used, delete those nobody wishes.

    One that Shopify refuses is not promised, why is kept for the merchant, and the others go on. Where
    somebody deactivated some in Shopify these are returned, and nothing is done. Raises ShopifyUnavailable.
    """
    wanted = {each.terms_id: each for each in promises}
    known = await discounts_of(connections, shop.shop)
    await forget_uses(connections, shop.shop, known, now)
    promised = {terms_id for terms_id, each in known.items() if each.discount_id is not None}
    if not wanted and not promised:
        return []
    held = await _held(connections, shop.shop)
    if off := [each for each in promises if _is_off(each, held.get(each.terms_id), now)]:
        return off
    left = {each: held[each] for each in held.keys() - wanted.keys()}
    outlasting = _outlasting(left, known, {each.campaign_id for each in promises}, now)
    # First of all nothing more is promised of what ends.
    await _drop(connections, shop.shop, promised - (held.keys() & (wanted.keys() | outlasting.keys())))
    for terms_id in left.keys() - outlasting.keys():
        await _delete(connections, shop.shop, left[terms_id].discount_id)
    for terms_id, until in outlasting.items():
        await _let_last(connections, shop.shop, known[terms_id], left[terms_id], until, now)
    for terms_id, promise in sorted(wanted.items()):
        before = known.get(terms_id, Discount(terms_id, promise.campaign_id))
        try:
            await _keep(connections, shop, promise, before, held.get(terms_id), now)
        except ShopifyRefused as error:
            _log.warning("discount not made", extra={"shop": shop.shop, "reason": str(error)})
            refused = replace(before, discount_id=None, error=str(error))
            await _write(connections, shop.shop, before, refused, now)
    return []


def _is_off(promise: Promise, held: LiveDiscount | None, now: datetime) -> bool:
    return held is not None and ended_early(held.status, promise.ends_at, now)


def _outlasting(
    left: Mapping[str, LiveDiscount], known: Mapping[str, Discount], campaigns: Collection[str], now: datetime
) -> dict[str, datetime]:
    """Return until when discounts of earlier terms stay, by terms, as carts may still carry their grants.

    left: discounts whose terms no campaign has now. campaigns: those that go on, under other terms. Pure.
    """
    ends: dict[str, datetime] = {}
    for terms_id, each in left.items():
        if (before := known.get(terms_id)) is not None and before.campaign_id in campaigns:
            told = each.value.get(_UNTIL)
            lasts = timedelta(seconds=before.lasts_s) + _SPARE
            ends[terms_id] = now + lasts if told is None else datetime.fromisoformat(told)
    latest = sorted((each for each in ends if ends[each] > now), key=lambda each: ends[each], reverse=True)
    return {each: ends[each] for each in latest[:MOST_OUTLASTING]}


async def _let_last(
    connections: Connections,
    shop: str,
    discount: Discount,
    held: LiveDiscount,
    until: datetime,
    now: datetime,
) -> None:
    """Tell the discount until when it stays, and which of its grants were used meanwhile."""
    used = await used_since(connections, shop, discount.campaign_id, _listed_since(discount, now))
    value = json.dumps({**held.value, "used": "".join(used), _UNTIL: until.isoformat()})
    if json.loads(value) == held.value:
        return
    if len(value.encode()) > MOST_BYTES:
        await _drop(connections, shop, {discount.terms_id})
        await _delete(connections, shop, held.discount_id)
    else:
        await _tell(connections, shop, held.discount_id, value)


async def _keep(
    connections: Connections,
    shop: Shop,
    promise: Promise,
    before: Discount,
    held: LiveDiscount | None,
    now: datetime,
) -> None:
    """Have Shopify hold the discount as it ought to be, and write it down once it does."""
    secret = await installation_secret(connections, SIGNING)
    after = replace(
        before,
        lasts_s=max(before.lasts_s, promise.lasts_s),
        title=promise.terms.title,
        label=label(promise.terms, shop.currency),
        applies_to=promise.terms.applies_to,
    )
    used = await used_since(connections, shop.shop, before.campaign_id, _listed_since(after, now))
    key = grant_key(secret, shop.shop, before.terms_id, after.epoch)
    if len(used) > room(promise, shop.currency, key):
        _log.warning("grants ended to begin anew", extra={"shop": shop.shop, "campaign": promise.campaign_id})
        after, used = replace(after, epoch=before.epoch + 1, epoch_at=now), ()
        key = grant_key(secret, shop.shop, before.terms_id, after.epoch)
    value = metafield_value(promise, shop.currency, key, used)
    discount_id = await _held_as(connections, shop.shop, promise, value, held, now)
    await _write(connections, shop.shop, before, replace(after, discount_id=discount_id, error=""), now)


async def _write(
    connections: Connections, shop: str, before: Discount, after: Discount, now: datetime
) -> None:
    """Write down what has changed of a discount, and let decide know."""
    if after != before:
        await keep_discount(connections, shop, after, now)
        await announce_change(connections.redis, shop)


def _listed_since(discount: Discount, now: datetime) -> datetime:
    """Return since when used grants have to be listed: what was signed before then holds no more."""
    since = now - timedelta(seconds=discount.lasts_s) - _SPARE
    return since if discount.epoch_at is None else max(since, discount.epoch_at)


async def _held_as(
    connections: Connections,
    shop: str,
    promise: Promise,
    value: str,
    held: LiveDiscount | None,
    now: datetime,
) -> str:
    """Return Shopify's id of the discount, which has the metafield's value now."""
    if held is None:
        return await _make(connections, shop, automatic_input(promise, value, now))
    if held.value != json.loads(value):
        await _tell(connections, shop, held.discount_id, value)
    return held.discount_id


async def _held(connections: Connections, shop: str) -> dict[str, LiveDiscount]:
    """Return the discounts that are ours, by terms."""
    held: dict[str, LiveDiscount] = {}
    after: str | None = None
    while True:
        variables = {"key": METAFIELD, "after": after}
        answer = await ask_shop(connections, shop, documents.LIST_AUTOMATIC, variables)
        page: Mapping[str, Any] = answer.get("automaticDiscountNodes") or {}
        for node in page.get("nodes") or ():
            value = (node.get("metafield") or {}).get("jsonValue") or {}
            if terms_id := (value.get("terms") or {}).get("id"):
                status = str((node.get("automaticDiscount") or {}).get("status"))
                held[str(terms_id)] = LiveDiscount(str(node["id"]), value, status)
        info = page.get("pageInfo") or {}
        if not info.get("hasNextPage"):
            return held
        after = info.get("endCursor")


async def _make(connections: Connections, shop: str, discount: Mapping[str, Any]) -> str:
    answer = await ask_shop(connections, shop, documents.CREATE_AUTOMATIC, {"discount": discount})
    made = accepted(answer, "discountAutomaticAppCreate", shop=shop).get("automaticAppDiscount") or {}
    if not isinstance(made.get("discountId"), str):
        raise ShopifyRefused(f"{shop} discountAutomaticAppCreate: the answer carries no discount")
    return str(made["discountId"])


async def _tell(connections: Connections, shop: str, discount_id: str, value: str) -> None:
    metafield = {
        "ownerId": discount_id, "namespace": NAMESPACE, "key": METAFIELD, "type": "json", "value": value
    }  # fmt: skip
    answer = await ask_shop(connections, shop, documents.TELL_AUTOMATIC, {"metafields": [metafield]})
    accepted(answer, "metafieldsSet", shop=shop)


async def _delete(connections: Connections, shop: str, discount_id: str) -> None:
    answer = await ask_shop(connections, shop, documents.DELETE_AUTOMATIC, {"id": discount_id})
    errors = (answer.get("discountAutomaticDelete") or {}).get("userErrors") or ()
    if any(each.get("code") != "INVALID" for each in errors):
        accepted(answer, "discountAutomaticDelete", shop=shop)


async def _drop(connections: Connections, shop: str, terms_ids: set[str]) -> None:
    if terms_ids:
        await drop_discounts(connections, shop, terms_ids)
        await announce_change(connections.redis, shop)
