"""Bulk operations: a query run over everything, written as JSONL, and served with byte ranges."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from graphql import GraphQLError, parse, validate
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from devstore import payloads
from devstore.bulk_operations import BulkOperation, check, lines
from devstore.project import compile_query
from devstore.resolve import Context
from devstore.store import Store

AT_ONCE = 5  # bulk queries a shop may run side by side
ROOTS = 500  # root objects read at a time, so that the server answers in between


@dataclass(frozen=True, slots=True)
class Refusal:
    message: str
    code: str


def create(context: Context, query: str) -> BulkOperation | Refusal:
    """Return a new operation, about to run, or why this query can't."""
    store = context.store
    if sum(b.running and b.shop == context.shop.domain for b in store.bulk.values()) >= AT_ONCE:
        return Refusal(
            f"{AT_ONCE} bulk query operations for this app and shop are already in progress.",
            "OPERATION_IN_PROGRESS",
        )
    try:
        document = parse(query)
    except GraphQLError as error:
        return Refusal(f"Invalid bulk query: {error.message}", "INVALID")
    if errors := validate(context.schema.graphql, document):
        return Refusal(f"Invalid bulk query: {errors[0].message}", "INVALID")
    if problem := check(document, context.schema.graphql):
        return Refusal(problem, "INVALID")
    number = context.shop.next_id()
    name = f"bulk-{number}.jsonl"
    store.bulk_dir.mkdir(mode=0o700, exist_ok=True)
    operation = BulkOperation(
        number,
        context.shop.domain,
        query,
        context.now,
        store.bulk_dir / name,
        f"{store.base_url}/bulk/{name}",
        context.scopes,
        context.schema.version,
    )
    store.bulk[number] = operation
    store.start(run(context, operation))
    return operation


async def run(context: Context, operation: BulkOperation) -> None:
    """Run the operation to its end and tell the app."""
    store, shop = context.store, context.shop
    operation.status = "RUNNING"
    fails_after, store.fail_next_bulk_after = store.fail_next_bulk_after, None
    try:
        await _write(context, operation, fails_after)
        operation.status = "CANCELED" if operation.status == "CANCELING" else "COMPLETED"
    except Exception as error:  # whatever goes wrong, the app is told in Shopify's words
        operation.status, operation.error_code = "FAILED", error_code(error)
    operation.completed_at = store.clock()
    await store.announce(shop, "bulk_operations/finish", finish_payload(operation))


def finish_payload(operation: BulkOperation) -> dict[str, Any]:
    done = operation.completed_at or operation.created_at
    code = operation.error_code.lower() if operation.error_code else None
    return payloads.bulk_finish(operation.id, operation.status.lower(), code, operation.created_at, done)


def error_code(error: Exception) -> str:
    denied = isinstance(error, GraphQLError) and (error.extensions or {}).get("code") == "ACCESS_DENIED"
    return "ACCESS_DENIED" if denied else "INTERNAL_SERVER_ERROR"


class Stopped(Exception):
    """The operation was told to fail here."""


async def _write(context: Context, operation: BulkOperation, fails_after: int | None) -> None:
    start, answer = 0, compile_query(context, parse(operation.query))
    with operation.path.open("w") as file:
        while operation.status != "CANCELING":
            batch = replace(context, batch=slice(start, start + ROOTS))
            written = await asyncio.to_thread(read_batch, batch, answer)
            if not written:
                return
            for is_root, line in written:
                if fails_after is not None and operation.object_count >= fails_after:
                    raise Stopped
                file.write(line + "\n")
                operation.object_count += 1
                operation.root_object_count += is_root
            file.flush()
            start += ROOTS


def read_batch(context: Context, answer: Callable[[Context], dict[str, Any]]) -> list[tuple[bool, str]]:
    """Return the lines of one batch of root objects. Raises the first GraphQLError."""
    return list(lines(answer(context)))


async def serve(request: Request) -> Response:
    """Answer GET /bulk/{name}: the file, or the part of it that a Range header asks for."""
    store: Store = request.app.state.store
    name = request.path_params["name"]
    found = next((b for b in store.bulk.values() if b.path.name == name and not b.running), None)
    if found is None:
        return PlainTextResponse("no such result", status_code=404)
    return FileResponse(found.path, media_type="application/jsonl")


routes = [Route("/bulk/{name}", serve, methods=["GET", "HEAD"])]
