"""POST /api/{version}/graphql.json: the Storefront API, for what a market asks for products."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graphql import GraphQLError, get_directive_values, get_variable_values
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstore import schema
from devstore.graphql import Asked, execute_document, read
from devstore.records import Product, Variant, number
from devstore.resolve import Context, Reader, Table
from devstore.shop import Shop
from devstore.store import Store
from devstore.wire import BadBody, money, read_json

Args = Mapping[str, Any]


async def answer(request: Request) -> Response:
    """Answer with no token, as Shopify does for products: 200 with errors for everything in the document."""
    store: Store = request.app.state.store
    shop = store.shop_of(request.headers.get("host", ""))
    try:
        spoken = schema.load_storefront(request.path_params["version"])
        body = await read_json(request)
    except schema.NoSchema as error:
        return JSONResponse({"errors": str(error)}, status_code=404)
    except BadBody as error:
        return JSONResponse({"errors": [{"message": str(error)}]}, status_code=400)
    context = Context(store, shop, spoken, frozenset(), store.clock(), TABLES, NAMES)
    asked = read(context, body)
    if not isinstance(asked, Asked):
        return JSONResponse({"errors": [error.formatted for error in asked]})
    try:
        context = replace(context, country=_country(context, asked))
    except GraphQLError as error:
        return JSONResponse({"errors": [error.formatted]})
    result = execute_document(context, asked)
    told = {"data": result.data}
    if result.errors:
        told["errors"] = [error.formatted for error in result.errors]
    return JSONResponse(told)


def _country(context: Context, asked: Asked) -> str:
    """Return the country of `@inContext`, the shop's own without it. Raises GraphQLError for a company."""
    graphql, operation = context.schema.graphql, asked.operation
    variables = get_variable_values(graphql, operation.variable_definitions or (), asked.variables)
    directive = graphql.get_directive("inContext")
    if directive is None or isinstance(variables, list):
        return context.shop.country  # what is wrong with the variables is told as they are used
    given = get_directive_values(directive, operation, variables) or {}
    if given.get("buyer"):
        raise GraphQLError("The dev store has no companies, so no buyer has prices of their own.")
    return str(given.get("country") or context.shop.country)


def _node(context: Context, _source: Any, args: Args) -> Product | Variant | None:
    return _found(context, str(args["id"]))


def _nodes(context: Context, _source: Any, args: Args) -> list[Product | Variant | None]:
    """Return what each id stands for; null for what this market does not have."""
    return [_found(context, str(each)) for each in args["ids"]]


def _found(context: Context, global_id: str) -> Product | Variant | None:
    kind, shop = global_id.rsplit("/", 1)[0], context.shop
    try:
        wanted = number(global_id)
    except ValueError:
        raise GraphQLError(f"Invalid global id '{global_id}'") from None
    record: Product | Variant | None = None
    if kind == "gid://shopify/Product":
        record = shop.products.get(wanted)
    elif kind == "gid://shopify/ProductVariant":
        record = shop.variants.get(wanted)
    return record if record and _is_sold(shop, context.country, record) else None


def _is_sold(shop: Shop, country: str, record: Product | Variant) -> bool:
    product = record if isinstance(record, Product) else shop.products[record.product_id]
    left_out = shop.market_of(country).left_out
    return product.published and product.status == "active" and product.id not in left_out


def _price(context: Context, variant: Variant, _args: Args) -> dict[str, str]:
    market = context.shop.market_of(context.country)
    return _money(market.price(variant.price_minor), market.currency)


def _unit_price(context: Context, variant: Variant, _args: Args) -> dict[str, str] | None:
    market, measure = context.shop.market_of(context.country), variant.measure
    if measure is None:
        return None
    return _money(round(market.price(variant.price_minor) * measure.per / measure.amount), market.currency)


def _measurement(_context: Context, variant: Variant, _args: Args) -> dict[str, Any] | None:
    if variant.measure is None:
        return None
    amount, unit, per = variant.measure.amount, variant.measure.unit, variant.measure.per
    return {"quantityValue": amount, "quantityUnit": unit, "referenceValue": per, "referenceUnit": unit}


def _money(minor: int, currency: str) -> dict[str, str]:
    return {"amount": money(minor, currency), "currencyCode": currency}


VARIANT: dict[str, Reader] = {
    "price": _price,
    "unitPrice": _unit_price,
    "unitPriceMeasurement": _measurement,
    "availableForSale": lambda c, v, a: v.available,
    "product": lambda c, v, a: c.shop.products[v.product_id],
}
PRODUCT: dict[str, Reader] = {
    "availableForSale": lambda c, p, a: any(variant.available for variant in p.variants),
    "variants": lambda c, p, a: p.variants,
}
TABLES: Table = {"QueryRoot": {"node": _node, "nodes": _nodes}, "ProductVariant": VARIANT, "Product": PRODUCT}
NAMES = {Product: "Product", Variant: "ProductVariant"}

routes = [Route("/api/{version}/graphql.json", answer, methods=["POST"])]
