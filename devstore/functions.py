"""The app's discount Functions as they were built, and the input that each asks for.

The query of the extension is answered against Shopify's own schema of Functions, so that a Function is given
what Shopify would give it and nothing else.
"""

from __future__ import annotations

import gzip
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from graphql import DocumentNode, ExecutionResult, GraphQLSchema, build_client_schema, execute_sync, parse

from devstore.records import AutomaticDiscount, Checkout, Customer, gid
from devstore.schema import DATA, MODULES
from devstore.shop import Function, Shop
from devstore.wire import money

TARGET = "cart.lines.discounts.generate.run"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a Function is run on. gross_minor: what the lines cost before anything is taken off."""

    shop: Shop
    checkout: Checkout
    discount: AutomaticDiscount
    gross_minor: int
    now: datetime


def built_functions(folder: Path) -> dict[str, Function]:
    """Return the Functions in the folder's extensions that were built, by their handles."""
    found: dict[str, Function] = {}
    for file in sorted(folder.glob("*/shopify.extension.toml")):
        for declared in tomllib.loads(file.read_text()).get("extensions", ()):
            if declared.get("type") != "function":
                continue
            for targeting in declared.get("targeting", ()):
                wasm = file.parent / declared["build"]["path"]
                if targeting["target"] == TARGET and wasm.is_file():
                    query = file.parent / targeting["input_query"]
                    found[declared["handle"]] = Function(wasm, targeting["export"], query)
    return found


def input_of(function: Function, asked: Asked) -> dict[str, Any]:
    """Return what the Function's query asks of the checkout. Raises ValueError where it asks for more."""
    answer = execute_sync(_schema(), _parsed(function.query), root_value=_root(asked))
    assert isinstance(answer, ExecutionResult)
    if answer.errors or answer.data is None:
        raise ValueError(f"{function.query.name}: {answer.errors}")
    return dict(answer.data)


@cache
def _schema() -> GraphQLSchema:
    with gzip.open(MODULES / DATA / "functions_discount_2026-07.json.gz") as packed:
        return build_client_schema(json.load(packed)["data"], assume_valid=True)


@cache
def _parsed(query: Path) -> DocumentNode:
    return parse(query.read_text())


def _root(asked: Asked) -> dict[str, Any]:
    discount = asked.discount
    return {
        "presentmentCurrencyRate": str(asked.shop.market_of(asked.checkout.country).rate),
        "shop": {"localTime": _local_time(asked.now.astimezone(ZoneInfo(asked.shop.timezone)))},
        "discount": {
            "discountClasses": [each.upper() for each in sorted(discount.classes)],
            "metafield": _metafield(asked.shop, gid("DiscountAutomaticNode", discount.id)),
        },
        "cart": _cart(asked),
    }


def _local_time(local: datetime) -> dict[str, Any]:
    clock = f"{local:%H:%M:%S}"
    return {
        "date": f"{local:%Y-%m-%d}",
        "timeAfter": lambda _info, time: clock > time,
        "timeBefore": lambda _info, time: clock < time,
    }


def _metafield(shop: Shop, owner: str) -> Callable[..., dict[str, Any] | None]:
    def read(_info: Any, key: str, namespace: str = "$app") -> dict[str, Any] | None:
        installation = shop.installation
        if installation is None or namespace != "$app":
            return None
        held = installation.metafields.get((owner, installation.namespace, key))
        if held is None or len(held.value.encode()) > _MOST_METAFIELD:
            return None
        return {"value": held.value, "type": held.type, "jsonValue": json.loads(held.value)}

    return read


_MOST_METAFIELD = 10_000  # a Function is not told a longer one


def _cart(asked: Asked) -> dict[str, Any]:
    shop, checkout = asked.shop, asked.checkout
    customer = shop.customers.get(checkout.customer_id or 0)
    known = None if customer is None else {"id": gid("Customer", customer.id)}
    return {
        "attribute": _attribute(checkout.attributes),
        "buyerIdentity": {
            "isAuthenticated": customer is not None,
            "customer": known,
            "purchasingCompany": _company(customer),
        },
        "cost": {
            "subtotalAmount": {
                "amount": money(asked.gross_minor, checkout.currency),
                "currencyCode": checkout.currency,
            }
        },
        "lines": [
            {
                "id": gid("CartLine", line.id),
                "quantity": line.quantity,
                "attribute": _attribute(dict(line.attributes)),
                "merchandise": {
                    "__typename": "ProductVariant",
                    "id": gid("ProductVariant", line.variant_id),
                    "product": {"id": gid("Product", shop.variants[line.variant_id].product_id)},
                },
            }
            for line in checkout.lines
            if line.variant_id in shop.variants
        ],
        "deliveryGroups": [],
    }


def _company(customer: Customer | None) -> dict[str, Any] | None:
    return {"company": {"id": gid("Company", customer.id)}} if customer and customer.company else None


def _attribute(attributes: Mapping[str, str]) -> Callable[..., dict[str, str] | None]:
    def read(_info: Any, key: str | None = None) -> dict[str, str] | None:
        return {"key": key, "value": attributes[key]} if key is not None and key in attributes else None

    return read
