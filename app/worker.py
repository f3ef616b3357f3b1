"""The worker: every event's handlers, every job, every schedule, and the loops that run them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from app.admin.alerts_view import alert_letter
from app.ahead.due import request_due_offers
from app.ahead.switch import forget_offers_ahead
from app.ahead.write import write_offers_ahead
from app.attribution.figures import keep_figures, request_due_figures
from app.campaigns.dismissals import remember_dismissal
from app.campaigns.learning import learn_shop, request_due_learning, weigh_choices
from app.campaigns.redeemed import end_redeemed_codes
from app.campaigns.supply import request_due_codes, supply_codes
from app.catalog.cost_store import record_cost
from app.catalog.store import record_inventory, record_product, remove_product
from app.connections import Connections
from app.consent.clearing import request_due_clearings
from app.consent.ledger import restore_told
from app.consent.policies import read_policies
from app.coupons.follow import follow_grants, follow_redemptions
from app.events.announce import Announcements
from app.events.broker_ledger import BrokerLedger
from app.events.consume import Handlers, Together, consume
from app.events.kinds import (
    AppUninstalled,
    BrowserEvent,
    BulkOperationFinished,
    CollectionsChanged,
    ConsentTold,
    CostChanged,
    CustomerChanged,
    CustomerDataRequested,
    CustomerDeleted,
    CustomerRedactionRequested,
    DecisionMade,
    InventoryChanged,
    MarketingConsentChanged,
    OrderCancelled,
    OrderDeleted,
    OrderPaid,
    OrderPlaced,
    OrderUpdated,
    ProductChanged,
    ProductDeleted,
    RefundCreated,
    ScopesChanged,
    ShopRedactionRequested,
)
from app.events.log import EventConsumer
from app.events.move import move_events
from app.job_worker import Work, work_jobs
from app.jobs import Job
from app.loops import keep_running
from app.offers.store import record_decisions, record_feedback
from app.orders.customers import record_customers, record_marketing_consent, remove_customer
from app.orders.store import record_refund, remove_order
from app.outbound.deliver import clear_old_messages, deliver_messages, follow_withdrawal
from app.outbound.write_back import note_uninstall, request_due_write_backs, write_back
from app.privacy.aged import clear_aged
from app.privacy.storefront import follow_withdrawal as forget_storefront
from app.profiles.consents import follow_consent, record_consent, unname_if_late, unname_late
from app.profiles.segmenting import request_due_segmentations, segment_shop
from app.profiles.store import (
    follow_customers,
    forget_customer,
    keep_orders,
    remember_browsing,
    remember_refund,
)
from app.reach.detection import follow_withdrawal as let_abandoned_go
from app.reach.jobs import clear_old_reach, forget_reached, reach_shop, request_reach
from app.reach.monitoring import look_after_shop, request_alerts
from app.recommend.drift_watch import request_due_watches, watch_shop
from app.recommend.growth import request_due_training
from app.recommend.refresh import refresh_shop, request_due_refreshes
from app.recommend.retrain import resume_shop, train_shop
from app.schedules import Schedule, keep_schedules
from app.shops.active import note_active
from app.shops.store import change_scopes, get_shop, mark_uninstalled
from app.values import ShopDomain
from webhooks.backfill import resume_backfill, run_backfill
from webhooks.collections import note_collection, read_collections, request_due_collections
from webhooks.compliance import finish_erasures, note_data_request, redact_customer, redact_shop
from webhooks.inbox import prune
from webhooks.opt_outs import compare_opt_outs, request_opt_outs
from webhooks.reconcile import reconcile
from webhooks.work import empty_bodies, work_inbox

_changes = Announcements()
_orders, _customers = Together(keep_orders), Together(record_customers)
_profiles, _visits = Together(follow_customers), Together(remember_browsing)

# Every event but of the catalogue is also kept in the events table, where consent allows. Carts and
# checkouts are kept there and set off nothing else.
HANDLERS: Handlers = {
    OrderPlaced: (_orders, _profiles, follow_redemptions, end_redeemed_codes),
    OrderUpdated: (_orders, _profiles, follow_redemptions, end_redeemed_codes),
    OrderPaid: (_orders, _profiles),
    OrderCancelled: (_orders, _profiles),
    OrderDeleted: (remove_order, remember_refund),
    RefundCreated: (record_refund, remember_refund),
    ProductChanged: (record_product, _changes.note),
    ProductDeleted: (remove_product, _changes.note),
    InventoryChanged: (record_inventory, _changes.note),
    CostChanged: (record_cost, _changes.note),
    CollectionsChanged: (note_collection,),
    CustomerChanged: (_customers, _profiles),
    CustomerDeleted: (remove_customer, forget_customer, forget_reached),
    MarketingConsentChanged: (record_marketing_consent,),
    BrowserEvent: (record_feedback, remember_dismissal, _visits, unname_if_late),
    # What was derived from a visit is found through its events, so it is erased before them.
    ConsentTold: (
        record_consent,
        let_abandoned_go,
        forget_storefront,
        follow_consent,
        follow_withdrawal,
        _profiles,
    ),
    DecisionMade: (follow_grants, Together(record_decisions), Together(unname_late)),
    BulkOperationFinished: (resume_backfill,),
    AppUninstalled: (mark_uninstalled, note_uninstall, forget_offers_ahead),
    ScopesChanged: (change_scopes,),
    CustomerDataRequested: (note_data_request,),
    CustomerRedactionRequested: (redact_customer,),
    ShopRedactionRequested: (redact_shop,),
}

JOBS: Mapping[Job, Work] = {
    "backfill": run_backfill,
    "train": train_shop,
    "resume": resume_shop,
    "freshen": refresh_shop,
    "segment": segment_shop,
    "intent": learn_shop,
    "clear": clear_aged,
    "opt_outs": compare_opt_outs,
    "write_back": write_back,
    "offers_ahead": write_offers_ahead,
    "watch": watch_shop,
    "coupons": supply_codes,
    "reach": partial(reach_shop, words=alert_letter),
    "alerts": look_after_shop,
    "figures": keep_figures,
    "collections": read_collections,
}


async def trim_log(connections: Connections) -> None:
    """Drop handled entries from the event log, and the bodies of the deliveries they came from."""
    await empty_bodies(connections)
    if connections.settings.event_log_url:
        await BrokerLedger(connections.redis).forget_keys()
    else:
        await EventConsumer(connections.redis, "trimmer").trim()


async def prune_inbox(connections: Connections) -> None:
    """Delete old deliveries that are done or parked."""
    await prune(connections, datetime.now(UTC))


SCHEDULES = (
    Schedule("announce", 1, _changes.announce, everywhere=True),
    Schedule("trim", 60, trim_log),
    Schedule("prune", 3_600, prune_inbox),
    Schedule("reconcile", 60, reconcile),
    Schedule("retrain", 600, request_due_training),
    Schedule("freshen", 15, request_due_refreshes),
    Schedule("segment", 600, request_due_segmentations),
    Schedule("intent", 600, request_due_learning),
    Schedule("choices", 900, weigh_choices),
    Schedule("coupons", 30, request_due_codes),
    Schedule("write back", 5, request_due_write_backs),
    Schedule("offers ahead", 30, request_due_offers),
    Schedule("watch", 1_800, request_due_watches),
    Schedule("messages", 3_600, clear_old_messages),
    Schedule("reach", 60, request_reach),
    Schedule("alerts", 300, request_alerts),
    Schedule("figures", 300, request_due_figures),
    Schedule("reach cleared", 3_600, clear_old_reach),
    Schedule("privacy settings", 60, read_policies),
    Schedule("told", 60, restore_told),
    Schedule("opt-outs", 60, request_opt_outs),
    Schedule("collections", 60, request_due_collections),
    Schedule("erasures", 300, finish_erasures),
    Schedule("retention", 3_600, request_due_clearings),
)


def for_known_shops(jobs: Mapping[Job, Work]) -> Mapping[Job, Work]:
    """Return the jobs, which do nothing for a shop that was erased since one was asked for."""

    async def do(work: Work, connections: Connections, shop: ShopDomain) -> None:
        if await get_shop(connections, shop):
            await work(connections, shop)
            await note_active(connections.redis, [shop])  # it may have left something to do for others

    return {name: partial(do, work) for name, work in jobs.items()}


async def run_worker(connections: Connections, stop: asyncio.Event) -> None:
    """Work until told to stop: webhooks, events, messages, schedules, jobs, each in a loop of its own."""
    loops: dict[str, Callable[[], Awaitable[None]]] = {
        "inbox": partial(work_inbox, connections, stop),
        "events": partial(consume, connections, HANDLERS, stop),
        "messages": partial(deliver_messages, connections, stop),
        "schedules": partial(keep_schedules, connections, SCHEDULES, stop),
        "jobs": partial(work_jobs, connections, for_known_shops(JOBS), stop),
    }
    if connections.settings.event_log_url:
        loops["mover"] = partial(move_events, connections, stop)
    async with asyncio.TaskGroup() as running:
        for name, loop in loops.items():
            running.create_task(keep_running(name, loop, stop))
