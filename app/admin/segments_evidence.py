"""What speaks for clusters, classifiers and the spend foreseen, from a training's report. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.admin.figures import money
from app.profiles.rfm_segments import title
from app.profiles.segment_names import foreseen_name

_FIGURES = (
    ("auc", "ROC AUC", "higher is better"),
    ("pr_auc", "PR AUC", "higher is better"),
    ("brier", "Brier score", "lower is better"),
    ("ece", "Calibration error", "lower is better"),
)
_RULES = {"at_risk": "Days since the last order", "loyal": "Orders in the last window"}


@dataclass(frozen=True, slots=True)
class Line:
    """A figure of ours beside the plain one's."""

    label: str
    ours: str
    plain: str


@dataclass(frozen=True, slots=True)
class Judged:
    """Something trained: whether it serves, why, on what it was tested, and its figures."""

    heading: str
    published: bool
    reason: str
    tested: str = ""
    plain: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """One way to foresee spend. gain: how much lower the model's squared error is than this way's."""

    name: str
    serves: bool
    typical_error: str
    mean_error: str
    rank: str
    total_off: str
    gain: str


def classifiers(report: Mapping[str, Any]) -> list[Judged]:
    """Return each classifier beside its plain rule, or why it could not be tested."""
    found = report.get("foreseen", {})
    return [_classifier(found[label]) if label in found else _untested(label) for label in _RULES]


def clusters(report: Mapping[str, Any]) -> Judged:
    """Return whether the shoppers fall into clusters: the silhouette of each number of them."""
    found = report["clusters"]
    lines = tuple(
        Line(f"{k} clusters", f"{silhouette:.3f}", "")
        for k, silhouette in sorted(found["silhouettes"].items(), key=lambda each: int(each[0]))
    )
    reference = found["reference"]
    shape = "" if reference is None else f"Shape alone, without clusters, gives {reference:.3f}."
    return Judged("Clusters", found["silhouette"] is not None, found["reason"], shape, "", lines)


def spend_ways(report: Mapping[str, Any], currency: str) -> list[Way]:
    """Return the ways to foresee spend, the model first; empty when they could not be compared."""
    spend = report.get("spend")
    if spend is None:
        return []
    model = "BG/NBD and Gamma-Gamma"
    names = {model: spend["ours"], **spend["plain"]}
    return [
        Way(
            name=f"{name[:1].upper()}{name[1:]}",
            serves=name == spend["serves"],
            typical_error=money(round(figures["rmse"]), currency),
            mean_error=money(round(figures["mae"]), currency),
            rank=f"{figures['rank']:.3f}",
            total_off=f"{figures['bias']:+.1%}",
            gain=_gain(spend["gains"].get(name)),
        )
        for name, figures in names.items()
    ]


def spend_words(report: Mapping[str, Any]) -> str:
    """Return in a sentence how the spend to come is foreseen, and why so."""
    spend = report.get("spend")
    if spend is None:
        return (
            "Too few customers came back to compare ways to foresee spend: what each spent in the last "
            "90 days is expected again."
        )
    tested = f"On {spend['tested']:,} customers' next {spend['days']} days, which no way had seen"
    if spend["publish"]:
        return f"{tested}, the model's squared error is surely lower than that of each plain way: it serves."
    return f"{tested}, the model is not surely better than each plain way; {spend['serves']} serves."


def _classifier(found: Mapping[str, Any]) -> Judged:
    lines = (
        Line(f"{label} ({better})", f"{found['ours'][name]:.3f}", f"{found['rule'][name]:.3f}")
        for name, label, better in _FIGURES
    )
    what = f"ordered {found['many_orders']} times or more" if found["label"] == "loyal" else "bought nothing"
    return Judged(
        heading=title(foreseen_name(found["label"])),
        published=found["publish"],
        reason=found["reason"].replace("_", " "),
        tested=(
            f"Learnt from {found['trained']:,} rows and tested on {found['tested']:,} customers in the last "
            f"{found['window_days']} days, which neither it nor the rule had seen; "
            f"{found['share']:.1%} {what}."
        ),
        plain=_RULES[found["label"]],
        lines=tuple(lines),
    )


def _untested(label: str) -> Judged:
    reason = "Too few customers to test it on: it takes some hundreds who bought lately."
    return Judged(title(foreseen_name(label)), published=False, reason=reason)


def _gain(interval: Any) -> str:
    if interval is None:
        return "–"
    low, high = interval
    return f"{low:+.1%} to {high:+.1%}"
