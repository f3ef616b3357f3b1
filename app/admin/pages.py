"""The dashboard's pages: what each shows, and how it is drawn."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import QueryParams

from app.admin import figures, home, store, view
from app.admin.campaigns_view import standing_words
from app.admin.decisions_view import offer_title
from app.admin.definitions import DEFINITIONS, PARTS
from app.admin.language import READ_IN, direction, language_tag, lazy, script_words, speak_in, spoken
from app.admin.outage import OUTAGES
from app.admin.pausing import paused_words
from app.admin.policy import CDN
from app.admin.privacy_view import RUNGS
from app.admin.segment_titles import title
from app.admin.sentences import told
from app.campaigns.plan import LOCALE
from app.config import Settings
from app.connections import Connections
from app.failures import reason_of
from app.shops.settings import change_setting
from app.shops.store import Shop

_NAVIGATION = (
    ("/admin", lazy("Home")),
    ("/admin/decisions", lazy("Decisions")),
    ("/admin/campaigns", lazy("Campaigns")),
    ("/admin/experiments", lazy("Experiments")),
    ("/admin/products", lazy("Products")),
    ("/admin/model", lazy("Model")),
    ("/admin/segments", lazy("Segments")),
    ("/admin/privacy", lazy("Privacy")),
    ("/admin/settings", lazy("Settings")),
)

_log = logging.getLogger(__name__)
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
speak_in(_templates)
_templates.filters.update(first_upper=view.first_upper, region=figures.region)
_templates.globals.update(
    definitions=DEFINITIONS,
    day=figures.day,
    direction=direction,
    language_name=figures.language_name,
    milliseconds=figures.milliseconds,
    moment=figures.moment,
    money=figures.money,
    number=figures.number,
    percent=figures.percent,
    quality=view.quality,
    share=figures.share,
    standing_words=standing_words,
    told=told,
    title=title,
    percent_done=view.percent_done,
    import_words=view.import_words,
    kind_words=view.kind_words,
)


async def home_page(connections: Connections, shop: Shop, query: QueryParams) -> dict[str, Any]:
    """Return what the first page shows, the latest decisions included."""
    shown = await home.home(connections, shop, query)
    await _keep_language(connections, shop)
    return {**shown, **await _decisions(connections, shop, home.SHOWN_DECISIONS)}


async def _keep_language(connections: Connections, shop: Shop) -> None:
    """Keep what the admin is read in, for e-mails to a shop that has set no language of its own."""
    tag = language_tag()
    if LOCALE in shop.settings or shop.settings.get(READ_IN) == tag:
        return
    try:
        await change_setting(connections, shop.shop, READ_IN, lambda _kept: tag)
    except OUTAGES as error:  # the page is read, and the next one that is opened tells it again
        _log.warning("language not kept", extra={"shop": shop.shop, "reason": reason_of(error)})


async def definitions(_connections: Connections, _shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return what the page that says what each number is shows."""
    return {"parts": PARTS}


def draw(settings: Settings, template: str, **shown: Any) -> str:
    """Return the page as HTML, with the scripts that Shopify requires or their stand-ins."""
    page = _templates.get_template(template)
    return page.render(api_key=settings.api_key, **_scripts(settings), **_spoken(), **shown)


def draw_page(
    settings: Settings, template: str, shop: Shop, query: QueryParams, shown: Mapping[str, Any]
) -> str:
    """Return a page of the dashboard as HTML."""
    link = _linker(query)
    pages = [(link(path), str(label)) for path, label in _NAVIGATION]
    return draw(
        settings, template, shop=shop, query=query, link=link, navigation=pages, paused=paused_words(shop),
        **shown,
    )  # fmt: skip


def _linker(query: QueryParams) -> Callable[[str], str]:
    """Return what makes a link inside the app: it says which shop's admin it stays in."""
    carried = {name: query[name] for name in ("shop", "host", "embedded", "locale") if name in query}
    return lambda path: f"{path}?{urlencode(carried)}"


def _spoken() -> dict[str, Any]:
    """Return what a document says of its own language, and the words its scripts say in it."""
    return {"lang": language_tag(), "dir": spoken().text_direction, "script_words": script_words()}


def _scripts(settings: Settings) -> dict[str, str]:
    if settings.dev_store_url:
        app_bridge = f"{settings.dev_store_url}/app-bridge.js"
        return {"app_bridge": app_bridge, "polaris": "/admin/static/polaris-dev.js"}
    return {"app_bridge": f"{CDN}/app-bridge.js", "polaris": f"{CDN}/polaris.js"}


async def _decisions(connections: Connections, shop: Shop, most: int) -> dict[str, Any]:
    logged = await store.latest_decisions(connections, shop, most)
    titles = await store.titles(connections, shop, view.referred_products(logged))
    shown = [
        {
            "id": each.decision_id,
            "at": each.decided_at,
            "surface": view.named(each.surface, view.SURFACES),
            "rung": each.rung,
            "based_on": view.named(each.rung, RUNGS),
            "arm": each.arm,
            "fallback": each.fallback and view.named(each.fallback, view.FALLBACKS),
            "offers": [offer_title(offer) for offer in each.answer.get("offers") or ()],
            "why": [view.reason_words(why, titles) for offer in offers[:1] for why in offer["why"][:2]],
        }
        for each in logged
        for offers in [view.offers_of(each)]
    ]
    return {"decisions": shown}
