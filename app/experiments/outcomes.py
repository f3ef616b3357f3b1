"""What each person did within the window after their first exposure. Pure: the same rows, the same units.

Worked out column by column: a million exposures are as many rows of a table, and no objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from app.experiments.linking import persons
from app.experiments.records import Records
from app.experiments.units import Units

# Shopify's clock and ours may differ so much; a checkout's order can't be older than the checkout.
CLOCKS_DIFFER = timedelta(minutes=2)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = ("at", "after", "customer_id", "checkout_token")
_SUMS = ("bought", "orders", "revenue", "cost", "placed", "given_back", "before", "foreign", "late_minor")
_COLUMNS = ("bought", "orders", "revenue", "profit", "placed", "given_back", "accepted", "before")


@dataclass(frozen=True, slots=True)
class DataQuality:
    """Counts of what is left out of the figures, or is in them differently than one might think.

    open: persons still within their window. crossed: persons in two arms, analysed in the first. from_ahead:
    exposures and orders of a time still to come. foreign: orders in another currency. late_minor: given
    back, or cancelled, after the window. cut_short: persons in the figures whose window went on after the
    experiment had ended. unserved: persons who were shown the shop as it is for an arm that could not be
    served; they count in their arm.
    """

    open: int = 0
    crossed: int = 0
    from_ahead: int = 0
    foreign: int = 0
    late_minor: int = 0
    unserved: int = 0
    cut_short: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """The units to analyse. counts: persons per arm, including those still within their window.

    recognised: how many of them came under a second name, such as a customer's after a browser's, before
    any order: whoever orders is met once more, and that is an outcome. began: when the first of them came.
    vouched: of how many Shopify signed for the checkout or the customer when they first came. Which page that
    was on no arm has touched.
    """

    units: Units
    counts: tuple[int, ...]
    aside: DataQuality
    recognised: tuple[int, ...] = ()
    began: datetime | None = None
    vouched: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AnalysisScope:
    """Whose outcomes are analysed, over which window, as of `now`. begin: first exposed then or later.

    ended: when the experiment did, None while it runs. untouched: until when no arm can have moved what was
    spent, None where no exposure came before those that are read. vouched: only who is, see `Observations`.
    """

    arms: Sequence[str]
    window: timedelta
    before: timedelta
    now: datetime
    begin: datetime | None = None
    ended: datetime | None = None
    untouched: datetime | None = None
    vouched: bool = False


def observe(told: Records, scope: AnalysisScope) -> Observations:
    """Return what the persons whose window is over did in it, in the order of their first exposures."""
    late = scope.now + CLOCKS_DIFFER
    ours, ahead = told.orders.filter(pl.col("at") <= late), pl.col("at") > late
    exposures = _timely(_as_guests(told.exposures, told.guests), scope, late)
    theirs = _of_persons(exposures, ours, told.guests)
    people = _people(exposures, theirs, scope)
    rows = _rows(theirs.join(_firsts(people), on="person", how="inner"), told.refunds, scope)
    done = people.filter("done").join(rows, on="person", how="left", maintain_order="left")
    done = done.with_columns(pl.col(_SUMS).fill_null(0), pl.col("unknown").fill_null(value=False))
    aside = DataQuality(
        open=len(people) - len(done),
        crossed=int(people["crossed"].sum()),
        from_ahead=len(told.exposures.filter(ahead)) + len(told.orders.filter(ahead)),
        foreign=int(done["foreign"].sum()),
        late_minor=int(done["late_minor"].sum()),
        unserved=int(people["unserved"].sum()),
        cut_short=0 if scope.ended is None else len(done.filter(pl.col("end") > scope.ended)),
    )
    began = people["at"].min()
    assert began is None or isinstance(began, datetime)
    counts = (_counts(of, scope) for of in (people, people.filter("recognised"), people.filter("vouched")))
    everybody, recognised, vouched = counts
    return Observations(_units(done), everybody, aside, recognised, began, vouched)


def _as_guests(exposures: pl.DataFrame, guests: pl.DataFrame) -> pl.DataFrame:
    """Return the exposures with those of a checkout by itself as its browser's, where that is known.

    That is no second name of theirs: which of the two a checkout knew was no doing of an arm.
    """
    whose = guests.select(unit="own", browser="unit")
    named = exposures.join(whose, on="unit", how="left", maintain_order="left")
    return named.with_columns(unit=pl.coalesce("browser", "unit")).drop("browser")


def _timely(exposures: pl.DataFrame, scope: AnalysisScope, late: datetime) -> pl.DataFrame:
    """Return the exposures of the version's arms until now, the first one first, each with its person."""
    places = {arm: place for place, arm in enumerate(scope.arms)}
    ordered = (
        exposures.filter(pl.col("at") <= late, pl.col("arm").is_in(list(places)))
        .with_columns(pl.col("arm").replace_strict(places, return_dtype=pl.Int64))
        .sort("at", "decision_id")
        .drop("decision_id")
    )
    return ordered.with_columns(person=pl.Series(persons(ordered), dtype=pl.Int64))


