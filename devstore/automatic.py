"""What discounts without a code take off a checkout: their Functions say it, each time it is priced.

Shipping is nought in the dev store, so that the Functions' target for delivery is never run.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from wasmtime import Trap, WasmtimeError

from devstore.function_host import run_function
from devstore.functions import Asked, input_of
from devstore.pricing import Applied
from devstore.records import AutomaticDiscount, Checkout, number
from devstore.shop import Shop
from devstore.wire import minor

OPERATIONS = ("productDiscountsAdd", "orderDiscountsAdd")
_log = logging.getLogger(__name__)


def applied(shop: Shop, checkout: Checkout, now: datetime) -> list[Applied]:
    """Return what the shop's open discounts take off. A Function that fails takes nothing off, as there."""
    lines = [line for line in checkout.lines if line.variant_id in shop.variants]
    price = shop.market_of(checkout.country).price
    gross_minor = sum(price(shop.variants[line.variant_id].price_minor) * line.quantity for line in lines)
    found: list[Applied] = []
    for discount in shop.automatic.values():
        if lines and discount.is_open(now) and _combines(shop, checkout, discount):
            found += _run(Asked(shop, checkout, discount, gross_minor, now))
    return found


def _combines(shop: Shop, checkout: Checkout, discount: AutomaticDiscount) -> bool:
    """Return whether it may stand beside every code that is applied; where it may not, the code stays."""
    others = (shop.discount_of(code) for code in checkout.codes)
    return all(other is None or discount.combines(other) for other in others)


def _run(asked: Asked) -> list[Applied]:
    function = asked.shop.functions.get(asked.discount.function)
    if function is None:
        return []
    try:
        answer = run_function(function.wasm, function.export, input_of(function, asked)).output
        return [
            _applied(operation[kind]["candidates"][0], asked.checkout.currency)
            for operation in answer["operations"]
            for kind in OPERATIONS
            if kind in operation
        ]
    except (Trap, WasmtimeError, ValueError, LookupError, TypeError):
        _log.exception("the discount Function %s failed", asked.discount.function)
        return []


def _applied(candidate: Mapping[str, Any], currency: str) -> Applied:
    """Return the first candidate of an operation, which is all that the strategy FIRST takes."""
    value, targets = candidate["value"], candidate["targets"]
    percentage = value.get("percentage")
    return Applied(
        title=candidate["message"],
        line_ids=_lines(targets),
        percentage=None if percentage is None else float(percentage["value"]),
        amount_minor=None if percentage is not None else minor(value["fixedAmount"]["amount"], currency),
    )


def _lines(targets: Sequence[Mapping[str, Any]]) -> frozenset[int] | None:
    """Return the lines that are meant, None for the whole order."""
    if any("orderSubtotal" in target for target in targets):
        return None
    return frozenset(number(target["cartLine"]["id"]) for target in targets)
