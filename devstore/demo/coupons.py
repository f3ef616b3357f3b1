"""The retailer's campaigns and coupons as discount codes, worth what they really took off."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from statistics import median

import polars as pl

from devstore.demo.choose import Shift
from devstore.demo.source import Source
from devstore.records import Discount

PAPER = "PAPER-COUPON"  # the data says what it took off, not which coupon it was
PAPER_ID = 1
MAILER_ID = 2
Redeemed = Mapping[tuple[int, int, object], str]  # (household, product, day) -> code


def code_of(campaign_id: int, coupon_upc: int) -> str:
    return f"C{campaign_id}-{coupon_upc}"


def redeemed(source: Source, lines: pl.DataFrame) -> Redeemed:
    """Return which code a household used on a day for a product, of those in the lines."""
    bought = lines.filter(pl.col("coupon") > 0).select(
        "household_id", "product_id", pl.col("bought_at").dt.date().alias("day")
    )
    matched = (
        source.redemptions()
        .join(source.coupons(), on=["coupon_upc", "campaign_id"])
        .with_columns(pl.col("redemption_date").dt.date().alias("day"))
    )
    used = matched.join(bought, on=["household_id", "product_id", "day"], how="semi").sort(
        "campaign_id", "coupon_upc", "product_id", "household_id"
    )
    return {
        (row["household_id"], row["product_id"], row["day"]): code_of(row["campaign_id"], row["coupon_upc"])
        for row in used.iter_rows(named=True)
    }


def discounts(
    source: Source, taken: Mapping[str, list[int]], product_ids: Iterable[int], shift: Shift
) -> list[Discount]:
    """Return a discount for every coupon that was used here, worth the median of what it took off."""
    sold = source.coupons().filter(pl.col("product_id").is_in(list(product_ids)))
    campaigns = {row["campaign_id"]: row for row in source.campaigns().iter_rows(named=True)}
    made = []
    covers = sold.group_by("campaign_id", "coupon_upc").agg("product_id").sort("campaign_id", "coupon_upc")
    for place, (campaign_id, coupon_upc, covered) in enumerate(covers.iter_rows(), start=MAILER_ID + 1):
        code = code_of(campaign_id, coupon_upc)
        if code in taken:
            dates = campaigns[campaign_id]
            made.append(
                Discount(
                    place,
                    f"Campaign {campaign_id}, coupon {coupon_upc}",
                    shift.ours(dates["start_date"]),
                    {code: 0},
                    amount_minor=round(median(taken[code])),
                    ends_at=shift.ours(dates["end_date"]) + timedelta(days=1),
                    product_ids=frozenset(covered),
                    once_per_customer=True,
                )
            )
    return made


def paper(since: datetime, until: datetime, taken: list[int]) -> Discount:
    """Return the discount that stands for coupons the data does not name; it is no longer open."""
    return Discount(
        PAPER_ID,
        "Paper coupons of the retailer's data",
        since,
        {PAPER: 0},
        ends_at=until,
        amount_minor=round(median(taken)) if taken else 0,
    )


def mailer(lines: pl.DataFrame, shown: set[int], week: int, now: datetime) -> Discount | None:
    """Return a week's mailer as an open code: what the loyalty card took off its products."""
    cut = lines.filter(pl.col("product_id").is_in(list(shown)))
    paid, off = float(cut["paid"].sum()), float(cut["retail_disc"].sum())
    if not off:
        return None
    sold = frozenset(cut["product_id"].to_list())
    return Discount(
        MAILER_ID,
        f"Mailer of week {week}",
        now - timedelta(days=1),
        {f"MAILER{week}": 0},
        percentage=round(100 * off / (paid + off), 1),
        ends_at=now + timedelta(days=28),
        product_ids=sold,
    )
