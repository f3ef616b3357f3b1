"""The calls of the model's page: train now, how far that is, and back to what served before."""

from __future__ import annotations

import logging

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.admin.access import staff_only
from app.admin.calls import read_call
from app.connections import Connections
from app.jobs import Progress, read_progress, report_progress, request_job
from app.recommend.publish import current_version
from app.recommend.rollback import roll_back
from app.shops.store import Shop

_MAX_BODY = 4096
_log = logging.getLogger(__name__)


class VersionReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version is to serve."""

    version: str


@staff_only
async def train_now(_request: Request, connections: Connections, shop: Shop) -> Response:
    """Ask for a training. 202: the worker does it, and the new version serves if it is good enough."""
    # What came of the one before is no answer to who follows this one.
    await report_progress(connections, "train", shop.shop, Progress("asked"))
    await request_job(connections, "train", shop.shop)
    return JSONResponse({"requested": True}, 202)


@staff_only
async def progress(_request: Request, connections: Connections, shop: Shop) -> Response:
    """Return how far a training is, and which version serves."""
    running = await read_progress(connections, "train", shop.shop)
    serves = current_version(connections.settings.data_dir, shop.shop)
    shown = msgspec.to_builtins(running) if running else {"stage": "", "done": 0, "total": 0}
    return JSONResponse({**shown, "version": serves})


@staff_only
async def serve_again(request: Request, connections: Connections, shop: Shop) -> Response:
    """Let a version that is on disk serve, at once and everywhere. 404 for one that is not there."""
    chosen = await read_call(request, VersionReference, _MAX_BODY)
    version = await roll_back(connections, shop.shop, chosen.version)
    _log.info("rolled back in the admin", extra={"shop": shop.shop, "version": version})
    return JSONResponse({"version": version})


routes = [
    Route("/admin/api/model/train", train_now, methods=["POST"]),
    Route("/admin/api/model/progress", progress),
    Route("/admin/api/model/serve", serve_again, methods=["POST"]),
]
