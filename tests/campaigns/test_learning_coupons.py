"""What a coupon changes is learnt from whom it was kept from."""

from typing import Any

import msgspec
import numpy as np
import pytest

from app.campaigns.campaign import Campaign
from app.campaigns.learning import learn_uplift
from app.campaigns.outcomes import (
    CampaignDecision,
    Drawn,
    LoggedCampaigns,
    LoggedInputs,
    Ordered,
)
from app.intent.prior import PRIOR
from benchmarks.shop_with_truth import deciders, features
from tests.campaigns.factories import TEN_PERCENT, a_campaign

ROW = [0.0] * len(PRIOR.features)


def coupon(**changes: Any) -> Campaign:
    return a_campaign("ten", **({"offer": TEN_PERCENT, "holdout": 0.5} | changes))


@pytest.mark.parametrize("choice", [None, "coupons"])
def test_what_a_coupon_changes_is_learnt_from_its_holdout(choice: str | None) -> None:
    random = np.random.default_rng(1)
    of = deciders(6_000, random)
    shown = random.random(len(of)) < 0.5
    was: dict[bool, Any] = {True: ((Drawn("ten", 1.0),), {}), False: ((), {"ten": "withheld"})}
    bought = random.random(len(of)) < np.where(shown, of.buys_with_coupon, of.buys)
    log = [
        CampaignDecision(
            f"d{at}", at, f"t{at}", LoggedCampaigns(*was[bool(shown[at])], LoggedInputs(tuple(row)))
        )
        for at, row in enumerate(features(of).tolist())
    ]
    orders = {f"t{at}": [Ordered(at + 60, 500)] for at in np.flatnonzero(bought).tolist()}
    models, reports = learn_uplift(log, orders, [coupon(choice=choice)], 10 * 86_400)
    (model,) = models
    truth = (of.buys_with_coupon - of.buys).mean()
    report = reports["ten"]
    assert report["average"]["low"] <= truth <= report["average"]["high"]
    assert model.exposures == report["exposures"] == 6_000
    assert report["bought_anyway"]["low"] <= of.buys.mean() <= report["bought_anyway"]["high"]
    assert report["bought_anyway"]["says"].startswith(
        f"Of {report['bought_anyway']['of']} shoppers who matched"
    )
    assert msgspec.json.encode(reports)


def test_a_holdout_that_was_made_smaller_before_the_season_is_not_taken_for_an_effect() -> None:
    # Half are held back while one in ten buys, one in ten while three in ten do: the coupon adds nothing.
    random = np.random.default_rng(0)
    log, orders = [], {}
    for week, held, buys in ((0, 0.5, 0.1), (6, 0.1, 0.3)):
        for at in range(4_000):
            when, who = week * 7 * 86_400 + at * 60, f"t{week}-{at}"
            chosen = () if random.random() < held else (Drawn("ten", 1.0),)
            left_out = {} if chosen else {"ten": "withheld"}
            log.append(
                CampaignDecision(who, when, who, LoggedCampaigns(chosen, left_out, LoggedInputs(tuple(ROW))))
            )
            if random.random() < buys:
                orders[who] = [Ordered(when + 60, 500)]
    _, reports = learn_uplift(log, orders, [coupon(holdout=0.1)], 100 * 86_400)
    average = reports["ten"]["average"]
    assert average["low"] <= 0 <= average["high"]


@pytest.mark.parametrize(("caps", "counted"), [({"per_visitor": 1}, 2), ({}, 3)])
def test_who_met_a_capped_coupon_long_ago_is_not_counted_among_those_held_back(
    caps: dict[str, int], counted: int
) -> None:
    day, told = 86_400, LoggedCampaigns((), {"ten": "withheld"}, LoggedInputs(tuple(ROW)), "anna")
    log = [CampaignDecision(f"{at}", at * day, f"t{at}", told) for at in (10, 120)]
    log.append(CampaignDecision("b", 121 * day, "b", msgspec.structs.replace(told, unit="bert")))
    log.append(
        CampaignDecision(
            "c", 121 * day, "c", LoggedCampaigns((Drawn("ten", 1.0),), {}, LoggedInputs(tuple(ROW)), "carl")
        )
    )
    ever = {"kind": "coupon", "discount": {"percentage": 10, "with_code": False}}
    _, reports = learn_uplift(log, {}, [coupon(caps=caps, offer=ever)], 180 * day)
    assert reports["ten"]["exposures"] == counted


def test_a_coupon_that_nobody_was_shown_is_left_to_its_rule() -> None:
    models, reports = learn_uplift([], {}, [coupon()], 0.0)
    assert models == []
    assert reports["ten"]["basis"] == "rule"
    assert reports["ten"]["bought_anyway"]["share"] is None
