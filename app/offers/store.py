"""Writes down what was offered and what became of it; a repeat changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.connections import Connections
from app.events.kinds import BrowserEvent, DecisionMade
from app.tables import DecisionRow, FeedbackRow
from app.upsert import insert_new

_FEEDBACK = "tillwise:offer_"
_KINDS = frozenset({"shown", "accepted", "failed", "dismissed"})
_LONGEST_ID = 64


async def record_decisions(connections: Connections, events: Sequence[DecisionMade]) -> None:
    """Keep the decisions, in one transaction."""
    async with connections.write() as db:
        await insert_new(db, DecisionRow, [_row(event) for event in events])


async def record_feedback(connections: Connections, event: BrowserEvent) -> None:
    """Keep what the browser said became of an offer; anything else it says is not for here."""
    kind = event.name.removeprefix(_FEEDBACK)
    decision_id, offer_id = event.data.get("decision_id"), event.data.get("offer_id")
    if kind == event.name or kind not in _KINDS or not (_is_id(decision_id) and _is_id(offer_id)):
        return
    row: dict[str, Any] = {
        "shop": event.shop,
        "event_id": event.event_id,
        "decision_id": decision_id,
        "offer_id": offer_id,
        "kind": kind,
        "happened_at": event.happened_at,
    }
    async with connections.write() as db:
        await insert_new(db, FeedbackRow, [row])


def _row(event: DecisionMade) -> dict[str, Any]:
    return {
        "shop": event.shop,
        "decision_id": event.event_id,
        "decided_at": event.happened_at,
        "surface": event.surface,
        "rung": event.rung,
        "arm": event.arm,
        "fallback": event.fallback,
        "model_version": event.model_version,
        "checkout_token": event.checkout_token,
        "customer_id": event.customer_id,
        "permitted": list(event.permitted),
        "region": event.region,
        "duration_us": event.duration_us,
        "inputs": event.inputs,
        "answer": event.answer,
    }


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable()
