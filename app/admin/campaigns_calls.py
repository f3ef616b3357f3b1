"""The calls of the campaigns pages: started, paused, stopped, placed; written, checked and tried out."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.admin.access import staff_only
from app.admin.calls import read_call
from app.admin.campaigns import may_discount, titles_in
from app.admin.campaigns_editor import found_in, judged
from app.admin.campaigns_form import Form
from app.admin.campaigns_reading import FieldError, ParsedForm, campaign_id_of, read_form
from app.admin.campaigns_view import field_words, left_out_words
from app.admin.figures import listed
from app.admin.language import _, ngettext
from app.admin.outage import OUTAGES
from app.admin.store import gone, titles
from app.campaigns.campaign import Campaign
from app.campaigns.dry_run import DryRun, dry_run
from app.campaigns.past_decisions import MOST, past_decisions
from app.campaigns.store import (
    all_campaigns,
    change_status,
    get_campaign,
    keep_campaign,
    place_campaign,
    remove_draft,
)
from app.catalog.flags import titles_flagged
from app.catalog.store import load_catalog
from app.connections import Connections
from app.errors import InputError, NotFound
from app.jobs import request_job
from app.reach.campaign_choice import TRIGGER
from app.reach.dry_run import ReachDryRun, dry_run_on_abandoned
from app.rules.fields import FIELDS
from app.shops.store import Shop
from app.values import zone_of

_MAX_BODY = 65_536
_NUMBER, _MOST_NAMED = re.compile(r"\b[0-9]{1,18}\b", re.ASCII), 20
_log = logging.getLogger(__name__)


class StatusChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to become of a campaign."""

    id: str
    status: Literal["running", "paused", "stopped"]


class CampaignReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which campaign."""

    id: str


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A campaign that is to be looked at right before another one; before none: last of all."""

    id: str
    before: str = ""


class DraftCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is written, as far as it is. locale: whose words are looked at; last: decisions to try it on."""

    form: Form
    locale: str = ""
    last: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 1_000


@staff_only
async def granted(_request: Request, _connections: Connections, shop: Shop) -> Response:
    """Return whether the shop lets us make codes by now."""
    return JSONResponse({"granted": may_discount(shop)})


@staff_only
async def step(request: Request, connections: Connections, shop: Shop) -> Response:
    """Start, pause or stop a campaign. One that can never be shown is not started, and it says why."""
    asked = await read_call(request, StatusChange, _MAX_BODY)
    if asked.status == "running":
        await _check_use(connections, shop, asked.id)
    kept = await change_status(connections, shop.shop, asked.id, asked.status)
    if kept.campaign.takes_off:
        await supply(connections, shop)
    return JSONResponse({"standing": kept.standing(datetime.now(UTC))})


@staff_only
async def place(request: Request, connections: Connections, shop: Shop) -> Response:
    """Have a campaign looked at right before another one."""
    asked = await read_call(request, Place, _MAX_BODY)
    await place_campaign(connections, shop.shop, asked.id, asked.before or None)
    return JSONResponse({"placed": asked.id})


@staff_only
async def remove(request: Request, connections: Connections, shop: Shop) -> Response:
    """Remove a campaign that was never started."""
    asked = await read_call(request, CampaignReference, _MAX_BODY)
    await remove_draft(connections, shop.shop, asked.id)
    return JSONResponse({"removed": asked.id})


@staff_only
async def check(request: Request, connections: Connections, shop: Shop) -> Response:
    """Return what there is to know of what is written, all that is wrong with it among it."""
    asked = await read_call(request, DraftCheck, _MAX_BODY)
    written = await _written(connections, shop, asked.form)
    told = await judged(connections, shop, written, asked.locale)
    return JSONResponse(told | {"chosen": await _called(connections, shop, asked.form.products)})


@staff_only
async def keep(request: Request, connections: Connections, shop: Shop) -> Response:
    """Keep what is written, a new one as a draft. Nothing is kept while anything is wrong with it."""
    form = (await read_call(request, DraftCheck, _MAX_BODY)).form
    others = {each.campaign.id: each for each in await all_campaigns(connections, shop.shop)}
    if form.id and form.id not in others:
        raise NotFound(_("This campaign is not there any more."))
    if form.id and others[form.id].state != form.seen:
        raise InputError(_("Somebody changed this campaign meanwhile: open it again to see what it is now."))
    campaign_id = form.id or campaign_id_of(form.name, frozenset(others))
    campaign = _whole(await _written(connections, shop, form, campaign_id))
    kept = await keep_campaign(connections, shop.shop, campaign)
    if kept.status == "running" and kept.campaign.takes_off:
        await supply(connections, shop)
    told = {"id": campaign_id, "status": kept.status, "takes_off": kept.campaign.takes_off}
    return JSONResponse(told)


@staff_only
async def try_out(request: Request, connections: Connections, shop: Shop) -> Response:
    """Return what the campaign would have done on the last decisions, or about the last checkouts left."""
    asked = await read_call(request, DraftCheck, _MAX_BODY)
    campaign = _whole(await _written(connections, shop, asked.form))
    if campaign.trigger == TRIGGER:
        tried = await dry_run_on_abandoned(connections, shop, campaign, asked.last)
        return JSONResponse({"says": tried_words(tried), "more": left_out_words(tried.left_out)})
    decisions = await past_decisions(connections, shop.shop, asked.last)
    if not decisions:
        return JSONResponse(
            {"says": _("No checkout has asked yet, so there is nothing to try it on."), "more": []}
        )
    catalog = await load_catalog(connections, shop.shop)
    # In a thread: it takes longer than other calls should wait.
    run = await asyncio.to_thread(dry_run, campaign, decisions, catalog, shop.time_zone, shop.settings)
    return JSONResponse(
        {"says": dry_run_words(run), "more": [*left_out_words(run.left_out), *_untold(run.missing)]}
    )


def dry_run_words(run: DryRun) -> str:
    """Return in a sentence what the campaign would have done."""
    if not run.judged:
        return _("None of the last %(number)s decisions tells all that the rule reads.", number=run.looked_at)
    return _(
        "Would have been shown %(fired)s times to %(shoppers)s shoppers, %(bought)s of %(known)s times to "
        "one who bought anyway, in %(judged)s of the last %(number)s decisions that can be judged.",
        fired=run.fired, shoppers=run.shoppers, bought=run.bought, known=run.known, judged=run.judged,
        number=run.looked_at,
    )  # fmt: skip


def tried_words(tried: ReachDryRun) -> str:
    """Return in a sentence to whom the campaign would have written."""
    if not tried.looked_at:
        return _("Nobody who may be written to has left a checkout yet, so there is nothing to try it on.")
    return _(
        "Would have written %(written)s messages to %(shoppers)s customers about the last %(number)s "
        "checkouts left by who may be written to, %(bought)s of which were ordered anyway.",
        written=tried.written, shoppers=tried.shoppers, number=tried.looked_at, bought=tried.bought,
    )  # fmt: skip


def _untold(missing: Mapping[str, int]) -> list[str]:
    """Return what decisions did not tell, so that they could not be judged."""
    return [
        ngettext(
            "%(num)s decision can't be judged, as it does not tell: %(what)s",
            "%(num)s decisions can't be judged, as they don't tell: %(what)s",
            count,
            what=field_words(FIELDS[name]) if name in FIELDS else _("enough of what shoppers did"),
        )
        for name, count in sorted(missing.items())
    ]


async def _written(connections: Connections, shop: Shop, form: Form, campaign_id: str = "") -> ParsedForm:
    written = read_form(form, campaign_id or form.id or "new", zone_of(shop.time_zone), shop.currency)
    chosen = written.campaign.offer.product_ids if written.campaign else ()
    why = await _unofferable(connections, shop, chosen) if chosen else ""
    return replace(written, campaign=None, wrong=(FieldError("products", why),)) if why else written


async def _called(connections: Connections, shop: Shop, typed: str) -> str:
    """Return what the products are called whose numbers are typed, nothing for none that is known."""
    numbers = _NUMBER.findall(typed)[:_MOST_NAMED]
    names = await titles_in(connections, shop, [numbers])
    return listed(names[each] for each in numbers if names.get(each))


async def _unofferable(connections: Connections, shop: Shop, chosen: Collection[int]) -> str:
    """Return why one of the products can be offered to nobody, nothing where each can."""
    known = set(await titles(connections, shop, set(chosen))) - await gone(connections, shop, chosen)
    for each in chosen:
        if each not in known:
            number = str(each)
            return _(
                "Tillwise knows of no product %(number)s in your shop: choose it in Shopify", number=number
            )
    for title in await titles_flagged(connections, shop.shop, "requires_selling_plan", chosen):
        return _(
            "%(product)s sells with a selling plan only, so no offer can add it to a cart", product=title
        )
    for title in await titles_flagged(connections, shop.shop, "gift_card", chosen):
        return _("%(product)s is a gift card, which is not offered", product=title)
    return ""


def _whole(written: ParsedForm) -> Campaign:
    """Return the campaign. Raises InputError saying what is wrong first."""
    if written.campaign is None:
        first = written.wrong[0]
        raise InputError(first.message, first.field)
    return written.campaign


async def supply(connections: Connections, shop: Shop) -> None:
    """Ask for what discounts need now; where that can't be said, the worker's own round sees to it."""
    try:
        await request_job(connections, "coupons", shop.shop)
    except OUTAGES as error:
        _log.warning("codes not asked for yet", extra={"shop": shop.shop, "reason": type(error).__name__})


async def _check_use(connections: Connections, shop: Shop, campaign_id: str) -> None:
    """Do nothing for a campaign that can be shown. Raises InputError saying why it never would be."""
    campaign = (await get_campaign(connections, shop.shop, campaign_id)).campaign
    for each in await found_in(connections, shop, campaign.rule, campaign):
        if each.stops:
            raise InputError(_("Not started. %(why)s", why=each.message), each.path)


_CALLS = "/admin/api/campaigns"
routes = [
    Route(f"{_CALLS}/granted", granted),
    Route(f"{_CALLS}/status", step, methods=["POST"]),
    Route(f"{_CALLS}/place", place, methods=["POST"]),
    Route(f"{_CALLS}/remove", remove, methods=["POST"]),
    Route(f"{_CALLS}/check", check, methods=["POST"]),
    Route(f"{_CALLS}/keep", keep, methods=["POST"]),
    Route(f"{_CALLS}/dry-run", try_out, methods=["POST"]),
]
