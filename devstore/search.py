"""The `query:` argument of connections: the part of Shopify's search syntax that apps use."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from devstore.records import (
    AutomaticDiscount,
    Collection,
    Customer,
    InventoryItem,
    Order,
    Product,
    Variant,
    number,
)

Getter = Callable[[Any], Any]
TERM = re.compile(
    r"""(?P<not>-|NOT\s+)?(?:(?P<field>\w+):)?(?P<op>>=|<=|>|<)?(?P<value>"[^"]*"|'[^']*'|[^\s()]+)"""
)

COMMON: dict[str, Getter] = {
    "id": lambda r: r.id,
    "created_at": lambda r: r.created_at,
    "updated_at": lambda r: r.updated_at,
    "tag": lambda r: r.tags,
}
FIELDS: dict[type, dict[str, Getter]] = {
    Order: COMMON
    | {
        "processed_at": lambda r: r.created_at,
        "name": lambda r: [r.name, r.name.removeprefix("#")],
        "email": lambda r: r.email,
        "customer_id": lambda r: r.customer_id,
        "financial_status": lambda r: r.financial_status,
        "status": lambda r: "cancelled" if r.cancelled_at else "open",
        "discount_code": lambda r: list(r.discounts_by_code),
        "checkout_token": lambda r: r.checkout_token,
    },
    Product: COMMON
    | {
        "title": lambda r: r.title,
        "vendor": lambda r: r.vendor,
        "product_type": lambda r: r.product_type,
        "handle": lambda r: r.handle,
        "status": lambda r: r.status,
        "sku": lambda r: [v.sku for v in r.variants],
        "inventory_total": lambda r: sum(v.inventory for v in r.variants),
        "published_status": lambda r: "published" if r.published else "unpublished",
    },
    Collection: {
        "id": lambda r: r.id,
        "title": lambda r: r.title,
        "handle": lambda r: r.handle,
        "updated_at": lambda r: r.updated_at,
    },
    Variant: {
        "id": lambda r: r.id,
        "sku": lambda r: r.sku,
        "title": lambda r: r.title,
        "product_id": lambda r: r.product_id,
        "inventory_quantity": lambda r: r.inventory,
    },
    InventoryItem: {
        "id": lambda r: r.id,
        "sku": lambda r: r.variant.sku,
        "created_at": lambda r: r.created_at,
        "updated_at": lambda r: r.updated_at,
    },
    AutomaticDiscount: {"id": lambda r: r.id, "title": lambda r: r.title, "type": lambda r: "app"},
    Customer: COMMON
    | {
        "email": lambda r: r.email,
        "first_name": lambda r: r.first_name,
        "last_name": lambda r: r.last_name,
    },
}


class BadSearch(Exception):
    """The dev store can't search by this; the message names the word."""


def search(records: list[Any], text: str | None) -> list[Any]:
    """Return the records that every term of the text holds for."""
    if not text or not text.strip():
        return records
    tests = [_test(match) for match in TERM.finditer(text) if match.group("value") != "AND"]
    return [record for record in records if all(test(record) for test in tests)]


def _test(match: re.Match[str]) -> Callable[[Any], bool]:
    name, operator, value = match.group("field"), match.group("op") or "=", match.group("value").strip("\"'")
    if name is None:
        raise BadSearch(f"the dev store searches by field only, such as title:{value}, and has no OR")

    def holds(record: Any) -> bool:
        getter = FIELDS.get(type(record), COMMON).get(name)
        if getter is None:
            raise BadSearch(f"the dev store can't search {type(record).__name__.lower()}s by {name}")
        return _compare(getter(record), operator, value) is not bool(match.group("not"))

    return holds


def _compare(found: Any, operator: str, value: str) -> bool:
    if isinstance(found, list):
        return any(_compare(item, operator, value) for item in found)
    if found is None:
        return False
    wanted: Any = value.lower()
    if isinstance(found, datetime):
        wanted = moment(value)
    elif isinstance(found, int):
        wanted = number(value)
    elif operator == "=" and value.endswith("*"):
        return str(found).lower().startswith(value[:-1].lower())
    else:
        found = str(found).lower()
    return bool(
        {
            "=": found == wanted,
            ">": found > wanted,
            ">=": found >= wanted,
            "<": found < wanted,
            "<=": found <= wanted,
        }[operator]
    )


def moment(text: str) -> datetime:
    """Return an ISO date or time, UTC when it has no zone. Raises BadSearch when it is neither."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise BadSearch(f"{text} is not a date or a time") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
