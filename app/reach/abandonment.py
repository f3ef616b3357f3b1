"""Whether a checkout went silent: the same for any order and number of deliveries. Pure.

Silence is measured by our clock, from when what happened last was written down: a browser whose clock is
ahead, or behind, neither hastens it nor puts it off. The sender's clock only says what came before what,
and is never believed to be ahead of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.profiles.signals import STEPS, cart_value
from app.profiles.visit import PAGE_LEFT

# Two senders' clocks may differ so much: what is told as older than that came before.
CLOCKS_DIFFER = timedelta(minutes=2)
MOST_LINES = 100  # a link of more is longer than every mail program and browser takes
_TOLD, _DROPPED, _COMPLETED = "CheckoutUpdated", "CheckoutDeleted", STEPS[-1]
DONE = frozenset({_COMPLETED, _DROPPED})
LEAVING = (PAGE_LEFT, _DROPPED)  # is no coming back


class CheckoutActivity(NamedTuple):
    """One event of a checkout or browser. happened_at: the sender's clock, recorded_at: ours."""

    event_id: str
    name: str
    happened_at: datetime
    recorded_at: datetime
    client_id: str | None
    customer_id: int | None
    data: dict[str, Any]

    @property
    def at(self) -> datetime:
        """Return when it happened, as far as that can be: nothing happens after it was written down."""
        return min(self.happened_at, self.recorded_at)


@dataclass(frozen=True, slots=True)
class SilenceThresholds:
    """The silence after which a checkout is abandoned. left: once the page was left; idle: otherwise."""

    idle: timedelta = timedelta(minutes=30)
    left: timedelta = timedelta(minutes=10)

    @property
    def shortest(self) -> timedelta:
        """Return the silence below which nothing is abandoned."""
        return min(self.idle, self.left)


@dataclass(frozen=True, slots=True)
class Silence:
    """A checkout without activity. customer_id: from Shopify. lines: variant and quantity, as last known.

    lines is empty where a link could not restore all of them.
    """

    began_at: datetime
    last_at: datetime
    since: datetime
    left: bool
    client_id: str | None
    customer_id: int | None
    currency: str
    subtotal_minor: int
    lines: tuple[tuple[int, int], ...]

    def is_over(self, wait: SilenceThresholds, now: datetime) -> bool:
        """Return whether it lasted long enough to count as abandoned."""
        return now - self.since >= (wait.left if self.left else wait.idle)


def checkout_silence(events: Iterable[CheckoutActivity]) -> Silence | None:
    """Return the checkout's silence, None for one that is completed or never held anything.

    events: of the checkout, and of the browsers it was seen in.
    """
    known = _in_order(events)
    told = [each for each in known if each.name == _TOLD]
    if any(each.name in DONE or each.data.get("completed") is True for each in known):
        return None
    steps = [each for each in known if each.name == _TOLD or each.name in STEPS]
    if not steps:
        return None
    currency, minor, lines = _basket(told[-1].data) if told else _seen_worth(known)
    if not minor and not lines:
        return None
    named = [each.customer_id for each in told if each.customer_id is not None]
    return _silence(known, steps[0].at, named[-1] if named else None, currency, minor, lines)


def returned(last_at: datetime, at: datetime) -> bool:
    """Return whether what happened then, and is not LEAVING, came after the silence began."""
    return at > last_at + CLOCKS_DIFFER


def _in_order(events: Iterable[CheckoutActivity]) -> list[CheckoutActivity]:
    once = {each.event_id: each for each in events}
    return sorted(once.values(), key=lambda each: (each.at, each.event_id))


def _silence(
    known: Sequence[CheckoutActivity], began_at: datetime, customer_id: int | None, currency: str, minor: int,
    lines: tuple[tuple[int, int], ...],
) -> Silence:  # fmt: skip
    browsed = [each for each in known if each.client_id is not None]
    return Silence(
        began_at=began_at,
        last_at=known[-1].at,
        since=max(each.recorded_at for each in known),
        left=bool(browsed) and browsed[-1].name == PAGE_LEFT,
        client_id=browsed[-1].client_id if browsed else None,
        customer_id=customer_id,
        currency=currency,
        subtotal_minor=minor,
        lines=lines,
    )


def _basket(data: dict[str, Any]) -> tuple[str, int, tuple[tuple[int, int], ...]]:
    lines = [
        (int(line["variant_id"]), int(line["quantity"]))
        for line in data.get("lines") or ()
        if line.get("variant_id") and line.get("quantity")
    ]
    whole = tuple(lines) if len(lines) <= MOST_LINES else ()
    return str(data.get("currency") or ""), int(data.get("subtotal_minor") or 0), whole


def _seen_worth(known: Sequence[CheckoutActivity]) -> tuple[str, int, tuple[tuple[int, int], ...]]:
    """Return what the browser last said the cart was worth; it does not say which variants."""
    value = cart_value([(each.name, each.data) for each in known])
    return (value.currency, value.minor, ()) if value else ("", 0, ())
