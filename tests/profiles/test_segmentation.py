from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from app.profiles.behaviour import Behaviour, matrix
from app.profiles.classifier_training import AT_RISK, LOYAL
from app.profiles.purchases import DAY_S, Purchase, Purchases, clean, history_of
from app.profiles.rfm import measure, score
from app.profiles.rfm_segments import segment
from app.profiles.segmentation import (
    Segmentation,
    memberships,
    probabilities,
    scores_of,
    spend_ahead,
    standing_of,
)
from app.profiles.segmentation_training import Training, train_shop
from app.profiles.thresholds import Rules, read_rules
from benchmarks.histories import complete_journey, last_moment
from benchmarks.shoppers import TYPICAL, three_groups
from tests.profiles.histories import a_shop
from tests.profiles.purchase_factories import NOW_S, Row, orders_of

RULES = read_rules(
    [
        {
            "name": "frequent",
            "conditions": [{"measure": "orders", "compare": "more_than", "value": 3, "within_days": 30}],
        }
    ],
    "USD",
)
NOBODY = matrix([])
Trained = tuple[Training, Purchases, int]


@pytest.fixture(scope="module")
def grocer() -> Trained:
    orders = complete_journey()
    now = last_moment(orders)
    purchases = clean(orders, now)
    return train_shop(purchases, three_groups()[0], RULES, now), purchases, now


def kinds(
    shop: Segmentation, history: Sequence[Purchase], now: int, behaviour: Behaviour | None = None
) -> list[str]:
    return [each.kind for each in memberships(shop, history, now, behaviour)]


def test_a_shop_of_any_size_has_scores_and_the_rest_when_it_can() -> None:
    for customers in (0, 1, 4):
        rows = [Row(customer, customer) for customer in range(customers)]
        trained = train_shop(clean(orders_of(rows), NOW_S), NOBODY, RULES, NOW_S)
        shop = trained.segmentation
        assert (shop.clusters, shop.foreseen, trained.reports, trained.spend) == (None, (), {}, None)
        assert kinds(shop, (Purchase(NOW_S, 500),), NOW_S) == ["rfm"]
        # Nothing has shown yet that who spent something is about to spend as much again.
        assert spend_ahead(shop, (Purchase(NOW_S, 500),), NOW_S) is None


def test_a_stranger_is_a_prospect_and_expected_to_spend_nothing(
    grocer: Trained,
) -> None:
    shop, now = grocer[0].segmentation, grocer[2]
    (only,) = memberships(shop, (), now)
    assert (only.name, only.kind) == ("prospects", "rfm")
    assert spend_ahead(shop, (), now) == 0
    assert probabilities(shop, (), now) == {}


def test_each_kind_of_segment_says_why_in_one_sentence(grocer: Trained) -> None:
    shop, now = grocer[0].segmentation, grocer[2]
    daily = tuple(Purchase(now - day * DAY_S, 4_000) for day in range(1, 200))
    told = memberships(shop, daily, now, TYPICAL["hesitant_buyers"])
    assert [(each.name, each.kind) for each in told] == [
        ("frequent", "rule"), ("foreseen_loyal", "foreseen"),
            ("hesitant_buyers", "cluster"), ("champions", "rfm"),
    ]  # fmt: skip
    assert all(each.why.endswith(".") and each.why.count(". ") == 0 for each in told)
    assert told[1].why.startswith("Foreseen loyal: of customers like this one ")


def test_what_may_not_be_known_of_a_visit_makes_no_segment(grocer: Trained) -> None:
    shop, now = grocer[0].segmentation, grocer[2]
    assert "cluster" not in kinds(shop, (Purchase(now, 500),), now, None)


def test_only_classifiers_that_beat_their_rule_speak(grocer: Trained) -> None:
    trained = grocer[0]
    published = {label for label, report in trained.reports.items() if report.publish}
    assert {each.label for each in trained.segmentation.foreseen} == published == {AT_RISK, LOYAL}
    telling_nothing = train_shop(a_shop(customers=1_500, telling=False), NOBODY, RULES, NOW_S)
    assert AT_RISK in telling_nothing.reports
    assert AT_RISK not in {each.label for each in telling_nothing.segmentation.foreseen}


def test_classifiers_do_not_speak_of_who_is_long_gone(grocer: Trained) -> None:
    shop, now = grocer[0].segmentation, grocer[2]
    (window,) = {each.window_days for each in shop.foreseen}
    assert probabilities(shop, (Purchase(now - (2 * window + 1) * DAY_S, 500),), now) == {}
    assert set(probabilities(shop, (Purchase(now - DAY_S, 500),), now)) == {AT_RISK, LOYAL}


def test_one_customer_and_all_customers_are_scored_alike(grocer: Trained) -> None:
    trained, purchases, now = grocer
    shop, measures = trained.segmentation, measure(purchases, now)
    columns = (measures.recency_days, measures.orders, measures.spent_minor)
    for at in range(0, len(measures), 97):
        history = history_of(purchases, int(measures.customer_ids[at]))
        scores = scores_of(shop.cuts, history, now)
        assert scores == score(shop.cuts, *(int(column[at]) for column in columns))
        assert memberships(shop, history, now)[-1].name == segment(scores)


def test_where_the_last_window_serves_it_is_what_is_expected_again(
    grocer: Trained,
) -> None:
    trained, _, now = grocer
    assert trained.spend is not None
    assert trained.segmentation.ahead.serves == "last_window"
    history = (Purchase(now - 200 * DAY_S, 9_000), Purchase(now - 10 * DAY_S, 700), Purchase(now, 300))
    assert spend_ahead(trained.segmentation, history, now) == 1_000


def test_the_other_ways_to_tell_spend(grocer: Trained) -> None:
    trained, _, now = grocer
    history = (Purchase(now - 180 * DAY_S, 9_000), Purchase(now - 10 * DAY_S, 1_000))

    def told(serves: str) -> int | None:
        ahead = msgspec.structs.replace(trained.segmentation.ahead, serves=serves, average_minor=77)
        return spend_ahead(msgspec.structs.replace(trained.segmentation, ahead=ahead), history, now)

    assert told("own_pace") == 5_000  # 10,000 in 180 days
    assert told("average") == 77
    assert told("model")


def test_money_given_back_and_future_clocks_do_not_make_a_standing_odd() -> None:
    history = (Purchase(NOW_S + 99, 500), Purchase(NOW_S - DAY_S, -9_000, counts=False))
    standing = standing_of(history, NOW_S)
    assert standing is not None
    assert (standing.recency_days, standing.orders, standing.spent_minor) == (0, 1, 0)


def test_a_segmentation_survives_being_stored_and_its_names_the_next_training(
    grocer: Trained,
) -> None:
    trained, purchases, now = grocer
    stored = msgspec.json.decode(msgspec.json.encode(trained.segmentation), type=Segmentation)
    assert stored == trained.segmentation
    assert len(msgspec.msgpack.encode(stored)) < 500_000  # bytes
    few = purchases.where(np.arange(len(purchases)) < 50)
    again = train_shop(few, three_groups(seed=3)[0], Rules("USD"), now, previous=stored)
    assert stored.clusters is not None
    assert again.segmentation.clusters is not None
    assert set(again.segmentation.clusters.names) == set(stored.clusters.names)
