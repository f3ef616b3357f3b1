"""Pages of a list, as GraphQL connections with cursors."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLError

LARGEST = 250
SORTS = {
    "CREATED_AT": "created_at",
    "UPDATED_AT": "updated_at",
    "PROCESSED_AT": "created_at",
    "TITLE": "title",
    "ORDER_NUMBER": "number",
    "VENDOR": "vendor",
    "PRODUCT_TYPE": "product_type",
    "SKU": "sku",
    "INVENTORY_QUANTITY": "inventory",
    "NAME": "last_name",
}


def ordered(records: Sequence[Any], args: Mapping[str, Any]) -> list[Any]:
    """Return the records in the order asked for: by sortKey, else by id; reverse turns it round."""
    field = SORTS.get(str(args.get("sortKey") or "ID"), "id")
    if not all(hasattr(record, field) for record in records[:1]):
        return list(records)
    return sorted(
        records, key=lambda r: (getattr(r, field), getattr(r, "id", 0)), reverse=bool(args.get("reverse"))
    )


def whole(records: Sequence[Any]) -> dict[str, Any]:
    """Return all records as one page, as bulk operations read them."""
    return {"edges": [{"node": record} for record in records], "nodes": records}


def page(records: Sequence[Any], args: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the page that first and after, or last and before, ask for. Raises GraphQLError."""
    size = args.get("first") if args.get("first") is not None else args.get("last")
    if size is None:
        raise GraphQLError(
            f"you must provide one of first or last for {name}", extensions={"code": "BAD_REQUEST"}
        )
    if not 0 <= size <= LARGEST:
        raise GraphQLError(
            f"{name}: first and last are from 0 to {LARGEST}", extensions={"code": "BAD_REQUEST"}
        )
    start = _place(records, args.get("after"), name) + 1 if args.get("after") else 0
    stop = _place(records, args.get("before"), name) if args.get("before") else len(records)
    if args.get("first") is not None:
        stop = min(stop, start + size)
    else:
        start = max(start, stop - size)
    shown = records[start:stop]
    cursors = [_cursor(record, start + i) for i, record in enumerate(shown)]
    return {
        "edges": [{"node": r, "cursor": c} for r, c in zip(shown, cursors, strict=True)],
        "nodes": shown,
        "pageInfo": {
            "hasNextPage": stop < len(records),
            "hasPreviousPage": start > 0,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def _key(record: Any, place: int) -> Any:
    return getattr(record, "id", place)


def _cursor(record: Any, place: int) -> str:
    return b64encode(json.dumps({"last_id": _key(record, place)}).encode()).decode()


def _place(records: Sequence[Any], cursor: Any, name: str) -> int:
    """Return where the record of a cursor stands; its id finds it although others came or went."""
    try:
        wanted = json.loads(b64decode(str(cursor), validate=True))["last_id"]
    except (ValueError, KeyError, TypeError):
        raise GraphQLError(
            f"{name}: {cursor!r} is not a cursor", extensions={"code": "BAD_REQUEST"}
        ) from None
    for place, record in enumerate(records):
        if _key(record, place) == wanted:
            return place
    raise GraphQLError(
        f"{name}: nothing is at the cursor {cursor!r} any more", extensions={"code": "BAD_REQUEST"}
    )
