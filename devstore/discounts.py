"""What an app does with code discounts: made, given more codes and a new end, taken back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from devstore.app_fields import find
from devstore.mutations import done, refuse
from devstore.records import Discount, gid, number
from devstore.resolve import Context, Reader
from devstore.search import moment
from devstore.wire import minor

CLASSES = ("order", "product", "shipping")

Args = Mapping[str, Any]


def basic_create(context: Context, _source: Any, args: Args) -> Any:
    given = args["basicCodeDiscount"]
    value = (given.get("customerGets") or {}).get("value") or {}
    percentage, amount = value.get("percentage"), (value.get("discountAmount") or {}).get("amount")
    if (percentage is None) == (amount is None) or (percentage is not None and not 0 < percentage <= 1):
        return refuse(
            ["basicCodeDiscount", "customerGets", "value"],
            "Value must be between 0.0 and 1.0, or an amount",
            "VALUE_OUTSIDE_RANGE",
            codeDiscountNode=None,
        )
    return _created(
        context,
        "basicCodeDiscount",
        given,
        percentage=percentage * 100 if percentage is not None else None,
        amount_minor=minor(amount, context.shop.currency) if amount is not None else None,
    )


def free_shipping_create(context: Context, _source: Any, args: Args) -> Any:
    name = "freeShippingCodeDiscount"
    return _created(context, name, args[name], free_shipping=True)


def _created(context: Context, name: str, given: Args, **takes: Any) -> Any:
    code, title = given.get("code"), given.get("title")
    if not code or not title:
        return refuse(
            [name, "code" if not code else "title"],
            "can't be blank",
            "BLANK",
            codeDiscountNode=None,
        )
    if context.shop.discount_of(code):
        return refuse(
            [name, "code"],
            "Code must be unique. Please try a different code.",
            "TAKEN",
            codeDiscountNode=None,
        )
    products = (((given.get("customerGets") or {}).get("items") or {}).get("products") or {}).get(
        "productsToAdd"
    ) or ()
    made = Discount(
        context.shop.next_id(),
        title,
        _moment(given.get("startsAt")) or context.now,
        {code: 0},
        ends_at=_moment(given.get("endsAt")),
        product_ids=frozenset(map(number, products)),
        usage_limit=given.get("usageLimit"),
        once_per_customer=bool(given.get("appliesOncePerCustomer")),
        minimum_minor=minor(_minimum(given) or "0", context.shop.currency),
        combines_with=frozenset(
            each for each in CLASSES if (given.get("combinesWith") or {}).get(f"{each}Discounts")
        ),
        **takes,
    )
    return done(codeDiscountNode=context.shop.add_discount(made))


def _minimum(given: Args) -> Any:
    subtotal = (given.get("minimumRequirement") or {}).get("subtotal") or {}
    return subtotal.get("greaterThanOrEqualToSubtotal")


def _moment(given: Any) -> datetime | None:
    return moment(str(given)) if given is not None else None


def redeem_code_bulk_add(context: Context, _source: Any, args: Args) -> Any:
    """Add up to 250 codes; each that is taken is reported beside the others, which are kept."""
    discount, codes = find(context, args["discountId"]), [given["code"] for given in args["codes"]]
    if not isinstance(discount, Discount):
        return refuse(["discountId"], "Code discount does not exist.", "INVALID", bulkCreation=None)
    if len(codes) > 250:
        return refuse(
            ["codes"],
            "The input array size is greater than the maximum allowed of 250.",
            "EXCEEDED_MAX",
            bulkCreation=None,
        )
    taken = {
        code for place, code in enumerate(codes) if context.shop.discount_of(code) or code in codes[:place]
    }
    context.shop.add_codes(discount, [code for code in codes if code not in taken])
    return done(
        bulkCreation={
            "id": gid("DiscountRedeemCodeBulkCreation", context.shop.next_id()),
            "done": True,
            "codesCount": len(codes),
            "importedCount": len(codes) - len(taken),
            "failedCount": len(taken),
            "createdAt": context.now,
            "discountCode": discount,
            "codes": [_added(discount, code, code in taken) for code in codes],
        }
    )


def _added(discount: Discount, code: str, taken: bool) -> dict[str, Any]:
    errors = [
        {"field": ["code"], "message": "Code must be unique. Please try a different code.", "code": "TAKEN"}
    ]
    made = {
        "id": gid("DiscountRedeemCode", discount.code_ids.get(code, 0)),
        "code": code,
        "asyncUsageCount": 0,
    }
    return {"code": code, "discountRedeemCode": None if taken else made, "errors": errors if taken else []}


def delete(context: Context, _source: Any, args: Args) -> Any:
    discount = find(context, args["id"])
    if not isinstance(discount, Discount):
        return refuse(["id"], "Code discount does not exist.", "INVALID", deletedCodeDiscountId=None)
    del context.shop.discounts[discount.id]
    for code in discount.codes:
        del context.shop.by_code[code.upper()]
    return done(deletedCodeDiscountId=args["id"])


def _update(name: str) -> Reader:
    def update(context: Context, _source: Any, args: Args) -> Any:
        """Set what is given; the dev store knows a title and an end."""
        discount, given = find(context, args["id"]), args[name]
        if not isinstance(discount, Discount):
            return refuse(["id"], "Code discount does not exist.", "INVALID", codeDiscountNode=None)
        if given.get("endsAt") is not None:
            end = _moment(given["endsAt"])
            if end is not None and end <= discount.starts_at:
                message = "Ends at needs to be after starts_at"
                return refuse([name, "endsAt"], message, "INVALID", codeDiscountNode=None)
            discount.ends_at = end
        discount.title = given.get("title") or discount.title
        return done(codeDiscountNode=discount)

    return update


def redeem_code_bulk_delete(context: Context, _source: Any, args: Args) -> Any:
    """Take codes out of a discount; those that are not in it are passed over."""
    discount = find(context, args["discountId"])
    if not isinstance(discount, Discount):
        return refuse(["discountId"], "Code discount does not exist.", "INVALID", job=None)
    if not args.get("ids"):
        message = "Missing redeem code discount argument: one of ids, search or savedSearchId."
        return refuse(["ids"], message, "MISSING_ARGUMENT", job=None)
    wanted = set(map(number, args["ids"]))
    for code in [code for code, code_id in discount.code_ids.items() if code_id in wanted]:
        del discount.codes[code], discount.code_ids[code], context.shop.by_code[code.upper()]
    return done(job={"id": gid("Job", context.shop.next_id()), "done": True})


MUTATION: dict[str, Reader] = {
    "discountCodeBasicCreate": basic_create,
    "discountRedeemCodeBulkAdd": redeem_code_bulk_add,
    "discountCodeDelete": delete,
    "discountCodeFreeShippingCreate": free_shipping_create,
    "discountCodeBasicUpdate": _update("basicCodeDiscount"),
    "discountCodeFreeShippingUpdate": _update("freeShippingCodeDiscount"),
    "discountCodeRedeemCodeBulkDelete": redeem_code_bulk_delete,
}
