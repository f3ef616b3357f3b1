"""An evaluation as a picture: every model's NDCG@10, with and without repeat purchases, and ours by rung."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from app.errors import InputError
from app.recommend.card import OURS
from app.recommend.judge import RankingMetrics
from app.recommend.report import Report

INK, OWN, OTHER = "#303030", "#0b6e4f", "#b8c4bb"
DOTS_PER_INCH = 144


def write_report(report: Report, folder: Path) -> None:
    """Write evaluation.json and evaluation.png into the folder. Raises InputError."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(report.to_json() + "\n")
    draw(report, folder / "evaluation.png")


def draw(report: Report, path: Path) -> None:
    """Write the picture, a PNG. Raises InputError when matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise InputError(f"{path}: a picture needs matplotlib: pip install '.[evaluate]'")
    figure = import_module("matplotlib.figure").Figure(figsize=(13, 5), layout="constrained")
    import_module("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    panels = figure.subplots(1, 3)
    _bars(panels[0], f"{report.cases:,} later carts", report.figures)
    _bars(panels[1], f"{report.discoveries:,}, without repeat purchases", report.discovery)
    _bars(panels[2], "ours, by consent and by shopper", report.rungs | report.segments)
    figure.suptitle(f"NDCG@10, full ranking over {report.counts['products']:,} products", color=INK)
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None})


def _bars(panel: Any, title: str, figures: Mapping[str, RankingMetrics]) -> None:
    names = sorted(figures, key=lambda name: figures[name].ndcg_at_10)
    values = [figures[name].ndcg_at_10 for name in names]
    bars = panel.barh(names, values, color=[OWN if name == OURS else OTHER for name in names])
    panel.bar_label(bars, fmt="%.3f", padding=3, color=INK, fontsize=8)
    panel.set_title(title, fontsize=10, color=INK)
    panel.margins(x=0.18)
    panel.spines[["top", "right", "bottom"]].set_visible(False)
    panel.tick_params(length=0, labelsize=8, labelbottom=False, colors=INK)
