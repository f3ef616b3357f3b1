"""The page behind the link in every letter. A mail program's button needs no page (RFC 8058)."""

from __future__ import annotations

import logging
from contextlib import suppress as suppress_errors
from datetime import UTC, datetime
from html import escape

from redis.exceptions import RedisError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.connections import Connections
from app.errors import NotFound
from app.events.consume import OUTAGES
from app.failures import reason_of
from app.reach.pending_unsubscribes import remember_unsubscribe
from app.reach.suppressions import UNSUBSCRIBED, suppress
from app.reach.unsubscribe_link import PATH, SECRET, read_token
from app.reach.words import lang_and_dir, page_words
from app.shops.secrets import installation_secret

_OUTAGES = (*OUTAGES, NoConnectionFree)
_log = logging.getLogger(__name__)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


async def ask(request: Request) -> Response:
    """Ask whether no more is to be written. Opening a link changes nothing: programs open links too."""
    with suppress_errors(*_OUTAGES):  # the question can be put all the same
        await _meant(request)
    words = page_words(request.headers.get("Accept-Language", ""))
    button = f'<form method="post"><button>{escape(words.button)}</button></form>'
    return _page(words.language, words.question, button)


async def take_off(request: Request) -> Response:
    """Write to the address no more; a repeat changes nothing.

    While the database is away the wish is kept and carried out later. 503, saying so, where it can't be.
    """
    connections: Connections = request.app.state.connections
    words, now = page_words(request.headers.get("Accept-Language", "")), datetime.now(UTC)
    try:
        shop, digest = await _meant(request)
        await suppress(connections, shop, digest, UNSUBSCRIBED, now)
    except _OUTAGES as error:
        _log.error(
            "a wish not to be written to could not be written down", extra={"reason": reason_of(error)}
        )
        if not await _is_kept(connections, request.path_params["token"], now):
            return _page(words.language, words.later, "", 503)
    return _page(words.language, words.done, "")


async def _is_kept(connections: Connections, token: str, now: datetime) -> bool:
    try:
        return await remember_unsubscribe(connections, token, now)
    except (RedisError, OSError):
        return False


async def _meant(request: Request) -> tuple[str, str]:
    connections: Connections = request.app.state.connections
    secret = await installation_secret(connections, SECRET)
    meant = read_token(secret, request.path_params["token"])
    if meant is None:
        raise NotFound("there is no such link: it may have been cut off")
    return meant


def _page(language: str, says: str, rest: str, status: int = 200) -> Response:
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    title = escape(says)
    html = f"<!doctype html><html {lang_and_dir(language)}>{head}<title>{title}</title><p>{title}</p>{rest}"
    return HTMLResponse(html, status, _HEADERS)


routes = [
    Route(f"{PATH}/{{token}}", ask, methods=["GET"]),
    Route(f"{PATH}/{{token}}", take_off, methods=["POST"]),
]
