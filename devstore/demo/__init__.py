"""Harvest Lane: a shop-sized part of a grocer's year, split in time at now.

What came before the split is the shop's past, there for a backfill; what came after waits in
shop.upcoming to be replayed as live orders. devstore/README.md says what is real and what is not.
"""

from datetime import datetime, timedelta

import polars as pl

from devstore.demo import catalogue, choose, coupons, people
from devstore.demo.orders import orders, taken_by_code
from devstore.demo.rfm_groups import rfm_groups
from devstore.demo.source import MissingData, Source, installed
from devstore.markets import Market
from devstore.shop import Shop

__all__ = ["DOMAIN", "MissingData", "build"]

DOMAIN = "harvest-lane.myshopify.com"
MARKETS = (  # invented
    Market(frozenset({"CA"}), "CAD", rate=1.4),
    Market(frozenset({"EC"}), "USD", adjustment_percent=8),
    Market(frozenset({"JP"}), "JPY", rate=150),
    Market(frozenset({"KW"}), "KWD", rate=0.31),
)
MAILER_WEEK = 51  # the last whole week of the data that a mailer was printed for


def build(
    now: datetime,
    *,
    households: int = 400,
    products: int = 1000,
    base_url: str = "",
    source: Source | None = None,
    split: datetime | None = None,
) -> Shop:
    """Return the demo shop as of now. The same now builds the same shop. Raises MissingData.

    split: the moment of the retailer's time that is now, without it one of the same weekday and time of day.
    """
    source = source or installed()
    sold = source.transactions()
    theirs = sold.filter(pl.col("household_id").is_in(choose.households(sold, households)))
    rows = choose.products(theirs, source.products(), products)
    lines = choose.lines(theirs, theirs["household_id"].unique().to_list(), rows["product_id"].to_list())
    shift = choose.shift_to(now, sold["transaction_timestamp"].max(), split)  # type: ignore[arg-type]
    return _fill(_shop(now), source, rows, lines, shift, base_url)


def _shop(now: datetime) -> Shop:
    return Shop(DOMAIN, "Harvest Lane", "USD", now - timedelta(days=365), markets=MARKETS)


def _fill(
    shop: Shop, source: Source, rows: pl.DataFrame, lines: pl.DataFrame, shift: choose.Shift, base_url: str
) -> Shop:
    now = shift.ours(shift.split)
    shown = source.in_mailer(MAILER_WEEK)
    for product in catalogue.products(rows, choose.prices(lines), shop.created_at, base_url, shown):
        shop.add_product(product)
    for collection in catalogue.collections(shop.products.values(), shop.created_at):
        shop.add_collection(collection)
    made = list(orders(lines, shop.products, coupons.redeemed(source, lines), shift))
    first_seen = {order.customer_id: order.created_at for order in reversed(made) if order.customer_id}
    for customer in people.customers(first_seen, source.mailed(), rfm_groups(made, now), now):
        shop.add_customer(customer)
    _add_discounts(shop, source, taken_by_code(made), lines, shown, shift)
    for order in made:
        if order.created_at < now:
            shop.place(order)
        else:
            shop.upcoming.append(order)
    return shop


def _add_discounts(
    shop: Shop,
    source: Source,
    taken: dict[str, list[int]],
    lines: pl.DataFrame,
    shown: set[int],
    shift: choose.Shift,
) -> None:
    now = shift.ours(shift.split)
    shop.add_discount(coupons.paper(shop.created_at, now, taken.get(coupons.PAPER, [])))
    if week := coupons.mailer(lines, shown, MAILER_WEEK, now):
        shop.add_discount(week)
    for discount in coupons.discounts(source, taken, shop.products, shift):
        shop.add_discount(discount)
