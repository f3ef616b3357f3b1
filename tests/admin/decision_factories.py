"""A shop whose decisions pages have everything to show: decisions really made, and kept as they were."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from app.archive.store import keep as keep_snapshot
from app.campaigns.store import change_status, keep_campaign
from app.connections import Connections
from app.consent.policy import PURPOSES, consent_of, permissions
from app.offers.answer import answer_to
from app.offers.campaigns import with_campaigns
from app.offers.replay import entry_of
from app.offers.situation import Occasion, situation_of
from app.offers.snapshot import ShopSnapshot
from app.offers.store import record_decisions
from app.offers.wire import read_question
from app.profiles.recall import Shopper
from app.recommend.publish import publish
from app.snapshots import load_snapshot
from app.values import ShopDomain
from tests.admin.factories import SHOP, decision, feedback, keep, now, shop_row
from tests.campaigns.factories import a_campaign
from tests.offers.factories import a_body, as_json, goes_together
from tests.recommend.test_publish import a_card
from tests.test_live import sell

# Holds from a cart of one line on; the decisions below have a cart of 10.
RULE = {"and": [{">=": [{"var": "cart.lines"}, 1]}, {"==": [{"var": "market.country"}, "DE"]}]}


async def keep_decided(connections: Connections, rule: Any = RULE, **settings: Any) -> ShopSnapshot:
    """Store a shop with four products, a model and a campaign, and return it as decisions see it."""
    told = {"arms": {"personalised": 1}, **settings}
    await keep(connections, shop_row(settings=told, time_zone="Europe/Berlin"))
    for product_id in (10, 20, 30, 40):
        await sell(connections, product_id)
    campaign = a_campaign("welcome", rule=rule)
    await keep_campaign(connections, ShopDomain(SHOP), campaign)
    await change_status(connections, ShopDomain(SHOP), "welcome", "running")
    links = {(10, 30): 0.9, (10, 20): 0.4}
    publish(connections.settings.data_dir, ShopDomain(SHOP), goes_together(links), a_card())
    snapshot = await load_snapshot(connections, ShopDomain(SHOP))
    assert snapshot is not None
    await keep_snapshot(connections, snapshot, now())
    return snapshot


async def decide(
    connections: Connections,
    snapshot: ShopSnapshot,
    decision_id: str,
    consent: Iterable[str] = PURPOSES,
    **body: Any,
) -> None:
    """Make a decision and write it down."""
    allowed = consent_of(consent)
    asked = {"country": "DE", "client_id": decision_id, **body}
    question = read_question(as_json(a_body(10, **asked)))
    occasion = Occasion(decision_id, now(), snapshot, question, allowed, permissions(allowed), Shopper())
    situation = with_campaigns(occasion, situation_of(occasion))
    entry = entry_of(occasion, situation, answer_to(occasion, situation), 800)
    # As the database gives it back: through JSON.
    await record_decisions(connections, [msgspec.structs.replace(entry, inputs=dict(entry.inputs))])


async def keep_decisions(connections: Connections) -> None:
    """Store a shop with decisions of several kinds, some of whose offers were seen and taken."""
    shop = await keep_decided(connections, pinned=[40])
    await decide(connections, shop, "x1")
    await decide(connections, shop, "x2", consent=())
    await keep(
        connections, decision(1, fallback="no_model"), decision(2, arm="holdout", answer={"offers": []})
    )
    await keep(connections, feedback(1, "shown"), feedback(1, "accepted"))
