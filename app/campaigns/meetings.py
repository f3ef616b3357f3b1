"""Each shopper's first exposure to a campaign and its outcome, computed column by column. Pure.

Worked out column by column: a month of a large shop is a million decisions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from app.campaigns.guardrails import COMPLETES_WITHIN_S, REFUNDED_WITHIN_S, Units
from app.campaigns.outcomes import MET_BEFORE, LoggedCampaigns, campaigns_from_columns
from app.campaigns.reasons import WITHHELD
from app.events.surfaces import AFTER_THE_ORDER

SHOWN, HELD_BACK, KNOWN = 1, 0, -1
_TIME = pl.Datetime("us", "UTC")
_DECIDED: dict[str, Any] = {
    "at": _TIME, "who": pl.String, "unit": pl.String, "customer_id": pl.Int64, "duration_us": pl.Int64,
    "failed": pl.Boolean, "surface": pl.String,
}  # fmt: skip
_PLACED: dict[str, Any] = {"who": pl.String, "placed_at": _TIME, "back_at": _TIME}
_COLUMNS = ("duration_us", "failed", "ordered", "given_back")


@dataclass(frozen=True, slots=True, eq=False)
class Meetings:
    """Decisions that weighed campaigns, the oldest first, and what each of the campaigns was to the shopper.

    decided: at; who: the checkout, unit: whose it was, both as hashes; customer_id, duration_us, failed,
    after_order: on a page that comes after the checkout's order; in_checkout: not in the storefront.
    how: by campaign int8 of the same length: SHOWN, HELD_BACK by chance, KNOWN where it was kept from who had
    seen it before, None where it was nothing of these.
    """

    decided: pl.DataFrame
    how: pl.DataFrame

    def without(self, customers: Collection[int]) -> Meetings:
        """Return the same without the decisions of these customers."""
        theirs = self.decided["customer_id"].is_in(list(customers)).fill_null(value=False)
        return Meetings(self.decided.filter(~theirs), self.how.filter(~theirs))


def meetings_in(rows: Iterable[tuple[Any, ...]], names: Collection[str]) -> Meetings:
    """Return the decisions in which any of the campaigns was shown, held back, or known already.

    rows: when, checkout, unit, customer, duration, whether it failed, surface, what was chosen and what left
    out. One without a checkout tells its unit.
    """
    decided, how = [], []
    for *one, chosen, left_out in rows:
        told = campaigns_from_columns(chosen, left_out)
        met = [_how_met(told, name) for name in names]
        if any(each is not None for each in met):
            decided.append(one)
            how.append(met)
    table = pl.DataFrame(decided, schema=_DECIDED, orient="row")
    after = pl.col("surface").is_in(list(AFTER_THE_ORDER)).alias("after_order")
    hashed = pl.coalesce("unit", "who").hash().alias("unit"), pl.coalesce("who", "unit").hash().alias("who")
    table = table.with_columns(after, *hashed, in_checkout=pl.col("who").is_not_null()).drop("surface")
    return Meetings(table, pl.DataFrame(how, schema=dict.fromkeys(names, pl.Int8), orient="row"))


def joined(parts: Sequence[Meetings]) -> Meetings:
    """Return the parts as one. Raises ValueError when there are none."""
    return Meetings(
        pl.concat([each.decided for each in parts], rechunk=True),
        pl.concat([each.how for each in parts], rechunk=True),
    )


def _how_met(told: LoggedCampaigns, name: str) -> int | None:
    if any(each.campaign_id == name for each in told.chosen):
        return SHOWN
    why = told.left_out.get(name)
    return HELD_BACK if why == WITHHELD else KNOWN if why in MET_BEFORE else None


def placed_in(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    """Return orders as columns. rows: the checkout, when it ordered, when something was first refunded."""
    return pl.DataFrame(list(rows), schema=_PLACED, orient="row").with_columns(pl.col("who").hash())


def units_met(
    meetings: Meetings, placed: pl.DataFrame, name: str, begin: datetime, known_from: datetime
) -> Units:
    """Return the shoppers whose first meeting with the campaign was in a checkout, since it began.

    placed: of `placed_in`. known_from: who had met it between then and the beginning is not counted. Nor is
    who met it in the storefront: who saw it there is often kept from it in the checkout, who was held back
    never is.
    """
    theirs = meetings.decided.with_columns(meetings.how[name].alias("how"))
    theirs = theirs.filter(pl.col("how").is_not_null(), pl.col("at") >= known_from)
    first = _are_first(theirs["who"].to_numpy(), theirs["unit"].to_numpy())
    met = theirs.filter(
        pl.Series(first), pl.col("how") != KNOWN, pl.col("at") >= begin, pl.col("in_checkout")
    )
    told = _with_orders(met, placed)
    at = told["at"].dt.timestamp("us").to_numpy() / 1e6
    columns = (told[column].cast(pl.Float64).to_numpy() for column in _COLUMNS)
    return Units((told["how"] == SHOWN).to_numpy(), at, *columns)


def _are_first(who: NDArray[np.uint64], unit: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return whether neither name came before. Who signs in halfway is the same shopper under both names."""
    names = np.column_stack([who, unit]).ravel()
    _, first, which = np.unique(names, return_index=True, return_inverse=True)
    came = (first // 2)[which].reshape(-1, 2).min(axis=1)
    return np.asarray(came == np.arange(len(who)))


def _with_orders(met: pl.DataFrame, placed: pl.DataFrame) -> pl.DataFrame:
    """Return each with whether it ordered in time, and whether something of that order came back in time."""
    within, back = timedelta(seconds=COMPLETES_WITHIN_S), timedelta(seconds=REFUNDED_WITHIN_S)
    orders = placed.sort("placed_at").with_columns(at=pl.col("placed_at"))
    joined = met.sort("at").join_asof(
        orders, on="at", by="who", strategy="forward", tolerance=within, check_sortedness=False
    )
    ordered = pl.col("placed_at").is_not_null() & ~pl.col("after_order")
    in_time = (pl.col("back_at") <= pl.col("placed_at") + back).fill_null(value=False)
    return joined.with_columns(ordered=ordered, given_back=ordered & in_time)
