"""A campaign being written: the page it is written on, and what there is to know of it while it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any

import msgspec
from starlette.datastructures import QueryParams

from app.admin.campaigns import PATH, frame, titles_in
from app.admin.campaigns_form import Form, Message, form_of
from app.admin.campaigns_lacking import Lacking, lacking
from app.admin.campaigns_names import names_of
from app.admin.campaigns_preview import preview
from app.admin.campaigns_reading import ParsedForm
from app.admin.campaigns_rows import ASKED, ASKED_OF, Group, Row, typed
from app.admin.campaigns_view import KINDS, guards, language_of, shows
from app.admin.figures import language_name, weekdays
from app.admin.language import Lazy, _, lazy
from app.admin.sentences import told
from app.campaigns.campaign import Campaign, Schedule, Status
from app.campaigns.messages import VARIABLES
from app.campaigns.plan import LOCALE, limits_of
from app.campaigns.store import get_campaign
from app.campaigns.templates import TEMPLATES, template
from app.catalog.collections import titles_of
from app.catalog.cost_store import knows_costs
from app.connections import Connections
from app.errors import NotFound
from app.rules.document import fields_document
from app.rules.expression import read_rule, reads
from app.rules.fields import FIELDS, WEEKDAYS, Names
from app.rules.findings import Finding, findings
from app.rules.findings import Shop as RulesShop
from app.rules.words import in_words
from app.shops.store import Shop
from app.values import zone_of

MOST_NAMED = 200
GROUPS: Mapping[str, Lazy] = {
    "profile": lazy("The customer"),
    "cart": lazy("The cart"),
    "visit": lazy("The visit"),
    "intent": lazy("Purchase intent"),
    "shopper": lazy("The customer"),
    "checkout": lazy("The checkout"),
    "market": lazy("Market and language"),
    "time": lazy("Time"),
    "product": lazy("The product shown"),
    "trigger": lazy("What asked"),
}
STARTS: Mapping[str, Lazy] = {
    "coupon": lazy("A discount, with a code for each shopper"),
    "banner": lazy("A sentence at the top of the checkout"),
    "progress": lazy("A bar towards an amount, such as free shipping"),
    "upsell": lazy("Products you choose"),
}
_NAMED: tuple[Names, ...] = ("segment", "product_type", "vendor", "tag")
# What shoppers most often read, as Shopify tells it of them.
READ = (
    "ar", "bg", "cs", "da", "de", "el", "en", "es", "fi", "fr", "he", "hi", "hr", "hu", "id", "it", "ja",
    "ko", "lt", "nb", "nl", "pl", "pt-BR", "pt-PT", "ro", "ru", "sk", "sl", "sv", "th", "tr", "uk", "vi",
    "zh-CN", "zh-TW",
)  # fmt: skip
_TO_BEGIN_WITH = (Group("all", (Row("cart.subtotal", ">"),)),)


async def begin(_connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return what a campaign can begin from."""
    templates = [
        {
            "id": name,
            "name": told(each.campaign.name),
            "says": told(each.says),
            "kind": str(KINDS[each.campaign.offer.kind]),
        }
        for name, each in TEMPLATES.items()
    ]
    return {"templates": templates, "starts": STARTS, **frame(f"{PATH}/new", shop)}


async def editor(connections: Connections, shop: Shop, query: QueryParams) -> dict[str, Any]:
    """Return the page on which a campaign is written."""
    try:
        form, status, lacks = await _form(connections, shop, query)
    except NotFound:
        return {"form": None, **frame(f"{PATH}/edit", shop)}
    names = await names_of(connections, shop, _NAMED)
    collections = await titles_of(connections, shop.shop)
    document = fields_document(shop.currency, language_of(shop))
    return {
        "form": form,
        "status": status,
        "lacks": lacks,
        "rows": form.groups if form.rule is None else _TO_BEGIN_WITH,
        "groups": _grouped(document["fields"]),
        "asked": ASKED,
        "asked_of": ASKED_OF,
        "kind_of": {each["name"]: each["kind"] for each in document["fields"]},
        "kinds": KINDS,
        "variables": {kind: [f"{{{each}}}" for each in sorted(known)] for kind, known in VARIABLES.items()},
        "editing": _for_script(document["fields"], names, collections),
        "weekdays": list(enumerate(weekdays(), 1)),
        "zone": shop.time_zone or "UTC",
        "readers": _readers(str(shop.settings.get(LOCALE) or "en"), form),
        "blank": Message(),
        "blank_row": Row(),
        **frame(f"{PATH}/edit", shop),
    }


def _readers(own: str, form: Form) -> dict[str, str]:
    """Return whom a preview can be for, by tag: the shop's language, those with words, others."""
    written = [each.locale for each in form.messages if each.locale]
    others = {tag: language_name(tag) for tag in READ}
    ordered = [own, *written, *sorted(others, key=others.__getitem__)]
    return {tag: others.get(tag) or language_name(tag) for tag in ordered}


async def judged(connections: Connections, shop: Shop, written: ParsedForm, locale: str) -> dict[str, Any]:
    """Return what there is to know of what is written: the sentence, what is wrong, what it shows."""
    known: dict[str, Any] = {
        "errors": [{"field": each.field, "message": each.message} for each in written.wrong],
        "says": "",
        "findings": [],
        "json": "",
    }
    names = await titles_in(connections, shop, filter(None, (written.rule, written.campaign)))
    if written.rule is not None:
        rule = read_rule(written.rule)
        known["says"] = f"{in_words(rule, shop.currency, language_of(shop), names)}."
        found = await found_in(connections, shop, written.rule, written.campaign)
        known["findings"] = [{"message": each.message, "stops": each.stops} for each in found]
        known["json"] = msgspec.json.format(msgspec.json.encode(written.rule), indent=2).decode()
    if written.campaign is None:
        return known
    costs_known = await knows_costs(connections, shop.shop)
    return known | _shown(shop, written.campaign, locale, names, costs_known=costs_known)


