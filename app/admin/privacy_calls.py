"""The calls of the privacy pages: limits kept, a person looked up, what is held and receipts handed out."""

from __future__ import annotations

import logging
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.admin import persons
from app.admin.access import staff_only
from app.admin.calls import read_call
from app.admin.outage import OUTAGES
from app.admin.person_name import parse_person_name
from app.connections import Connections
from app.consent.clearing import change_limits, request_clearing
from app.shops.store import Shop

_MAX_BODY = 4096
_log = logging.getLogger(__name__)


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A merchant's limits by setting; each is checked where it is kept."""

    limits: dict[str, Any]


class PersonLookup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom a merchant looks up."""

    who: str


class ExportRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose data is asked for, and how it is written."""

    who: str
    format: Literal["json", "csv"]


class RequestReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The request that is answered, or whose receipt is asked for."""

    request_id: str


@staff_only
async def keep_limits(request: Request, connections: Connections, shop: Shop) -> Response:
    """Keep the limits and return them, and whether a clearing could be asked for at once."""
    wanted = await read_call(request, Limits, _MAX_BODY)
    kept = await change_limits(connections, shop.shop, wanted.limits)
    try:
        await request_clearing(connections, shop.shop)
    except OUTAGES as error:  # they hold all the same: the schedule asks again
        _log.warning("no clearing asked for", extra={"shop": shop.shop, "reason": type(error).__name__})
        return JSONResponse({"limits": kept, "clearing": False})
    return JSONResponse({"limits": kept, "clearing": True})


@staff_only
async def look_up(request: Request, connections: Connections, shop: Shop) -> Response:
    """Return what somebody told of consent, oldest first, and how much is held of them."""
    asked = await read_call(request, PersonLookup, _MAX_BODY)
    return JSONResponse(await persons.look_up(connections, shop.shop, parse_person_name(asked.who)))


@staff_only
async def export(request: Request, connections: Connections, shop: Shop) -> Response:
    """Return all that is held of somebody, as a file."""
    asked = await read_call(request, ExportRequest, _MAX_BODY)
    return _file(
        await persons.export_file(connections, shop.shop, parse_person_name(asked.who), asked.format)
    )


@staff_only
async def answer(request: Request, connections: Connections, shop: Shop) -> Response:
    """Return what a request for data asks for, as a file, and close the request."""
    asked = await read_call(request, RequestReference, _MAX_BODY)
    return _file(await persons.answer_file(connections, shop.shop, asked.request_id))


@staff_only
async def receipt(request: Request, connections: Connections, shop: Shop) -> Response:
    """Return the signed receipt of a request, as a file."""
    asked = await read_call(request, RequestReference, _MAX_BODY)
    return _file(await persons.receipt_file(connections, shop.shop, asked.request_id))


def _file(file: persons.File) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Cache-Control": "no-store"}
    return Response(file.content, media_type=file.kind, headers=headers)


routes = [
    Route("/admin/api/privacy/limits", keep_limits, methods=["POST"]),
    Route("/admin/api/privacy/person", look_up, methods=["POST"]),
    Route("/admin/api/privacy/export", export, methods=["POST"]),
    Route("/admin/api/privacy/answer", answer, methods=["POST"]),
    Route("/admin/api/privacy/receipt", receipt, methods=["POST"]),
]
