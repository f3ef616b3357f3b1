"""POST /admin/api/{version}/graphql.json: Shopify's schema, this shop's data, Shopify's answers."""

from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstore import app_fields, automatic_fields, cost, discounts, mutations, schema
from devstore.resolve import Context, resolve, resolve_type
from devstore.shop import Shop
from devstore.store import Store
from devstore.wire import BadBody, read_json

TABLES = (
    app_fields.TABLES
    | automatic_fields.TABLES
    | {
        "QueryRoot": app_fields.QUERY | automatic_fields.QUERY,
        "Mutation": mutations.MUTATION | discounts.MUTATION | automatic_fields.MUTATION,
    }
)
NAMES = app_fields.NAMES | automatic_fields.NAMES
WRONG_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Asked:
    """A document that Shopify's schema allows, and the operation in it to run."""

    document: DocumentNode
    operation: OperationDefinitionNode
    variables: dict[str, Any]


async def answer(request: Request) -> Response:
    """Answer as Shopify does: 401 for a token, 200 with errors for everything in the document."""
    store: Store = request.app.state.store
    shop = store.shop_of(request.headers.get("host", ""))
    grant = store.grant_of(shop, request.headers.get("x-shopify-access-token", ""))
    if grant is None:
        return JSONResponse({"errors": WRONG_TOKEN}, status_code=401)
    try:
        context = context_of(store, shop, grant.scopes, request.path_params["version"])
        body = await read_json(request)
    except schema.NoSchema as error:
        return JSONResponse({"errors": str(error)}, status_code=404)
    except BadBody as error:
        return JSONResponse({"errors": {"query": str(error)}}, status_code=400)
    asked = read(context, body)
    if not isinstance(asked, Asked):
        return JSONResponse({"errors": [error.formatted for error in asked]})
    result = run(context, asked)
    await mutations.announce(context)
    return JSONResponse(result, headers={"X-Shopify-API-Version": context.schema.version})


def context_of(store: Store, shop: Shop, scopes: frozenset[str], version: str) -> Context:
    """Return what the resolvers are given. Raises NoSchema for another version."""
    return Context(store, shop, schema.load(version), scopes, store.clock(), TABLES, NAMES)


def read(context: Context, body: dict[str, Any]) -> Asked | list[GraphQLError]:
    """Return the operation to run, or every way in which Shopify's schema refuses the document."""
    try:
        document = parse(str(body.get("query") or ""))
    except GraphQLError as error:
        return [error]
    if refused := validate(context.schema.graphql, document):
        return [GraphQLError(e.message, e.nodes, extensions={"code": _code(e)}) for e in refused]
    operation = get_operation_ast(document, body.get("operationName"))
    if operation is None:
        return [GraphQLError("An operation name is required", extensions={"code": "operationNameRequired"})]
    return Asked(document, operation, dict(body.get("variables") or {}))


def _code(error: GraphQLError) -> str:
    return "undefinedField" if error.message.startswith("Cannot query field") else "invalidDocument"


def run(context: Context, asked: Asked) -> dict[str, Any]:
    """Return the answer with its cost; THROTTLED when the bucket is too empty for it."""
    fragments = {d.name.value: d for d in asked.document.definitions if isinstance(d, FragmentDefinitionNode)}
    points = cost.requested(asked.operation, cost.Query(context.schema.graphql, fragments, asked.variables))
    bucket = context.store.bucket_of(context.shop)
    if points > cost.QUERY_LIMIT:
        limit = cost.QUERY_LIMIT
        message = f"Query cost is {points}, which exceeds the single query max cost limit ({limit})."
        too_much = {"code": "MAX_COST_EXCEEDED", "cost": points, "maxCost": limit}
        return {"errors": [{"message": message, "extensions": too_much}]}
    if not bucket.take(points, context.now):
        return {
            "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
            "extensions": {"cost": bucket.report(points, None)},
        }
    result = execute_document(context, asked)
    spent = (
        min(points, cost.actual(result.data)) if asked.operation.operation is OperationType.QUERY else points
    )
    bucket.give_back(points - spent)
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    return answer | {"extensions": {"cost": bucket.report(points, spent)}}


def execute_document(context: Context, asked: Asked) -> Any:
    """Return graphql-core's result of the operation over the shop's records."""
    return execute_sync(
        context.schema.graphql,
        asked.document,
        context_value=context,
        variable_values=asked.variables,
        operation_name=asked.operation.name.value if asked.operation.name else None,
        field_resolver=resolve,
        type_resolver=resolve_type,
    )


routes = [Route("/admin/api/{version}/graphql.json", answer, methods=["POST"])]
