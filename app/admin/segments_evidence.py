"""What speaks for clusters, classifiers and the spend foreseen, from a training's report. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.admin.figures import NOTHING, money, number, percent
from app.admin.language import _, lazy, ngettext
from app.admin.segment_titles import title
from app.admin.sentences import told
from app.admin.view import first_upper
from app.profiles.segment_names import foreseen_name

_FIGURES = (
    ("auc", lazy("ROC AUC"), lazy("higher is better")),
    ("pr_auc", lazy("PR AUC"), lazy("higher is better")),
    ("brier", lazy("Brier score"), lazy("lower is better")),
    ("ece", lazy("Calibration error"), lazy("lower is better")),
)
_RULES = {"at_risk": lazy("Days since the last order"), "loyal": lazy("Orders in the last window")}


@dataclass(frozen=True, slots=True)
class Line:
    """A figure of ours beside the plain one's."""

    label: str
    ours: str
    plain: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something trained: whether it serves, why, on what it was tested, and its figures."""

    heading: str
    published: bool
    reason: str
    tested: str = ""
    plain: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class SpendForecaster:
    """One way to foresee spend. gain: how much lower the model's squared error is than this way's."""

    name: str
    serves: bool
    typical_error: str
    mean_error: str
    rank: str
    total_off: str
    gain: str


def classifiers(report: Mapping[str, Any]) -> list[Evidence]:
    """Return each classifier beside its plain rule, or why it could not be tested."""
    found = report.get("foreseen", {})
    return [_classifier(found[label]) if label in found else _untested(label) for label in _RULES]


def clusters(report: Mapping[str, Any]) -> Evidence:
    """Return whether the shoppers fall into clusters: the silhouette of each number of them."""
    found = report["clusters"]
    lines = tuple(
        Line(ngettext("%(num)s cluster", "%(num)s clusters", int(k)), number(silhouette, 3), "")
        for k, silhouette in sorted(found["silhouettes"].items(), key=lambda each: int(each[0]))
    )
    reference = found["reference"]
    shape = "" if reference is None else _without(reference)
    return Evidence(_("Clusters"), found["silhouette"] is not None, told(found["reason"]), shape, "", lines)


def _without(reference: float) -> str:
    return _("Shape alone, without clusters, gives %(figure)s.", figure=number(reference, 3))


def spend_ways(report: Mapping[str, Any], currency: str) -> list[SpendForecaster]:
    """Return the ways to foresee spend, the model first; empty when they could not be compared."""
    spend = report.get("spend")
    if spend is None:
        return []
    model = "BG/NBD and Gamma-Gamma"
    names = {model: spend["ours"], **spend["plain"]}
    return [
        SpendForecaster(
            name=first_upper(told(name)),
            serves=name == spend["serves"],
            typical_error=money(round(figures["rmse"]), currency),
            mean_error=money(round(figures["mae"]), currency),
            rank=number(figures["rank"], 3),
            total_off=percent(figures["bias"], 1, signed=True),
            gain=_gain(spend["gains"].get(name)),
        )
        for name, figures in names.items()
    ]


def spend_words(report: Mapping[str, Any]) -> str:
    """Return in a sentence how the spend to come is foreseen, and why so."""
    spend = report.get("spend")
    if spend is None:
        return _(
            "Too few customers came back to compare forecasts: each is expected to spend what they spent "
            "in the last 90 days."
        )
    counts = {"customers": spend["tested"], "days": spend["days"]}
    if spend["publish"]:
        return _(
            "Tested on what %(customers)s customers spent in %(days)s days that no method had seen: the "
            "model is reliably more accurate than every simple method, so it is used.",
            **counts,
        )
    return _(
        "Tested on what %(customers)s customers spent in %(days)s days that no method had seen: the model "
        "is not reliably more accurate than every simple method. In use: %(method)s.",
        method=told(spend["serves"]),
        **counts,
    )


def _classifier(found: Mapping[str, Any]) -> Evidence:
    lines = (
        Line(f"{label} ({better})", number(found["ours"][name], 3), number(found["rule"][name], 3))
        for name, label, better in _FIGURES
    )
    return Evidence(
        heading=title(foreseen_name(found["label"])),
        published=found["publish"],
        reason=told(found["reason"]),
        tested=f"{_tested(found)} {_happened(found)}",
        plain=str(_RULES[found["label"]]),
        lines=tuple(lines),
    )


def _tested(found: Mapping[str, Any]) -> str:
    return _(
        "Learnt from %(rows)s rows and tested on %(customers)s customers in the last %(days)s days, which "
        "neither it nor the rule had seen.",
        rows=found["trained"], customers=found["tested"], days=found["window_days"],
    )  # fmt: skip


def _happened(found: Mapping[str, Any]) -> str:
    share = percent(found["share"], 1)
    if found["label"] != "loyal":
        return _("%(share)s of them bought nothing.", share=share)
    times = found["many_orders"]
    return _("%(share)s of them ordered %(times)s times or more.", share=share, times=times)


def _untested(label: str) -> Evidence:
    reason = _("Too few customers to test it on: it takes some hundreds who bought lately.")
    return Evidence(title(foreseen_name(label)), published=False, reason=reason)


def _gain(interval: Any) -> str:
    if interval is None:
        return NOTHING
    low, high = (percent(each, 1, signed=True) for each in interval)
    return _("%(low)s to %(high)s", low=low, high=high)
