"""A shop whose segments pages have everything to show."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import delete

from app.connections import Connections
from app.profiles.classifier_training import ClassifierMetrics, ClassifierReport
from app.profiles.clusters import Clusters
from app.profiles.lifetime_training import SpendFigures, SpendReport
from app.profiles.rfm import NEVER, RfmThresholds
from app.profiles.segmentation import Segmentation
from app.profiles.snapshots import FEATURES
from app.profiles.thresholds import read_rules
from app.profiles.trees import Classifier, Sigmoid, Trees
from app.segment_tables import (
    CustomerSegmentRow,
    ReviewRow,
    SegmentationRow,
    SegmentMoveRow,
    SegmentSizeRow,
)
from app.upsert import table_of
from tests.admin.factories import SHOP, keep, now, shop_row

REGULARS = {
    "name": "regulars",
    "conditions": [{"measure": "orders", "compare": "more_than", "value": 8, "within_days": 30}],
}
WHY = "Champions: last bought today (most recent, 5 of 5), ordered 10 times (highest fifth)."


def membership(name: str, kind: str = "rfm", why: str = "") -> dict[str, str]:
    return {"name": name, "kind": kind, "why": why or f"{name} for a reason."}


def in_segment(customer_id: int, name: str, scores: tuple[int, int, int], **changes: Any) -> Any:
    values: dict[str, Any] = {
        "segment": name, "memberships": [membership(name)], "recency": scores[0], "frequency": scores[1],
        "monetary": scores[2], "orders": 4, "spent_minor": 12_345, "spend_ahead_minor": 2_500,
        "changed_at": now() - timedelta(hours=customer_id),
    }  # fmt: skip
    return CustomerSegmentRow(shop=SHOP, customer_id=customer_id, **(values | changes))


def move(customer_id: int, before: str | None, after: str, why: str, days_ago: float = 1) -> Any:
    at = now() - timedelta(days=days_ago)
    return SegmentMoveRow(
        shop=SHOP, customer_id=customer_id, moved_at=at, before=before, after=after, why=why
    )


def size(days_ago: int, segment: str, customers: int) -> Any:
    day = f"{now() - timedelta(days=days_ago):%Y-%m-%d}"
    return SegmentSizeRow(shop=SHOP, day=day, segment=segment, customers=customers)


def candidate(customer_id: int, reason: str = "bulk_buyer", **changes: Any) -> Any:
    values: dict[str, Any] = {"detail": "An order of 9000.00 USD, 60 times the usual one.", "found_at": now()}
    return ReviewRow(shop=SHOP, customer_id=customer_id, reason=reason, **(values | changes))


def a_report(label: str, *, publish: bool) -> ClassifierReport:
    return ClassifierReport(
        label=label, window_days=28, many_orders=7, trained=21_776, tested=2_233, share=0.142,
        ours=ClassifierMetrics(auc=0.85, pr_auc=0.487, brier=0.0945, ece=0.019),
        rule=ClassifierMetrics(auc=0.752, pr_auc=0.351, brier=0.1064, ece=0.024),
        gain_low=0.0083, gain_high=0.0161, publish=publish,
        reason="Better than days since the last order alone: the squared error falls by 0.0083 to 0.0161.",
    )  # fmt: skip


def a_segmentation() -> Segmentation:
    """Return one with a classifier, a cluster with its label, a rule of the merchant's, and cuts."""
    leaf = Trees(0.0, (0,), (-1,), (0.0,), (0,), (0,), (1.0,))
    return Segmentation(
        currency="USD",
        trained_at=0,
        cuts=RfmThresholds((-40, -20, -9, -2), (1, 2, 4, 9), (1_000, 2_500, 10_000, NEVER)),
        rules=read_rules([REGULARS], "USD"),
        foreseen=(Classifier("at_risk", FEATURES, 28, 7, leaf, Sigmoid(1, 0), 0.31),),
        clusters=Clusters(
            ("visits", "orders"), (1.0, 1.0), (0.5, 0.5), ((1.0, -0.4), (-1.0, 0.6)), (40, 60), 0.6,
            ("group_1", "group_2"), ("interested_browsers", None), 2,
        ),
    )  # fmt: skip


def a_training_report() -> dict[str, Any]:
    figures = SpendFigures(rmse=27_969.0, mae=18_257.0, rank=0.805, bias=-0.022)
    spend = SpendReport(
        90, 2_000, figures, {"the same spend again": figures}, {"the same spend again": (-0.14, 0.011)},
        publish=False, serves="the same spend again",
    )  # fmt: skip
    clusters = {
        "silhouette": 0.6, "silhouettes": {"2": 0.6, "3": 0.4}, "reference": 0.3,
        "reason": "2 clusters: a silhouette of 0.60, and shape alone gives 0.30.",
    }  # fmt: skip
    foreseen = {"at_risk": msgspec.to_builtins(a_report("at_risk", publish=True))}
    return {"clusters": clusters, "foreseen": foreseen, "spend": msgspec.to_builtins(spend)}


async def keep_segments(connections: Connections) -> None:
    """Store a shop with five customers in segments, moves, sizes of two days, two to look at, one pinned."""
    best = [membership("champions", why=WHY), membership("interested_browsers", "cluster")]
    pinned = [membership("loyal", "pin"), membership("dormant")]
    await keep(
        connections,
        shop_row(settings={"segments": [REGULARS]}),
        SegmentationRow(
            shop=SHOP, trained_at=now(), content=msgspec.to_builtins(a_segmentation()),
            report=a_training_report(),
        ),
        in_segment(
            10, "champions", (5, 5, 5), memberships=best, rfm_group="CHAMPIONS", foreseen={"at_risk": 0.12}
        ),
        in_segment(11, "champions", (5, 4, 5), rfm_group="LOYAL"),
        in_segment(12, "dormant", (1, 1, 1), rfm_group="ALMOST_LOST"),
        in_segment(13, "loyal", (1, 1, 1), memberships=pinned),
        in_segment(14, "regulars", (5, 5, 5), memberships=[membership("regulars", "rule"), best[0]]),
        size(20, "champions", 1),
        size(20, "dormant", 4),
        size(0, "champions", 2),
        candidate(11),
        candidate(12, "contradiction", detail="Predicted to leave, and to come often."),
        candidate(
            13, "merchant", detail="", verdict="pinned", segment="loyal", decided_at=now(), decided_by="42"
        ),
    )  # fmt: skip
    async with connections.write() as db:
        await (await db.connection()).execute(delete(table_of(SegmentMoveRow)))
        db.add_all([move(10, None, "loyal", "First.", 9), move(10, "loyal", "champions", WHY)])
