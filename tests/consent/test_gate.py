"""No code reaches personal data around the gate.

Every module that reaches it is in one of the two tables below, and whoever adds one adds it here:
with the gate it asks, or with the reason why none applies and who may use it then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from tests.consent.reaching import Source, read, sources

# What decides, and where it is defined.
GATES = {
    "verdict": "app.consent.policy",
    "settle": "app.consent.policy",
    "permissions": "app.consent.policy",
    "may": "app.consent.standing",
    "standings_of": "app.consent.standings",
    "who_refuse": "app.consent.standings",
    "who_may_not_teach": "app.intent.store",
    "consent_told": "app.profiles.consent_events",
}


@dataclass(frozen=True, slots=True)
class Asks:
    """A module that asks one of these gates. through: or whoever takes these from it does."""

    gates: tuple[str, ...]
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Free:
    """A module that asks none. why: the reason. used_by: nobody else may import it."""

    why: str
    used_by: tuple[str, ...]


ASKING = {
    "app.ahead.customers": Asks(("may",)),
    "app.campaigns.activity": Asks(("who_may_not_teach",)),
    "app.campaigns.log": Asks(("who_may_not_teach",)),
    "app.collect": Asks(("permissions",)),
    "app.campaigns.dismissals": Asks(("permissions",)),
    "app.campaigns.past_decisions": Asks(("who_refuse",)),
    "app.consent.standings": Asks(("may",)),
    "app.events.store": Asks(("permissions",)),
    "app.intent.store": Asks(("may", "who_refuse")),
    "app.campaigns.writing": Asks(("permissions",), through=("write_decisions",)),
    "app.offers.replay": Asks(("permissions",), through=("entry_of",)),
    "app.profiles.behaviour_store": Asks(
        ("may", "who_refuse"), through=("seen_of_customers", "seen_of_browsers")
    ),
    "app.profiles.guests": Asks(("permissions",)),
    "app.profiles.history": Asks(
        ("may", "permissions", "who_refuse"),
        through=(
            "orders_of",
            "orders_told",
            "next_customers",
            "next_profiled",
            "customer_of_order",
            "seen_of",
            "seen_at",
        ),
    ),
    "app.profiles.recall": Asks(("permissions",), through=("recall",)),
    "app.profiles.store": Asks(("permissions",)),
    "app.profiles.consent_events": Asks(("settle",)),
    "app.campaigns.guardrail_facts": Asks(("who_may_not_teach",)),
    "app.experiments.showing_store": Asks(("may", "standings_of")),
    "app.reach.planning": Asks(("permissions", "settle", "standings_of")),
    "app.reach.store": Asks(("may", "standings_of")),
    "app.recommend.store": Asks(("who_refuse",), through=("read_shop",)),
    "app.offpolicy.store": Asks(("who_refuse",)),
    "webhooks.allowed": Asks(("permissions",)),
}

_NOWHERE = "says where it is and reads nothing"
_RECORDS = "the merchant's own records, as Shopify tells them; what is made of them asks"
_LEDGER = "what was answered is what the gate itself goes by"
_SUMS = "sums that name nobody"
_JOINED = "joins what was logged under consent to the merchant's own orders; sums come out"
_THEIRS = "shown to the person it is about, or erased: a right that needs no consent"
_OPERATOR = "an operator looks at what was kept under consent; nothing is done with it"

FREE = {
    "app.connections": Free(_NOWHERE, ("app", "webhooks")),
    "app.consent.told": Free(_NOWHERE, ("app.consent", "app.privacy", "app.profiles", "webhooks.allowed")),
    "app.profiles.keys": Free(
        _NOWHERE,
        (
            "app.ahead.customers",
            "app.campaigns.dismissals",
            "app.campaigns.redeemed",
            "app.campaigns.writing",
            "app.coupons.grants",
            "app.privacy",
            "app.profiles",
            "app.reach.planning",
        ),
    ),
    "app.coupons.grants": Free(
        "a code for the name that `app.offers.campaigns` or `app.reach` may use, and that an order used it",
        ("app.campaigns.redeemed", "app.coupons.handing", "app.decide", "app.offers.campaigns", "app.reach"),
    ),
    "app.commands.copy_database": Free(
        "the same rows in another engine; nothing is done with them", ("app.cli",)
    ),
    "app.migrations.env": Free("the layout of tables, not a row of them", ()),
    "app.migrations.sizes": Free("how large tables are taken for, not a row of them", ("app.migrations",)),
    "app.orders.store": Free(_RECORDS, ("app.profiles.store", "app.worker", "webhooks.backfill")),
    "app.orders.customers": Free(_RECORDS, ("app.worker", "webhooks.backfill", "webhooks.opt_outs")),
    "app.orders.answers": Free(_LEDGER, ("app.orders.customers",)),
    "webhooks.reconcile": Free(_RECORDS, ("app.worker", "webhooks.opt_outs")),
    "webhooks.missed_consent": Free(_RECORDS, ("webhooks.reconcile",)),
    "webhooks.opt_outs": Free(_RECORDS, ("app.worker",)),
    "webhooks.deleted_records": Free(_RECORDS, ("webhooks.opt_outs",)),
    "app.offers.store": Free("keeps what `app.offers.replay` made under its permissions", ("app.worker",)),
    "app.consent.ledger": Free(
        _LEDGER,
        ("app.consent", "app.orders.answers", "app.profiles.consents", "app.profiles.merging", "app.worker"),
    ),
    "app.profiles.merging": Free("what they refused, for who they are now", ("app.profiles.store",)),
    "app.profiles.consents": Free("what they answered, to name them no more", ("app.worker",)),
    "app.profiles.pending_refusals": Free(_LEDGER, ("app.collect", "app.decide")),
    "app.consent.lookup": Free(
        _THEIRS, ("app.admin.persons", "app.admin.person_name", "app.commands.consent")
    ),
    "app.consent.withdrawal": Free(_THEIRS, ("app.privacy", "app.profiles.consents", "app.reach.detection")),
    "app.privacy.storefront": Free(_THEIRS, ("app.worker",)),
    "app.consent.clearing": Free(
        "deletes what is past its limit",
        ("app.admin.privacy_calls", "app.consent.report", "app.privacy.aged", "app.worker"),
    ),
    "app.consent.report": Free(_SUMS, ("app.admin", "app.commands.audit")),
    "app.consent.outcomes": Free(_SUMS, ("app.admin.privacy", "app.consent.report")),
    "app.admin.store": Free(_SUMS, ("app.admin",)),
    "app.attribution.store": Free(_SUMS, ("app.attribution",)),
    "app.attribution.served": Free(_SUMS, ("app.admin.home_view", "app.attribution")),
    "app.attribution.kpi_facts": Free(_JOINED, ("app.attribution", "app.commands")),
    "app.attribution.overall": Free(_JOINED, ("app.attribution",)),
    "app.attribution.sold": Free(
        _JOINED,
        ("app.admin.credited_file", "app.admin.lately", "app.attribution", "app.commands"),
    ),
    "app.attribution.touch_store": Free(_JOINED, ("app.admin.decisions_order", "app.attribution")),
    "app.campaigns.redeemed": Free(
        "ends what `app.offers.campaigns` kept, and keeps nothing", ("app.worker",)
    ),
    "app.campaigns.feedback": Free(_JOINED, ("app.campaigns.activity", "app.campaigns.learning")),
    "app.experiments.record_store": Free(_JOINED, ("app.attribution.touch_store", "app.experiments")),
    "app.experiments.store": Free(
        _JOINED,
        (
            "app.admin.experiments",
            "app.admin.experiments_view",
            "app.admin.lately",
            "app.attribution",
            "app.commands",
            "app.experiments",
        ),
    ),
    "app.recommend.drift_watch": Free(_SUMS, ("app.admin", "app.recommend.growth", "app.worker")),
    "app.reach.hourly_counts": Free(_SUMS, ("app.reach",)),
    "app.admin.settings_store": Free(_RECORDS, ("app.admin.settings", "app.admin.settings_export")),
    "app.admin.decisions_order": Free(_OPERATOR, ("app.admin.decisions",)),
    "app.admin.decisions_store": Free(_OPERATOR, ("app.admin.decisions",)),
    "app.replays": Free(
        _OPERATOR,
        (
            "app.admin.decisions",
            "app.admin.decisions_calls",
            "app.admin.decisions_view",
            "app.commands.decisions",
        ),
    ),
    "app.privacy.keys": Free(_THEIRS, ("app.privacy",)),
    "app.privacy.lookup": Free(_THEIRS, ("app.admin", "app.commands.privacy", "webhooks.address")),
    "app.privacy.person": Free(_THEIRS, ("app.admin", "app.commands.privacy", "app.privacy")),
    "app.privacy.rows": Free(_THEIRS, ("app.privacy",)),
    "app.privacy.shop": Free(_THEIRS, ("app.commands.privacy", "webhooks.compliance")),
}

_WHO = {"customer_id", "client_id", "checkout_token", "email_digest", "subject"}


@cache
def _modules() -> dict[str, Source]:
    return {source.name: source for source in sources()}


def test_what_reaches_personal_data_is_looked_at() -> None:
    reaching = {name: sorted(source.reaches) for name, source in _modules().items() if source.reaches}
    unknown = {name: reaches for name, reaches in reaching.items() if name not in ASKING | FREE}
    assert not unknown, "ask a gate of GATES, and add the module to ASKING; or say in FREE why none applies"
    past = sorted((ASKING.keys() | FREE.keys()) - reaching.keys())
    assert not past, "these reach none any more: take them out"


@pytest.mark.parametrize("name", sorted(ASKING))
def test_a_gate_is_asked(name: str) -> None:
    asked = ASKING[name]
    takers = [each for each in _modules().values() if _takes(each, name, asked.through)]
    for source in takers if asked.through else [_modules()[name]]:
        assert _asks(source, asked.gates), f"{source.name} reaches {name} and asks none of {asked.gates}"


@pytest.mark.parametrize("name", sorted(FREE))
def test_what_asks_no_gate_is_used_by_those_it_is_for_alone(name: str) -> None:
    others = [source.name for source in _importers(name) if not _within(source.name, FREE[name].used_by)]
    assert not others, f"{name} asks no gate: {FREE[name].why}"


@pytest.mark.parametrize("name", sorted(name for name, free in FREE.items() if free.why == _SUMS))
def test_a_sum_names_nobody(name: str) -> None:
    assert not _WHO & _modules()[name].words


def test_a_gate_that_only_hands_on_asks_another() -> None:
    for gate, home in GATES.items():
        if home not in ("app.consent.policy", "app.consent.standing"):
            assert _asks(_modules()[home], tuple(GATES)), gate


@pytest.mark.parametrize(
    ("text", "reaches"),
    [
        ("from app.tables import CustomerRow", "CustomerRow"),
        ("from app.tables import CustomerRow as Harmless", "CustomerRow"),
        ("import app.tables\nrow = app.tables.EventRow", "EventRow"),
        ("from app.profiles.store import customer_key", "customer_key"),
        ("from app.tables import OrderRow\nquery = OrderRow.customer_id", "OrderRow's buyer"),
        ("from app.tables import OrderRow\nquery = table(OrderRow).c['checkout_token']", "OrderRow's buyer"),
        ("query = text('SELECT * FROM customers')", "SQL in words"),
        ("key = redis_key(shop, 'visitor', 'customer', 5)", "keys in words"),
        ("key = 'tw:{' + shop", "keys in words"),
        ("rows = SQLModel.metadata.tables", "every table"),
        ("event = kinds.BrowserEvent(shop=shop)", "BrowserEvent"),
    ],
)
def test_every_way_to_personal_data_is_noticed(text: str, reaches: str) -> None:
    assert reaches in read("a", text).reaches


@pytest.mark.parametrize(
    "text",
    [
        "from app.tables import ProductRow, OrderRow\nquery = OrderRow.created_at",
        '"""Updates what customers and events are counted in."""',
        "def react(event: BrowserEvent) -> None: ...",
    ],
)
def test_what_reaches_nobody_is_left_in_peace(text: str) -> None:
    assert not read("a", text).reaches


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("from app.consent.policy import permissions\nmay = permissions(consent)", True),
        ("from app.consent.policy import permissions", False),
        ("may = permissions(consent)", False),
        ("from app.offers.answer import permissions\nmay = permissions(consent)", False),
    ],
)
def test_only_a_call_of_the_real_gate_counts(text: str, asks: bool) -> None:
    assert _asks(read("a", text), ("permissions",)) is asks


def _asks(source: Source, gates: tuple[str, ...]) -> bool:
    """Return whether the module calls one of the gates, and the real one."""
    own = {gate for gate in gates if GATES[gate] == source.name}
    imported = {gate for gate in gates if (GATES[gate], gate) in source.imports}
    return bool((own | imported) & source.calls)


def _takes(source: Source, name: str, through: tuple[str, ...]) -> bool:
    """Return whether the module has one of these from the named one, or all of it."""
    parent, _, last = name.rpartition(".")
    whole = {(parent, last), (name, "")} & source.imports
    return bool(whole) or any((name, each) in source.imports for each in through)


def _importers(name: str) -> Iterator[Source]:
    parent, _, last = name.rpartition(".")
    for source in _modules().values():
        if (parent, last) in source.imports or name in {module for module, _ in source.imports}:
            yield source


def _within(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in allowed)
