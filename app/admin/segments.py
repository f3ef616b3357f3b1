"""What the segments pages show: sizes and moves, what names mean, what speaks for them, who is who."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.datastructures import QueryParams

from app.admin import segments_chart as chart
from app.admin import segments_evidence as evidence
from app.admin import segments_store as store
from app.admin import segments_view as view
from app.admin.language import _, lazy
from app.admin.privacy_view import minute
from app.admin.segment_titles import title
from app.admin.segments_meanings import (
    KINDS,
    known_names,
    meanings,
    rule_words,
    score_lines,
    visitors_words,
)
from app.admin.segments_settings import policy_of, rules_of, state_of
from app.admin.sentences import APPROACH_TITLES, told
from app.connections import Connections
from app.errors import InputError
from app.profiles.interests import interests_of
from app.profiles.policy import KINDS as APPROACHES
from app.profiles.reviews import review_of, reviews
from app.profiles.rfm_segments import SEGMENTS
from app.profiles.rfm_shopify import compared, difference
from app.profiles.segments import latest_segmentation
from app.profiles.store import kept_profile
from app.profiles.thresholds import Condition
from app.shops.store import Shop
from app.values import shopify_id, zone_of

DAYS = 30
CHART_DAYS = 90
MOST_MOVES, MOST_WAYS, MOST_MEMBERS, MOST_REVIEWS, MOST_DIFFERENCES = 15, 12, 50, 100, 15
TABS = (
    ("/admin/segments", lazy("Sizes and moves")),
    ("/admin/customer", lazy("Customer")),
    ("/admin/segments/meanings", lazy("What they mean")),
    ("/admin/segments/own", lazy("Your segments")),
    ("/admin/segments/approach", lazy("Cold and warm")),
    ("/admin/segments/shopify", lazy("Compared with Shopify")),
    ("/admin/segments/review", lazy("Review")),
    ("/admin/segments/elsewhere", lazy("Other systems")),
)
MEASURES = {
    "days_since_last_order": lazy("Days since the last order"),
    "orders": lazy("Number of orders"),
    "spent": lazy("Money spent"),
    "average_order": lazy("Average order"),
    "largest_order": lazy("Largest order"),
}
MONEY = ("spent", "average_order", "largest_order")
COMPARISONS = {
    "more_than": lazy("is more than"),
    "at_least": lazy("is at least"),
    "at_most": lazy("is at most"),
    "less_than": lazy("is less than"),
}


async def overview(connections: Connections, shop: Shop, query: QueryParams) -> dict[str, Any]:
    """Return the sizes now and over time, and who moved; or the customers of one segment."""
    now = datetime.now(UTC)
    made = await store.trained(connections, shop.shop)
    sizes = await store.sizes_now(connections, shop.shop)
    counts = await store.move_counts(connections, shop.shop, now - timedelta(days=DAYS))
    moves = await store.newest_moves(connections, shop.shop, MOST_MOVES)
    open_reviews = await _open_reviews(connections, shop)
    return {
        "trained": minute(made.trained_at) if made else None,
        "trained_at": made.trained_at.isoformat() if made else "",
        "sizes": await _sized(connections, shop, sizes, now),
        "customers": sum(sizes.values()),
        "ways": [(title(before), title(after), n) for before, after, n in counts if before][:MOST_WAYS],
        "newcomers": sum(n for before, _after, n in counts if before is None),
        "moves": [_moved(each) for each in moves],
        "open_reviews": len(open_reviews),
        "days": DAYS,
        **_frame("/admin/segments"),
    } | await _members(connections, shop, query.get("name", "")[:60])


async def meant(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return what each segment takes, what scores stand for in this shop, and what speaks for it all."""
    made = await latest_segmentation(connections, shop.shop)
    trained = await store.trained(connections, shop.shop)
    report = trained.report if trained else None
    return {
        "meanings": [
            (title(each.name), str(KINDS[each.kind]), each.says) for each in meanings(rules_of(shop), made)
        ],
        "by_clusters": visitors_words(made),
        "scores": score_lines(made.cuts, made.currency) if made else [],
        "trained": minute(trained.trained_at) if trained else None,
        "judged": evidence.classifiers(report) if report else [],
        "clusters": evidence.clusters(report) if report else None,
        "spend": evidence.spend_ways(report, shop.currency) if report else [],
        "spend_says": evidence.spend_words(report) if report else "",
        **_frame("/admin/segments/meanings"),
    }