async def found_in(
    connections: Connections, shop: Shop, rule: Any, campaign: Campaign | None
) -> list[Finding]:
    """Return what a merchant should know of a rule before it runs, held against what the shop has."""
    read = read_rule(rule)
    wanted = {kind for name in reads(read) if (kind := FIELDS[name].names)}
    schedule = _asked_when(campaign.schedule) if campaign else None
    known = RulesShop(
        shop.currency,
        await names_of(connections, shop, wanted),
        datetime.now(UTC).astimezone(zone_of(shop.time_zone)).date(),
        read_rule(schedule) if schedule else None,
        language_of(shop),
    )
    # In a thread: a name that the shop does not have is compared with all that it has.
    found = await asyncio.to_thread(findings, read, known)
    return [replace(each, message=told(each.message)) for each in found]


def _shown(
    shop: Shop, campaign: Campaign, locale: str, names: Mapping[str, str], *, costs_known: bool
) -> dict[str, Any]:
    language, _, country = locale.partition("@")
    default = str(shop.settings.get(LOCALE) or "en")
    text, whose = preview(campaign, shop.currency, language or default, country or None, default)
    limit = limits_of(shop.settings).percent
    return {
        "shows": shows(campaign, shop.currency, names),
        "preview": {"text": text, "whose": whose},
        "guards": guards(campaign, costs_known=costs_known, most_percent=limit),
    }


def _asked_when(schedule: Schedule) -> Any:
    """Return the days and hours of a schedule as a rule, None for always."""
    days = _on(schedule.weekdays)
    if schedule.hours is None:
        return {"and": days} if days else None
    begin, end = schedule.hours
    since, until = {">=": [{"var": "time.hour"}, begin]}, {"<": [{"var": "time.hour"}, end]}
    if begin < end:
        return {"and": [*days, since, until]}
    after_midnight = _on([day % 7 + 1 for day in schedule.weekdays])
    return {"or": [{"and": [*days, since]}, {"and": [*after_midnight, until]}]}


def _on(weekdays: Sequence[int]) -> list[Any]:
    return [{"in": [{"var": "time.weekday"}, [WEEKDAYS[day - 1] for day in weekdays]]}] if weekdays else []


async def _form(
    connections: Connections, shop: Shop, query: QueryParams
) -> tuple[Form, Status, Lacking | None]:
    """Return the fields of what is asked for, its status and what it lacks while it runs.

    That is a kept campaign, a copy of one, a template or an empty one.
    """
    zone = zone_of(shop.time_zone)
    if "id" in query:
        kept = await get_campaign(connections, shop.shop, query["id"])
        lacks = await lacking(connections, shop, [kept.campaign]) if kept.status == "running" else {}
        return form_of(kept.campaign, zone, kept.state), kept.status, lacks.get(kept.campaign.id)
    if "copy" in query:
        return await _copied(connections, shop, query["copy"], zone), "draft", None
    if "template" in query:
        return form_of(template(query["template"]).campaign, zone), "draft", None
    kind = query.get("kind", "coupon")
    if kind not in KINDS:
        raise NotFound(_("There is no such kind of offer."))
    limited = {"lasts": "24", "per_visitor": "1", "group": "discount"} if kind == "coupon" else {}
    empty = msgspec.convert({"kind": kind, **limited}, Form)
    return msgspec.structs.replace(empty, groups=_TO_BEGIN_WITH), "draft", None


async def _copied(connections: Connections, shop: Shop, campaign_id: str, zone: tzinfo) -> Form:
    """Return the fields of a new campaign that begins as one that there is."""
    campaign = (await get_campaign(connections, shop.shop, campaign_id)).campaign
    name = _("Copy of %(name)s", name=campaign.name)
    return msgspec.structs.replace(form_of(campaign, zone), name=name)


def _grouped(fields: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the fields under the headings that merchants look for them."""
    grouped: dict[str, list[dict[str, Any]]] = {
        heading: [] for heading in dict.fromkeys(map(str, GROUPS.values()))
    }
    for each in fields:
        grouped[str(GROUPS[each["group"]])].append(each)
    return grouped


def _for_script(
    fields: list[dict[str, Any]], names: Mapping[Names, frozenset[str]], collections: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the page's script needs to know of each field. collections: titles by handle."""
    return {
        "asked": {name: str(words) for name, words in ASKED.items()},
        "asked_of": ASKED_OF,
        "fields": {
            each["name"]: {
                "kind": each["kind"],
                "unit": "%" if each.get("unit") == "share" else each.get("unit", ""),
                "example": typed(FIELDS[each["name"]], each["example"]),
                "choices": [*_choices(each, names, collections)],
                "picks": each.get("names") == "product",
            }
            for each in fields
        },
    }


def _choices(
    field: Mapping[str, Any], names: Mapping[Names, frozenset[str]], collections: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield what can be chosen for a field: as it is typed, and as it is shown."""
    known, kind = FIELDS[field["name"]], field.get("names", "")
    texts = [typed(known, each) for each in known.choices]
    if kind == "collection":
        yield from sorted(collections.items(), key=lambda each: each[1].lower())[:MOST_NAMED]
    texts += sorted((typed(known, each) for each in names.get(kind, ())), key=str.lower)[:MOST_NAMED]
    yield from zip(texts, texts, strict=True)
