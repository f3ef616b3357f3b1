from __future__ import annotations

from itertools import product

import pytest

from app.profiles.rfm import Scores
from app.profiles.rfm_segments import PROSPECTS, SEGMENTS, PurchaseSummary, segment, title, why
from app.profiles.rfm_shopify import SHOPIFY_WORDS, compare, difference, shopify_segment

EVERY = [Scores(*scores) for scores in product(range(1, 6), repeat=3)]
# Best first, by what is asked of the customer, for one recency.
BY_VALUE = {
    5: ["new", "active", "champions"],
    4: ["promising", "active", "loyal"],
    3: ["promising", "needs_attention", "loyal"],
    2: ["almost_lost", "at_risk", "previously_loyal"],
    1: ["dormant", "at_risk", "previously_loyal"],
}


def test_every_customer_has_exactly_one_segment_and_every_segment_can_have_customers() -> None:
    assert {segment(scores) for scores in EVERY} | {segment(None)} == set(SEGMENTS)


@pytest.mark.parametrize("recency", range(1, 6))
def test_more_value_never_means_a_lesser_segment(recency: int) -> None:
    same = sorted((scores for scores in EVERY if scores.recency == recency), key=lambda s: s[1] + s[2])
    places = [BY_VALUE[recency].index(segment(scores)) for scores in same]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (Scores(5, 5, 5), "champions"),
        (Scores(5, 1, 1), "new"),
        (Scores(5, 1, 5), "active"),  # FM = 3: one large order makes no champion
        (Scores(4, 4, 4), "loyal"),
        (Scores(3, 3, 3), "needs_attention"),
        (Scores(2, 1, 5), "almost_lost"),  # FM = 3, not yet a strong history
        (Scores(2, 4, 3), "at_risk"),  # FM = 3.5
        (Scores(1, 5, 4), "previously_loyal"),  # FM = 4.5
        (Scores(1, 2, 2), "dormant"),
    ],
)
def test_segments_by_the_table(scores: Scores, expected: str) -> None:
    assert segment(scores) == expected


def test_why_is_one_sentence_with_the_customers_own_numbers() -> None:
    assert why(Scores(5, 4, 5), PurchaseSummary(3, 12, 120_450), "EUR") == (
        "Champions: last bought 3 days ago (most recent, 5 of 5), ordered 12 times (second highest fifth) "
        "and spent 1204.50 EUR (highest fifth), compared with this shop's other customers."
    )
    assert why(None, None, "EUR") == "Prospects: has not bought anything yet."
    once = why(Scores(3, 1, 3), PurchaseSummary(0, 1, 900), "JPY")
    assert "last bought today" in once
    assert "ordered once" in once
    assert "spent 900 JPY" in once


def test_shopifys_words_stand_for_every_group_but_the_prospects() -> None:
    assert {*SHOPIFY_WORDS, PROSPECTS} == set(SEGMENTS)


@pytest.mark.parametrize("group", [None, "", "VIP", "champion"])
def test_a_group_we_do_not_know_is_none(group: str | None) -> None:
    assert shopify_segment(group) is None
    assert difference("loyal", group) == "Shopify has no group for this customer yet."


def test_the_difference_names_what_shopify_sees_otherwise() -> None:
    assert difference("loyal", "LOYAL") is None
    said = difference("champions", "LOYAL")
    assert said is not None
    assert said.startswith("Shopify says Loyal: it sees recent purchases and not very recent purchases. ")
    assert "same words" in (difference("active", "NEEDS_ATTENTION") or "")


@pytest.mark.parametrize(("ours", "theirs"), list(product(SEGMENTS, repeat=2)))
def test_every_pair_that_differs_has_one_reason(ours: str, theirs: str) -> None:
    said = difference(ours, theirs.upper())
    assert (said is None) == (ours == theirs)
    assert said is None or title(theirs) in said or PROSPECTS in (ours, theirs)


def test_a_comparison_counts_each_customer_once() -> None:
    ours = {1: "loyal", 2: "loyal", 3: "new", 4: "dormant"}
    groups = {1: "LOYAL", 2: "CHAMPIONS", 3: None, 9: "NEW"}
    compared = compare(ours, groups)
    assert compared.cells == {("loyal", "loyal"): 1, ("loyal", "champions"): 1}
    assert (compared.same, compared.compared, compared.unknown) == (1, 2, 2)
