"""What is counted while the app runs, for Prometheus."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

DECISIONS = Counter(
    "tillwise_decisions_total",
    "Answers to checkouts, by the experiment's arm, the consent rung and why an answer was less",
    ["arm", "rung", "fallback"],
)
DECISION_SECONDS = Histogram(
    "tillwise_decision_seconds",
    "From the request's body to the answer",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)

DELIVERIES = Counter(
    "tillwise_deliveries_total",
    "Shopify's deliveries by what became of them at the door: stored, not_authentic, not_stored",
    ["outcome"],
)
OTHER_API_VERSION = Counter(
    "tillwise_other_api_version_total",
    "Shopify's answers and deliveries in another version of its API than is asked for",
    ["of"],
)
EVENTS = Counter(
    "tillwise_browser_events_total",
    "Events of browsers: accepted, duplicate, rejected, without_consent; not_kept counts whole batches",
    ["outcome"],
)
TURNED_AWAY = Counter(
    "tillwise_turned_away_total",
    "Calls beyond a limit, by door and by whose limit it was: shop, visitor, forger, codes for guests",
    ["door", "whose"],
)
RANKINGS = Gauge(
    "tillwise_rankings", "Rankings since the start: asked for, and found among those that are kept", ["which"]
)
# The stores' own state, read when it is asked for: the same whichever process answers.
INBOX_ROWS = Gauge("tillwise_inbox_rows", "Shopify's deliveries in the inbox", ["status"])
INBOX_DUE = Gauge(
    "tillwise_inbox_due_seconds", "For how long the delivery that is due first has waited to be worked off"
)
LOG_UNHANDLED = Gauge("tillwise_event_log_unhandled", "Events that wait to be handled, or are in hand")
LOG_UNSENT = Gauge(
    "tillwise_event_log_unsent", "Events in Redis that wait for the broker, where there is one"
)
DEAD_LETTERS = Gauge("tillwise_dead_letters", "Events that were put aside")
REACHABLE = Gauge("tillwise_reachable", "1 when it answers this process, else 0", ["part"])

# What alerts go by is told before it first happens: that it never did is to be seen, and its first time too.
for counter, firsts in {
    DELIVERIES: ("stored", "not_authentic", "not_stored"),
    EVENTS: ("not_kept",),
    OTHER_API_VERSION: ("answer", "delivery"),
}.items():
    for first in firsts:
        counter.labels(first)


def count_decision(arm: str, rung: str, fallback: str | None, duration_ns: int) -> None:
    """Count one answer and how long it took."""
    _decisions(arm, rung, fallback or "none").inc()
    DECISION_SECONDS.observe(duration_ns / 1e9)


@cache  # a counter is kept for each of these combinations all the same
def _decisions(arm: str, rung: str, fallback: str) -> Counter:
    return DECISIONS.labels(arm, rung, fallback)
