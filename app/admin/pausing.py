"""The switch that pauses the app: its calls, and what every page and the settings say of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.admin.access import staff_only
from app.admin.figures import moment
from app.admin.language import _, ngettext
from app.ahead import pausing
from app.connections import Connections
from app.shops.pausing import COMMAND_LINE, Pause, paused_within, pauses_of
from app.shops.store import Shop

LISTED = 10


@staff_only
async def pause(request: Request, connections: Connections, shop: Shop) -> Response:
    """Show shoppers nothing of the app from now on."""
    await pausing.pause_shop(connections, shop.shop, str(request.state.staff_id), datetime.now(UTC))
    return JSONResponse({"paused": True})


@staff_only
async def go_on(request: Request, connections: Connections, shop: Shop) -> Response:
    """Show shoppers again what they saw before the pause."""
    await pausing.go_on(connections, shop.shop, str(request.state.staff_id), datetime.now(UTC))
    return JSONResponse({"paused": False})


def paused_words(shop: Shop) -> str:
    """Return since when the shop is paused and by whom, empty where it is not."""
    last = (pauses_of(shop.settings) or (None,))[-1]
    if last is None or last.ended_at is not None:
        return ""
    return _("Since %(time)s, by %(who)s.", time=moment(last.began_at), who=_who(last.began_by))


def log_words(shop: Shop) -> list[str]:
    """Return the latest pauses that are over, the last one first: when, and by whom."""
    over = [each for each in reversed(pauses_of(shop.settings)) if each.ended_at is not None]
    return [_over_words(each) for each in over[:LISTED]]


def uncounted_words(shop: Shop, since: datetime, until: datetime) -> str:
    """Return for how long the shop was paused between the two, when no order counted; empty where never."""
    minutes = ceil(paused_within(shop.settings, since, until) / timedelta(minutes=1))
    if not minutes:
        return ""
    lasted = (
        ngettext("%(num)s minute", "%(num)s minutes", minutes)
        if minutes < 120
        else ngettext("%(num)s hour", "%(num)s hours", round(minutes / 60))
    )
    return _("Tillwise was paused for %(time)s: what was ordered then counts for no group.", time=lasted)


def _over_words(each: Pause) -> str:
    return _(
        "Paused on %(began)s by %(who)s, shown again on %(ended)s by %(who2)s.",
        began=moment(each.began_at),
        who=_who(each.began_by),
        ended=moment(each.ended_at or each.began_at),
        who2=_who(each.ended_by),
    )


def _who(by: str) -> str:
    """Return who it was: Shopify tells the app a staff member's number and no more."""
    if by == COMMAND_LINE:
        return _("whoever runs this app’s server")
    return _("staff member no. %(number)s", number=by)


routes: list[BaseRoute] = [
    Route("/admin/api/pause", pause, methods=["POST"]),
    Route("/admin/api/go-on", go_on, methods=["POST"]),
]