async def own(connections: Connections, shop: Shop, query: QueryParams) -> dict[str, Any]:
    """Return the merchant's own segments, and the one that is written on."""
    rules = rules_of(shop)
    edited = next((rule for rule in rules.rules if rule.name == query.get("edit")), None)
    sizes = await store.sizes_now(connections, shop.shop)
    return {
        "rules": [
            {"name": rule.name, "title": title(rule.name), "says": rule_words(rule, rules.currency),
             "customers": sizes.get(rule.name, 0)}
            for rule in rules.rules
        ],
        "edited": edited,
        "seen": state_of(edited) if edited else "",
        "conditions": edited.conditions if edited else (Condition("orders", "at_least", ""),),
        "measures": MEASURES,
        "money_measures": MONEY,
        "comparisons": COMPARISONS,
        **_frame("/admin/segments/own"),
    }  # fmt: skip


async def approach(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return the shop's way with those it does not know and those it does."""
    made, policy = await latest_segmentation(connections, shop.shop), policy_of(shop)
    return {
        "policy": policy,
        "seen": state_of(policy),
        "approaches": {
            "cold": [each for each in APPROACHES if each not in ("history", "loyalty", "complements")],
            "warm": list(APPROACHES),
        },
        "approach_titles": {name: str(words) for name, words in APPROACH_TITLES.items()},
        "titles": {name: title(name) for name in known_names(rules_of(shop), made)},
        **_frame("/admin/segments/approach"),
    }


async def beside(connections: Connections, shop: Shop, query: QueryParams) -> dict[str, Any]:
    """Return our RFM segments beside Shopify's groups, where they differ and why."""
    found = compared(await store.rfm_counts(connections, shop.shop))
    theirs, rows = view.matrix(found)
    apart = view.differences(found)
    ours, group = query.get("ours", ""), query.get("theirs", "")
    shown = ours in SEGMENTS and group in SEGMENTS
    cell = await store.in_cell(connections, shop.shop, ours, group, MOST_MEMBERS) if shown else []
    return {
        "found": found,
        "groups": theirs,
        "rows": rows,
        "differences": apart[:MOST_DIFFERENCES],
        "more": max(0, len(apart) - MOST_DIFFERENCES),
        "cell": [(each.customer_id, _rfm_why(each)) for each in cell],
        "cell_title": _("%(ours)s here, %(theirs)s at Shopify", ours=title(ours), theirs=title(group))
        if shown
        else "",
        "cell_says": told(difference(ours, group) or "") if shown else "",
        "most": MOST_MEMBERS,
        **_frame("/admin/segments/shopify"),
    }


async def queue(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return who stands out, and what the merchant said of whom."""
    every = await reviews(connections, shop.shop, only_open=False)
    segments = await store.segment_of(connections, shop.shop, [each.customer_id for each in every])
    waiting = [each for each in every if each.verdict is None and each.customer_id in segments]
    decided = [each for each in every if each.verdict is not None]
    made = await latest_segmentation(connections, shop.shop)
    return {
        "waiting": [view.reviewed(each, segments) for each in waiting[:MOST_REVIEWS]],
        "decided": [view.reviewed(each, segments) for each in decided[:MOST_REVIEWS]],
        "more": max(0, len(waiting) - MOST_REVIEWS),
        "names": known_names(rules_of(shop), made),
        **_frame("/admin/segments/review"),
    }


async def customer(connections: Connections, shop: Shop, query: QueryParams) -> dict[str, Any]:
    """Return one customer's card: every segment with its sentence, the numbers, the moves."""
    asked, wrong = query.get("id", "").strip()[:60], ""
    shown: dict[str, Any] = {"card": None, "review": None, "customer_id": None}
    try:
        if asked:
            shown = await _card(connections, shop, shopify_id(asked, "id"))
    except InputError:
        wrong = _("A customer's number is all digits, as in the address of their page in Shopify.")
    names = known_names(rules_of(shop), await latest_segmentation(connections, shop.shop))
    return {"asked": asked, "wrong": wrong, "names": names, **shown, **_frame("/admin/customer")}


async def _card(connections: Connections, shop: Shop, customer_id: int) -> dict[str, Any]:
    card = await store.card(connections, shop.shop, customer_id)
    review = await review_of(connections, shop.shop, customer_id)
    shown: dict[str, Any] = {"card": card, "customer_id": customer_id, "review": None}
    if review is not None and (card is not None or review.verdict is not None):
        shown["review"] = view.reviewed(review, {customer_id: card.segment} if card else {})
    if card is None:
        return shown
    moves = await store.newest_moves(connections, shop.shop, MOST_MOVES, customer_id)
    return shown | {
        "named_segments": view.named(card),
        "figures": view.figures(card, shop.currency),
        "drawn_to": await _drawn_to(connections, shop, customer_id),
        "shopify": view.shopify_words(card),
        "moves": [_moved(each) for each in moves],
        "changed": minute(card.changed_at),
    }


async def _drawn_to(connections: Connections, shop: Shop, customer_id: int) -> list[tuple[str, str]]:
    profile = await kept_profile(connections, shop.shop, customer_id)
    now = int(datetime.now(UTC).timestamp())
    interests = interests_of(profile.bought, await store.sold(connections, shop.shop), now)
    return view.drawn_to(profile, interests)


async def _sized(
    connections: Connections, shop: Shop, sizes: dict[str, int], now: datetime
) -> list[dict[str, Any]]:
    today = now.astimezone(zone_of(shop.time_zone)).date()
    days = await store.sizes_by_day(connections, shop.shop, str(today - timedelta(days=CHART_DAYS)))
    since = str(today - timedelta(days=DAYS))
    lately = {day: counts for day, counts in days.items() if day >= since}
    emptied = {name for counts in lately.values() for name in counts} - sizes.keys()
    total = sum(sizes.values())
    return [
        {
            "name": name,
            "title": title(name),
            "customers": customers,
            "percent": 100 * customers / total if total else 0,
            "change": chart.change(lately, name, customers),
            "line": chart.line(days, name),
        }
        for name, customers in [*sizes.items(), *((name, 0) for name in sorted(emptied))]
    ]


async def _members(connections: Connections, shop: Shop, name: str) -> dict[str, Any]:
    found = await store.members(connections, shop.shop, name, MOST_MEMBERS) if name else []
    shown = [(each.customer_id, view.why_words(each.memberships[0]["why"])) for each in found]
    return {"members": shown, "members_of": title(name) if name else "", "most": MOST_MEMBERS}


async def _open_reviews(connections: Connections, shop: Shop) -> list[int]:
    waiting = [each.customer_id for each in await reviews(connections, shop.shop, only_open=True)]
    segments = await store.segment_of(connections, shop.shop, waiting)
    return [each for each in waiting if each in segments]


def _rfm_why(card: store.Card) -> str:
    return next((view.why_words(each["why"]) for each in card.memberships if each["kind"] == "rfm"), "")


def _moved(move: store.Move) -> dict[str, Any]:
    words, at = view.move_words(move), minute(move.moved_at)
    return {"customer_id": move.customer_id, "at": at, "way": words, "why": view.why_words(move.why)}


def _frame(path: str) -> dict[str, Any]:
    return {"tabs": TABS, "here": path}
