"""What the Admin API answers of discounts that need no code, and what an app does with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devstore import fields
from devstore.app_fields import find, listed
from devstore.fields import own_namespace
from devstore.mutations import METAFIELD_BYTES, done, installation, refuse
from devstore.records import AutomaticDiscount, Metafield, gid
from devstore.resolve import Context, Reader
from devstore.search import moment

Args = Mapping[str, Any]
CLASSES = ("order", "product", "shipping")
NOT_FOUND = (
    "Function {} not found. Ensure that it is released in the current app, and that the app is installed."
)


def create(context: Context, _source: Any, args: Args) -> Any:
    """Make the discount with its metafields, or say why not."""
    given = args["automaticAppDiscount"]
    for field, message, code in _wrong(context, given):
        return refuse(["automaticAppDiscount", field], message, code, automaticAppDiscount=None)
    made = AutomaticDiscount(
        context.shop.next_id(),
        given["title"],
        given["functionHandle"],
        moment(str(given.get("startsAt") or context.now.isoformat())),
        ends_at=moment(str(given["endsAt"])) if given.get("endsAt") else None,
        classes=frozenset(each.lower() for each in given.get("discountClasses") or ()),
        combines_with=frozenset(
            each for each in CLASSES if (given.get("combinesWith") or {}).get(f"{each}Discounts")
        ),
    )
    context.shop.automatic[made.id] = made
    for field in given.get("metafields") or ():
        _keep(context, made, field)
    return done(automaticAppDiscount=made)


def _wrong(context: Context, given: Args) -> list[tuple[str, str, str]]:
    found = []
    if not given.get("title"):
        found.append(("title", "Title can't be blank", "BLANK"))
    if given.get("functionHandle") not in context.shop.functions:
        found.append(("functionHandle", NOT_FOUND.format(given.get("functionHandle")), "INVALID"))
    if not given.get("discountClasses"):
        found.append(("discountClasses", "Discount classes can't be blank", "BLANK"))
    if any(len(each["value"].encode()) > METAFIELD_BYTES for each in given.get("metafields") or ()):
        found.append(("metafields", "Value is too long", "TOO_LONG"))
    return found


def _keep(context: Context, owner: AutomaticDiscount, given: Args) -> None:
    key = (gid("DiscountAutomaticNode", owner.id), own_namespace(context.shop), given["key"])
    made = Metafield(
        context.shop.next_id(), *key, given.get("type") or "json", given["value"], context.now, context.now
    )
    installation(context).metafields[key] = made


def delete(context: Context, _source: Any, args: Args) -> Any:
    """Delete the discount and what was kept of it."""
    found = find(context, args["id"])
    if not isinstance(found, AutomaticDiscount):
        message = "Automatic discount does not exist."
        return refuse(["id"], message, "INVALID", deletedAutomaticDiscountId=None)
    del context.shop.automatic[found.id]
    held = installation(context).metafields
    for key in [key for key in held if key[0] == gid("DiscountAutomaticNode", found.id)]:
        del held[key]
    return done(deletedAutomaticDiscountId=args["id"])


def _app(context: Context, discount: AutomaticDiscount) -> dict[str, Any]:
    return {
        "__typename": "DiscountAutomaticApp",
        "discountId": gid("DiscountAutomaticNode", discount.id),
        "title": discount.title,
        "startsAt": discount.starts_at,
        "endsAt": discount.ends_at,
        "status": "ACTIVE" if discount.is_open(context.now) else "EXPIRED",
        "discountClasses": [each.upper() for each in sorted(discount.classes)],
        "combinesWith": {f"{each}Discounts": each in discount.combines_with for each in CLASSES},
        "createdAt": discount.starts_at,
        "updatedAt": discount.starts_at,
        "context": {"__typename": "DiscountBuyerSelectionAll", "all": "ALL"},
        "tags": [],
    }


def _automatic(context: Context) -> list[AutomaticDiscount]:
    return list(context.shop.automatic.values())


MUTATION: dict[str, Reader] = {
    "discountAutomaticAppCreate": create,
    "discountAutomaticDelete": delete,
}
TABLES: dict[str, dict[str, Reader]] = {
    "DiscountAutomaticNode": {"automaticDiscount": lambda c, d, a: _app(c, d)}
    | fields.metafields("DiscountAutomaticNode"),
    "DiscountAutomaticAppCreatePayload": {
        "automaticAppDiscount": lambda c, s, a: (
            _app(c, s["automaticAppDiscount"]) if s["automaticAppDiscount"] else None
        )
    },
}
QUERY: dict[str, Reader] = {"automaticDiscountNodes": listed(_automatic)}
NAMES: dict[type, str] = {AutomaticDiscount: "DiscountAutomaticNode"}
