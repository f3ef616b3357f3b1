"""The calls of the settings page: the shop's language, what leaves by itself, and its data as files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.admin.access import staff_only
from app.admin.attachments import sent
from app.admin.calls import read_call
from app.admin.language import _
from app.admin.settings import LANGUAGES
from app.admin.settings_export import shop_archive
from app.campaigns.plan import LOCALE
from app.connections import Connections
from app.errors import InputError
from app.reach.settings_store import change_reach
from app.shops.changes import announce_kept
from app.shops.settings import change_setting
from app.shops.store import Shop

_MAX_BODY = 4096


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The language that the shop speaks where a shopper's is not known."""

    locale: str


class ChannelSwitch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way that may be used, or not."""

    way: Literal["mail", "flow", "alerts_mail"]
    on: bool


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many days of decisions to take."""

    days: Annotated[int, msgspec.Meta(ge=1, le=730)]


@staff_only
async def speak(request: Request, connections: Connections, shop: Shop) -> Response:
    """Keep the shop's language."""
    asked = await read_call(request, Language, _MAX_BODY)
    if asked.locale not in LANGUAGES:
        raise InputError(_("Choose one of the languages that are offered."), "locale")
    await change_setting(connections, shop.shop, LOCALE, lambda _kept: asked.locale)
    await announce_kept(connections.redis, shop.shop)
    return JSONResponse({"locale": asked.locale})


@staff_only
async def switch(request: Request, connections: Connections, shop: Shop) -> Response:
    """Let a way be used from now on, or no more."""
    asked = await read_call(request, ChannelSwitch, _MAX_BODY)
    if asked.way == "mail" and asked.on and connections.settings.smtp is None:
        raise InputError(_("E-mails need a mail server, which this installation does not have."), "way")
    kept = await change_reach(connections, shop.shop, {asked.way: asked.on})
    return JSONResponse({"way": asked.way, "on": getattr(kept, asked.way)})


@staff_only
async def export(request: Request, connections: Connections, shop: Shop) -> Response:
    """Return the shop's own data as one archive."""
    asked, now = await read_call(request, Period, _MAX_BODY), datetime.now(UTC)
    file = await shop_archive(connections, shop, asked.days, now)
    name = f"tillwise-{shop.shop.removesuffix('.myshopify.com')}-{now:%Y-%m-%d}.zip"
    return sent(file, name, "application/zip")


_CALLS = "/admin/api/settings"
routes = [
    Route(f"{_CALLS}/language", speak, methods=["POST"]),
    Route(f"{_CALLS}/way", switch, methods=["POST"]),
    Route(f"{_CALLS}/export", export, methods=["POST"]),
]
