"""Which part of the retailer's year the demo shop is made of, and how its time is shifted."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

REGULAR_WEEKS = 30  # a household bought something in so many of the 53 weeks
MOST_BASKETS = 150  # and is a family rather than a shop of its own
LIVE_DAYS = 14
LEFT_OUT = ("FUEL", "MISCELLANEOUS", "COUPON", "POSTAL CENTER", "CHARITABLE CONT", "SPIRITS", "KIOSK-GAS")


@dataclass(frozen=True, slots=True)
class Shift:
    """How the retailer's clock becomes ours."""

    split: datetime  # in the retailer's time: history is before it, live orders from it on
    by: timedelta

    def ours(self, theirs: datetime) -> datetime:
        return theirs.replace(tzinfo=UTC) + self.by


def shift_to(now: datetime, last: datetime, split: datetime | None = None) -> Shift:
    """Return the shift that makes now the split.

    Without one it is by whole weeks, to 14 to 20 days before the last order.
    """
    now = now.astimezone(UTC)
    if split is None:
        split = _same_time_of_week(now, last)
    return Shift(split, now - split.replace(tzinfo=UTC))


def _same_time_of_week(now: datetime, last: datetime) -> datetime:
    day = last.date() - timedelta(days=LIVE_DAYS)
    day -= timedelta(days=(day.weekday() - now.date().weekday()) % 7)
    return datetime.combine(day, now.time())


def households(transactions: pl.DataFrame, wanted: int) -> list[int]:
    """Return the ids of regular households, evenly spread over all that are."""
    regular = (
        transactions.group_by("household_id")
        .agg(pl.col("week").n_unique().alias("weeks"), pl.col("basket_id").n_unique().alias("baskets"))
        .filter((pl.col("weeks") >= REGULAR_WEEKS) & (pl.col("baskets") <= MOST_BASKETS))["household_id"]
        .sort()
        .to_list()
    )
    step = max(1.0, len(regular) / wanted) if wanted else 1.0
    return [regular[int(i * step)] for i in range(min(wanted, len(regular)))]


def products(transactions: pl.DataFrame, described: pl.DataFrame, wanted: int) -> pl.DataFrame:
    """Return the best sellers by baskets, described, best first: department, category, type, size, brand."""
    known = described.drop_nulls(["product_type", "product_category", "department"]).filter(
        ~pl.col("department").is_in(LEFT_OUT) & ~pl.col("product_category").str.contains("COUPON|FUEL")
    )
    sold = transactions.group_by("product_id").agg(
        pl.col("basket_id").n_unique().alias("baskets"),
        pl.col("quantity").sum().alias("units"),
    )
    return (
        known.join(sold, on="product_id")
        .sort(["baskets", "product_id"], descending=[True, False])
        .head(wanted)
    )


def prices(lines: pl.DataFrame) -> dict[int, int]:
    """Return each product's price in cents: the median of what a unit was sold for, latest 12 weeks first."""
    priced = (
        lines.sort("transaction_timestamp")
        .group_by("product_id")
        .agg(pl.col("unit_price").tail(40).median().alias("price"))
    )
    return {row["product_id"]: max(1, round(row["price"] * 100)) for row in priced.iter_rows(named=True)}


def lines(transactions: pl.DataFrame, household_ids: list[int], product_ids: list[int]) -> pl.DataFrame:
    """Return one row a basket and product, in order of time, with unit_price and coupon in dollars.

    What the household paid a unit is the sales value and what the retailer matched, as the data's
    own documentation says; the coupon is what household's and retailer's coupons took off.
    """
    chosen = transactions.filter(
        pl.col("household_id").is_in(household_ids) & pl.col("product_id").is_in(product_ids)
    )
    summed = chosen.group_by("basket_id", "product_id").agg(
        pl.col("household_id").first(),
        pl.col("transaction_timestamp").min(),
        pl.col("quantity").sum(),
        (pl.col("sales_value") + pl.col("coupon_match_disc")).sum().alias("paid"),
        (pl.col("coupon_disc") + pl.col("coupon_match_disc")).sum().alias("coupon"),
        pl.col("retail_disc").sum(),
    )
    start = pl.col("transaction_timestamp").min().over("basket_id").alias("bought_at")
    return summed.with_columns((pl.col("paid") / pl.col("quantity")).alias("unit_price"), start).sort(
        "bought_at", "basket_id", "product_id"
    )
