"""POST /api/personalize of a shop with no campaign, with 5 and with 500, beside each other in one run.

The shop is the one of `benchmarks.decide`. The five are templates as they are shipped. The other 495 are
the seven templates with thresholds of their own, drawn once: most hold for some shoppers, none takes the
place of the five. The rounds alternate, so that the machine's mood is the same for all three.

Twice: all that a decision works out, by the processor time of each, which a busy machine changes little;
and a server's answers under load, which it changes much.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from secrets import token_urlsafe
from statistics import median, quantiles
from typing import Any

import msgspec
from sqlmodel import col, update

from app.batching import batched_reads
from app.campaign_tables import CampaignRow
from app.campaigns.campaign import Campaign, read_campaign
from app.campaigns.store import keep_campaign
from app.campaigns.templates import TEMPLATES
from app.config import Settings
from app.connections import Connections, connect
from app.consent.digests import open_digests
from app.consent.policy import permissions, settle
from app.events.log import encode
from app.offers.answer import answer_to
from app.offers.campaigns import history_update_of, with_campaigns
from app.offers.replay import entry_of
from app.offers.situation import Occasion, situation_of
from app.offers.snapshot import ShopSnapshot
from app.offers.wire import read_question
from app.profiles.names import Names
from app.profiles.recall import recall
from app.shops.changes import announce_change
from app.snapshots import load_snapshot
from benchmarks.decide import SHOP, fill, questions
from benchmarks.load import Load, measure
from benchmarks.server import Server, own_stores, served

COUNTS = (0, 5, 500)
ROUNDS, ALONE_ROUNDS = 3, 10
RELOAD_S = 4.0  # until the server has surely taken up what was announced
QUIET, BUSY = 4, 32  # connections


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured with so many campaigns: medians of the rounds.

    decided_us, decided_p99_us: the processor's time for all that one decision works out. cpu_us: the
    server's for a whole answer. nudged: share of answers with a campaign in them.
    """

    campaigns: int
    decided_us: float
    decided_p99_us: float
    per_second: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    failed: int
    nudged: float


def main(seconds: float = 5.0) -> list[Figures]:
    """Return the figures for each count of campaigns, printed as well."""
    with own_stores() as (settings, redis_url, environment):
        asyncio.run(fill(settings, redis_url))
        asyncio.run(_keep(settings, redis_url))
        alone = asyncio.run(_alone(settings, redis_url))
        with served("benchmarks.decide:web", environment) as server:
            found = _measured(server, settings, redis_url, seconds, alone)
    for each in found:
        print(
            f"{each.campaigns:4d} campaigns  a decision {each.decided_us:4.0f} µs, p99 "
            f"{each.decided_p99_us:4.0f} µs; {each.per_second:5.0f} a second of {each.cpu_us:.0f} µs, "
            f"p50 {each.p50_ms:.1f} ms, p99 {each.p99_ms:.1f} ms at {QUIET} connections; "
            f"{each.nudged:.0%} nudged, {each.failed} failed"
        )
    return found


def campaigns() -> list[Campaign]:
    """Return the campaigns, those of the smaller counts first; the same with every run."""
    random = Random(5)
    shipped = [each.campaign for each in TEMPLATES.values()]
    first = [msgspec.structs.replace(each, priority=900) for each in shipped[: COUNTS[1]]]
    others = [_varied(random.choice(shipped), n, random) for n in range(COUNTS[2] - len(first))]
    return first + others


def _varied(campaign: Campaign, number: int, random: Random) -> Campaign:
    """Return the campaign with other numbers in its rule, behind all that are shipped."""
    written: dict[str, Any] = msgspec.to_builtins(campaign)
    rule = json.loads(json.dumps(written["rule"]), parse_int=float)
    return read_campaign(
        written
        | {
            "id": f"{campaign.id}-{number}",
            "rule": {"and": [rule, {">": [{"var": "cart.subtotal"}, round(random.uniform(1, 60), 2)]}]},
            "priority": random.randint(-500, 0),
        }
    )


async def _keep(settings: Settings, redis_url: str) -> None:
    async with connect(settings, redis_url) as connections:
        for campaign in campaigns():
            await keep_campaign(connections, SHOP, campaign)