def _people(exposures: pl.DataFrame, theirs: pl.DataFrame, scope: AnalysisScope) -> pl.DataFrame:
    """Return a row a person: what their first exposure was, and what followed it. theirs: their orders."""
    person, arm = exposures["person"].to_numpy(), exposures["arm"].to_numpy()
    _, first = np.unique(person, return_index=True)
    at = exposures["at"].to_physical().to_numpy()
    within = exposures["accepted"].to_numpy() & (at - at[first][person] < scope.window // _MICROSECOND)
    unserved = exposures["unserved"].to_numpy()
    names = _before_orders(exposures, theirs).select("person", "unit").unique()["person"].to_numpy()
    people = exposures[first].with_columns(
        crossed=pl.Series(np.bincount(person, arm != arm[first][person]) > 0, dtype=pl.Boolean),
        accepted=pl.Series(np.bincount(person, within) > 0, dtype=pl.Boolean),
        unserved=pl.Series(np.bincount(person, unserved) > 0, dtype=pl.Boolean),
        recognised=pl.Series(np.bincount(names, minlength=len(first)) > 1, dtype=pl.Boolean),
        end=pl.col("at") + scope.window,
        done=pl.col("at") + scope.window <= scope.now,
    )
    wanted = pl.lit(value=True) if scope.begin is None else pl.col("at") >= scope.begin
    return people.filter(wanted & pl.col("vouched") if scope.vouched else wanted)


def _before_orders(exposures: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Return the exposures before their persons ordered for the first time since they came."""
    came = exposures.group_by("person").agg(came=pl.col("at").min())
    since = pl.col("at") >= pl.col("came") - CLOCKS_DIFFER
    bought = theirs.join(came, on="person").filter(since).group_by("person").agg(bought=pl.col("at").min())
    in_time = (pl.col("at") <= pl.col("bought")).fill_null(value=True)
    return exposures.join(bought, on="person", how="left").filter(~pl.col("after") & in_time)


def _of_persons(exposures: pl.DataFrame, orders: pl.DataFrame, guests: pl.DataFrame) -> pl.DataFrame:
    """Return the orders of persons, each with whose it is.

    An order is of the person whose checkout it came from, or whose browser that was in where nothing was
    decided there, else of the one whose account it was.
    """
    found = orders
    browsers = guests.join(exposures.select("unit", "person").unique("unit"), on="unit")
    for name in ("checkout_token", "customer_id"):
        met = [exposures, browsers] if name == "checkout_token" else [exposures]
        told = pl.concat([each.select(name, "person") for each in met])
        whose = told.drop_nulls().unique(name, keep="first", maintain_order=True)
        found = found.join(whose.rename({"person": f"by_{name}"}), on=name, how="left")
    return found.with_columns(person=pl.coalesce("by_checkout_token", "by_customer_id")).drop_nulls("person")


def _firsts(people: pl.DataFrame) -> pl.DataFrame:
    """Return of persons whose window is over when that was, and their first exposures."""
    return people.filter("done").select("person", "end", pl.col(_FIRST).name.prefix("first_"))


def _rows(orders: pl.DataFrame, refunds: pl.DataFrame, scope: AnalysisScope) -> pl.DataFrame:
    """Return a row a person with orders: the sums of what they did."""
    placed, standing = pl.col("placed"), pl.col("placed") & ~pl.col("cancelled")
    goods = standing & pl.col("minor").is_not_null()
    counted = _with_refunds(_dated(orders, scope), refunds, scope).select(
        "person",
        "placed",
        bought=standing,
        orders=goods,
        revenue=placed * pl.col("kept_end"),
        cost=goods * (pl.col("cost_minor").fill_null(0) - pl.col("back_cost")).clip(lower_bound=0),
        unknown=goods & pl.col("cost_minor").is_null(),
        given_back=placed & (pl.col("cancelled") | pl.col("refunded")),
        before=pl.col("earlier") * pl.col("kept_first"),
        foreign=placed & pl.col("foreign"),
        late_minor=placed * (pl.col("kept_end") - pl.col("kept_now")),
    )
    return counted.group_by("person").agg(pl.col(_SUMS).sum(), pl.col("unknown").any())


def _dated(orders: pl.DataFrame, scope: AnalysisScope) -> pl.DataFrame:
    """Return the orders with whether they count: placed in the window, or before the first exposure.

    What was spent before is of the customer who was known at the first exposure: who becomes known later
    became so by what they did in their arm, and an adjustment for that would take a part of the effect away.
    So would one for what was spent in the same arm before an exposure that is not read, see `AnalysisScope`.
    What was spent in the currency that the shop had before is no amount in this one.
    """
    at, first, after = pl.col("at"), pl.col("first_at"), pl.col("first_after")
    same = (pl.col("checkout_token") == pl.col("first_checkout_token")).fill_null(value=False)
    # Shopify shows the page after an order before it has made the order.
    began = pl.when(same).then(~after & (at >= first - CLOCKS_DIFFER)).otherwise(at >= first)
    of_customer = (pl.col("customer_id") == pl.col("first_customer_id")).fill_null(value=False)
    untouched = pl.lit(value=True) if scope.untouched is None else at < scope.untouched
    return orders.with_columns(
        placed=began & (at < pl.col("end")),
        cancelled=(pl.col("cancelled_at") < pl.col("end")).fill_null(value=False),
        earlier=of_customer
        & untouched
        & ~pl.col("foreign")
        & (at >= first - scope.before)
        & (at < first - CLOCKS_DIFFER),
    )


def _with_refunds(orders: pl.DataFrame, refunds: pl.DataFrame, scope: AnalysisScope) -> pl.DataFrame:
    """Return the orders with what the shop had of each at the first exposure, at the end, and now.

    back_cost: of the goods that came back until the end, as in Shopify's own reports of profit.
    """
    moments = {"first": pl.col("first_at"), "end": pl.col("end"), "now": pl.lit(scope.now)}
    of = refunds.join(orders.select("order_id", "first_at", "end"), on="order_id").select(
        "order_id",
        refunded=pl.col("at") < pl.col("end"),
        back_cost=(pl.col("at") < pl.col("end")) * pl.col("cost_minor").fill_null(0),
        **{f"back_{name}": (pl.col("at") < at) * pl.col("minor") for name, at in moments.items()},
    )
    back = of.group_by("order_id").agg(
        pl.col("^back_.*$").sum().clip(lower_bound=0), pl.col("refunded").any()
    )
    joined = orders.join(back, on="order_id", how="left").with_columns(
        pl.col("refunded").fill_null(value=False), pl.col("^back_.*$").fill_null(0)
    )

    def kept(name: str, at: pl.Expr) -> pl.Expr:
        gone = (pl.col("cancelled_at") < at).fill_null(value=False)
        left = (pl.col("minor") - pl.col(f"back_{name}")).clip(lower_bound=0)
        return pl.when(gone).then(0).otherwise(left).alias(f"kept_{name}")

    return joined.with_columns(kept(name, at) for name, at in moments.items())


def _units(done: pl.DataFrame) -> Units:
    cost = pl.when("unknown").then(float("nan")).otherwise(pl.col("cost"))
    columns = done.with_columns(bought=pl.col("bought") > 0, profit=pl.col("revenue") - cost)
    return Units(done["arm"].to_numpy(), *(_floats(columns[name]) for name in _COLUMNS))


def _floats(column: pl.Series) -> NDArray[np.float64]:
    return column.cast(pl.Float64).to_numpy()


def _counts(people: pl.DataFrame, scope: AnalysisScope) -> tuple[int, ...]:
    return tuple(np.bincount(people["arm"].to_numpy(), minlength=len(scope.arms)).tolist())
