from __future__ import annotations

from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.profiles.behaviour import FEATURES
from app.profiles.cluster_training import find_clusters
from app.profiles.clusters import BROWSERS, HESITANT, HIGH_VALUE, Clusters, called
from app.profiles.visit import NO_VISIT, Visit
from app.profiles.visit_clusters import VisitClusters, visit_clusters, visit_segment
from benchmarks.shoppers import TYPICAL, three_groups

counts = st.integers(0, 50)
visits = st.builds(Visit, products=counts, added=counts, removed=counts, searches=counts, errors=counts)


@cache
def a_shops_clusters() -> Clusters:
    clusters = find_clusters(FEATURES, three_groups()[0]).clusters
    assert clusters is not None
    return clusters


@cache
def compared_with() -> VisitClusters:
    known = visit_clusters(a_shops_clusters())
    assert known is not None
    return known


def one_visit_of(name: str) -> Visit:
    """Return what a typical shopper of the group does in one of their visits."""
    typical = TYPICAL[name]

    def a_visit(value: float) -> int:
        return round(value / max(typical.visits, 1))

    return Visit(
        products=a_visit(typical.views),
        dwell_s=a_visit(typical.dwell_s),
        searches=a_visit(typical.searches),
        added=a_visit(typical.cart_changes),
        errors=a_visit(typical.form_errors),
    )


@pytest.mark.parametrize("name", [BROWSERS, HESITANT])
def test_a_visit_is_told_by_the_cluster_whose_visits_are_like_it(name: str) -> None:
    assert visit_segment(compared_with(), one_visit_of(name)) == name


def test_nobody_is_called_a_high_value_shopper_by_a_visit() -> None:
    assert HIGH_VALUE in [called(a_shops_clusters(), at) for at in range(3)]
    assert set(compared_with().names) == {BROWSERS, HESITANT}


@pytest.mark.parametrize(
    ("visit", "name"),
    [
        (NO_VISIT, None),
        (Visit(pages=3, dwell_s=90), None),
        (Visit(products=4), None),
        (Visit(products=5), BROWSERS),
        (Visit(products=9, added=1), None),  # they buy as everyone does
        (Visit(products=1, added=2, removed=1), HESITANT),
        (Visit(products=1, added=1, errors=1, step=2), HESITANT),
        (Visit(searches=3), None),
    ],
)
def test_without_clusters_a_plain_rule_tells(visit: Visit, name: str | None) -> None:
    assert visit_segment(None, visit) == name


def test_clusters_that_browsers_told_nothing_of_say_nothing_of_a_visit() -> None:
    by_orders_alone = Clusters(
        features=("orders", "spent"), means=(0, 0), scales=(1, 1),
        centroids=((1, 1), (-1, -1)), sizes=(40, 40), silhouette=0.5,
        names=("group_1", "group_2"), labels=(None, None),
    )  # fmt: skip
    assert visit_clusters(by_orders_alone) is None
    unseen = msgspec.structs.replace(by_orders_alone, features=("visits", "views"), means=(-5, -5))
    assert visit_clusters(unseen) is None
    assert visit_clusters(None) is None


@given(visits)
def test_whatever_was_done_the_segment_is_one_there_is(visit: Visit) -> None:
    known = compared_with()
    did = visit.products or visit.added or visit.removed or visit.searches or visit.errors
    assert visit_segment(known, visit) in (known.names if did else (None,))
    assert visit_segment(None, visit) in (BROWSERS, HESITANT, None)
