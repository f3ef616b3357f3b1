"""The calls of the page of other systems: what leaves is switched, tried and sent again; keys are made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.admin.access import staff_only
from app.admin.calls import read_call
from app.admin.language import _
from app.admin.sentences import told
from app.connections import Connections
from app.errors import InputError
from app.outbound.api_keys import make_key, revoke_key
from app.outbound.deliver import send_test
from app.outbound.deliveries import replay_parked
from app.outbound.post import open_post
from app.outbound.settings import WriteBack, may_write
from app.outbound.settings_store import remove_webhook, set_webhook, switch_write_back
from app.outbound.write_back import status
from app.shops.store import Shop

_MAX_BODY = 8_192
_LONGEST_LABEL = 60


class Switches(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What customers in Shopify are to carry."""

    tags: bool
    metafields: bool


class WebhookAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where moves are told."""

    url: str


class KeyLabel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a new key is for."""

    label: str


class KeyReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key that opens nothing any more."""

    key_id: str


@staff_only
async def written_back(_request: Request, connections: Connections, shop: Shop) -> Response:
    """Return how far the shop's customers are marked, and whether they may be."""
    return JSONResponse(await _written_back(connections, shop))


@staff_only
async def switch(request: Request, connections: Connections, shop: Shop) -> Response:
    """Keep what customers are to carry. Without the permission it waits for that, and nothing is lost."""
    asked = await read_call(request, Switches, _MAX_BODY)
    await switch_write_back(connections, shop.shop, WriteBack(asked.tags, asked.metafields))
    return JSONResponse(
        {"tags": asked.tags, "metafields": asked.metafields, "granted": may_write(shop.scopes)}
    )


@staff_only
async def keep_webhook(request: Request, connections: Connections, shop: Shop) -> Response:
    """Tell moves to this address from now on; return the secret they are signed with, this once."""
    asked = await read_call(request, WebhookAddress, _MAX_BODY)
    secret = await set_webhook(connections, shop.shop, asked.url.strip())
    return JSONResponse({"secret": secret}, headers={"Cache-Control": "no-store"})


@staff_only
async def drop_webhook(_request: Request, connections: Connections, shop: Shop) -> Response:
    """Tell moves to nobody any more."""
    await remove_webhook(connections, shop.shop)
    return JSONResponse({"removed": True})


@staff_only
async def try_webhook(_request: Request, connections: Connections, shop: Shop) -> Response:
    """Send a message that tells nothing of anybody; return whether it was taken, else why not."""
    async with open_post() as post:
        sent = await send_test(connections, post, shop)
    return JSONResponse({"taken": sent.error is None, "says": told(sent.error or "")})


@staff_only
async def send_again(_request: Request, connections: Connections, shop: Shop) -> Response:
    """Put back what was given up; the worker sends it."""
    return JSONResponse({"again": await replay_parked(connections, shop.shop, datetime.now(UTC))})


@staff_only
async def new_key(request: Request, connections: Connections, shop: Shop) -> Response:
    """Return a new key of the API with its secret, this once."""
    label = (await read_call(request, KeyLabel, _MAX_BODY)).label.strip()
    if not (1 <= len(label) <= _LONGEST_LABEL and label.isprintable()):
        raise InputError(
            _("Say what the key is for, in up to %(most)s characters.", most=_LONGEST_LABEL), "label"
        )
    made = await make_key(connections, shop.shop, label)
    shown = {"key_id": made.key_id, "secret": made.secret}
    return JSONResponse(shown, headers={"Cache-Control": "no-store"})


@staff_only
async def drop_key(request: Request, connections: Connections, shop: Shop) -> Response:
    """Let a key open nothing any more, from the next call on."""
    asked = await read_call(request, KeyReference, _MAX_BODY)
    await revoke_key(connections, shop.shop, asked.key_id)
    return JSONResponse({"key_id": asked.key_id})


async def _written_back(connections: Connections, shop: Shop) -> dict[str, Any]:
    marked = await status(connections, shop)
    return {
        "tags": marked.wants.tags,
        "metafields": marked.wants.metafields,
        "granted": may_write(shop.scopes),
        "written": marked.written,
        "waiting": marked.waiting,
    }


_CALLS = "/admin/api/elsewhere"
routes = [
    Route(f"{_CALLS}/write-back", written_back, methods=["GET"]),
    Route(f"{_CALLS}/write-back", switch, methods=["POST"]),
    Route(f"{_CALLS}/webhook", keep_webhook, methods=["POST"]),
    Route(f"{_CALLS}/webhook/off", drop_webhook, methods=["POST"]),
    Route(f"{_CALLS}/webhook/test", try_webhook, methods=["POST"]),
    Route(f"{_CALLS}/webhook/again", send_again, methods=["POST"]),
    Route(f"{_CALLS}/keys", new_key, methods=["POST"]),
    Route(f"{_CALLS}/keys/revoke", drop_key, methods=["POST"]),
]
