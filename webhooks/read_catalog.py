"""Products, stock and costs, as Shopify's webhooks write them. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.errors import InputError
from app.events.kinds import (
    CollectionsChanged,
    CostChanged,
    InventoryChanged,
    ProductChanged,
    ProductDeleted,
    VariantFacts,
)
from webhooks.delivery import Delivery
from webhooks.payload import Payload

_WRITTEN_WITHIN = timedelta(minutes=5)  # a body can tell of what happened after it was set off


def read_product(payload: Payload, delivery: Delivery) -> ProductChanged:
    updated_at = payload.time_or_none("updated_at") or delivery.triggered_at
    published_at = payload.time_or_none("published_at")
    variants = enumerate(payload.children("variants"), start=1)
    return ProductChanged(
        **delivery.envelope,
        product_id=payload.id("id"),
        title=payload.text_or_none("title") or "",
        vendor=payload.text_or_none("vendor") or "",
        product_type=payload.text_or_none("product_type") or "",
        tags=payload.texts("tags"),
        image_url=_image(payload),
        published=_is_active(payload) and _is_over(published_at, delivery.triggered_at),
        created_at=payload.time_or_none("created_at") or published_at or updated_at,
        updated_at=updated_at,
        variants=tuple(_variant(v, position, delivery.currency) for position, v in variants),
        other_variant_ids=tuple(v.id("admin_graphql_api_id") for v in payload.children("variant_gids")),
        handle=payload.text_or_none("handle"),
    )


def read_product_deleted(payload: Payload, delivery: Delivery) -> ProductDeleted:
    return ProductDeleted(**delivery.envelope, product_id=payload.id("id"))


def read_collection(payload: Payload, delivery: Delivery) -> CollectionsChanged:
    return CollectionsChanged(**delivery.envelope, collection_id=payload.id("id"))


def read_inventory(payload: Payload, delivery: Delivery) -> InventoryChanged:
    return InventoryChanged(
        **delivery.envelope,
        inventory_item_id=payload.id("inventory_item_id"),
        location_id=payload.id("location_id"),
        available=payload.count_or_none("available"),
        updated_at=payload.time_or_none("updated_at") or delivery.triggered_at,
    )


def read_cost(payload: Payload, delivery: Delivery) -> CostChanged:
    return CostChanged(
        **delivery.envelope,
        inventory_item_id=payload.id("id"),
        cost_minor=cost_minor(payload, "cost", delivery.currency),
        updated_at=payload.time_or_none("updated_at") or delivery.triggered_at,
    )


def cost_minor(payload: Payload, name: str, currency: str) -> int | None:
    """Return a cost in minor units, None where there is none. Raises InputError for a negative one."""
    cost = payload.money(name, currency) if name in payload else None
    if cost is not None and cost < 0:
        raise InputError(f"{payload.at(name)} is negative", payload.at(name))
    return cost


def _is_over(published_at: datetime | None, now: datetime) -> bool:
    """Return whether it was published: where it is scheduled, that time is still to come."""
    return published_at is not None and published_at <= now + _WRITTEN_WITHIN


def _is_active(payload: Payload) -> bool:
    return (payload.text_or_none("status") or "active").lower() == "active"


def _image(payload: Payload) -> str | None:
    """Return the address of the product's first image."""
    first = payload.child_or_none("image") or next(iter(payload.children("images")), None)
    return first.text_or_none("src") if first else None


def _variant(variant: Payload, position: int, currency: str) -> VariantFacts:
    return VariantFacts(
        variant_id=variant.id("id"),
        title=variant.text_or_none("title") or "",
        price_minor=variant.money("price", currency),
        position=variant.count_or_none("position") or position,
        inventory_item_id=variant.id_or_none("inventory_item_id"),
        available=variant.count_or_none("inventory_quantity"),
        tracked=_tracked(variant),
        sells_when_out=variant.text_or_none("inventory_policy") == "continue",
    )


def _tracked(variant: Payload) -> bool | None:
    """Return True when the shop itself counts the stock; newer API versions don't say."""
    manager = variant.text_or_none("inventory_management")
    return None if manager is None else manager == "shopify"