async def _alone(settings: Settings, redis_url: str) -> dict[int, tuple[float, float]]:
    """Return the median and the 99th percentile of a decision's processor time, by count of campaigns."""
    async with connect(settings, redis_url) as connections:
        occasions = {}
        for count in COUNTS:
            await _run(settings, redis_url, count)
            snapshot = await load_snapshot(connections, SHOP)
            assert snapshot is not None
            occasions[count] = [await _occasion(connections, snapshot, each) for each in questions()]
    spent: dict[int, list[int]] = {count: [] for count in COUNTS}
    for _ in range(ALONE_ROUNDS):
        for count in COUNTS:
            spent[count] += [_spent_ns(each) for each in occasions[count]]
    return {count: (median(each) / 1e3, quantiles(each, n=100)[98] / 1e3) for count, each in spent.items()}


async def _occasion(connections: Connections, shop: ShopSnapshot, asked: bytes) -> Occasion:
    """Return what a server would make of a question before it decides."""
    question = read_question(asked.partition(b"\r\n\r\n")[2])
    consent = settle(question.consent, question.region, shop.policy)
    customer_id = int(str(question.checkout_token).partition("-")[2])
    names = Names(customer_id, question.client_id, question.checkout_token)
    may, read = permissions(consent), batched_reads(connections.redis, timeout_ms=1_000)
    digests = await open_digests(connections)
    shopper = await recall(read, shop.shop, names, may, digests, campaigns=shop.plan is not None)
    return Occasion(token_urlsafe(16), datetime.now(UTC), shop, question, consent, may, shopper)


def _spent_ns(occasion: Occasion) -> int:
    """Return the processor's time for one decision, from what is known to what is logged."""
    began = time.process_time_ns()
    situation = with_campaigns(occasion, situation_of(occasion))
    answer = answer_to(occasion, situation)
    encode(entry_of(occasion, situation, answer, 0))
    if (update := history_update_of(occasion, situation, answer.offers)) is not None:
        update.onto(update.read)
    return time.process_time_ns() - began


def _measured(
    server: Server, settings: Settings, redis_url: str, seconds: float, alone: dict[int, tuple[float, float]]
) -> list[Figures]:
    asked, rounds = questions(), dict[int, list[tuple[Load, Load, float]]]()
    measure(server.port, asked, connections=BUSY, seconds=1)  # warm: tokens verified, shop loaded
    shares = {}
    for _ in range(ROUNDS):
        for count in COUNTS:
            asyncio.run(_run(settings, redis_url, count))
            time.sleep(RELOAD_S)
            rounds.setdefault(count, []).append(_one_round(server, asked, seconds / ROUNDS))
            shares[count] = _nudged(server.port, asked)
    return [_figures(count, found, shares[count], alone[count]) for count, found in rounds.items()]


def _one_round(server: Server, asked: Sequence[bytes], seconds: float) -> tuple[Load, Load, float]:
    """Return the load at many connections and at few, and the processor time an answer."""
    before = server.cpu_s()
    busy = measure(server.port, asked, connections=BUSY, seconds=seconds)
    cpu_us = (server.cpu_s() - before) / busy.per_second / seconds * 1e6
    return busy, measure(server.port, asked, connections=QUIET, seconds=seconds), cpu_us


async def _run(settings: Settings, redis_url: str, count: int) -> None:
    """Let the first so many campaigns run, and no other."""
    names = [each.id for each in campaigns()[:count]]
    mine = col(CampaignRow.shop) == SHOP
    async with connect(settings, redis_url) as connections:
        async with connections.write() as db:
            await db.exec(update(CampaignRow).where(mine).values(status="paused"))
            running = update(CampaignRow).where(mine, col(CampaignRow.campaign_id).in_(names))
            await db.exec(running.values(status="running"))
        await announce_change(connections.redis, SHOP)


def _nudged(port: int, asked: Sequence[bytes]) -> float:
    """Return the share of the questions that are answered with a campaign."""
    nudged = 0
    for question in asked:
        head, _, body = question.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        address = f"http://127.0.0.1:{port}/api/personalize"
        with urllib.request.urlopen(urllib.request.Request(address, body, headers)) as answer:
            offers = json.load(answer)["offers"]
        nudged += any("campaign" in offer for offer in offers)
    return nudged / len(asked)


def _figures(
    count: int, rounds: Sequence[tuple[Load, Load, float]], nudged: float, alone: tuple[float, float]
) -> Figures:
    return Figures(
        campaigns=count,
        decided_us=alone[0],
        decided_p99_us=alone[1],
        per_second=median(busy.per_second for busy, _, _ in rounds),
        cpu_us=median(cpu_us for _, _, cpu_us in rounds),
        p50_ms=median(quiet.p50_ms for _, quiet, _ in rounds),
        p99_ms=median(quiet.p99_ms for _, quiet, _ in rounds),
        failed=sum(busy.failed + quiet.failed for busy, quiet, _ in rounds),
        nudged=nudged,
    )


if __name__ == "__main__":
    main()
