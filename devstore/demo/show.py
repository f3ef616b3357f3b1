"""What the demo says at its end, to people and to machines."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any

import httpx
from rich.table import Table

from devstore.demo.sample import Asked
from devstore.demo.stage import APP, BASKET, DEV_STORE, SHOP, Stage, StageFailed, control

_VARIANT = re.compile(r'name="variant" value="(\d+)"')
_FIGURES = {"recall_at_10": "recall@10", "ndcg_at_10": "NDCG@10", "hit_at_4": "hit@4"}


def open_the_app() -> None:
    """Open the embedded app as the admin does, with a fresh id token: that installs it."""
    token = control("/control/id-token")["token"]
    query = {"shop": SHOP, "embedded": "1", "host": "YWRtaW4", "id_token": token}
    answer = httpx.get(f"{APP}/", params=query, timeout=60)
    if answer.status_code != httpx.codes.OK:
        raise StageFailed(f"the admin answered {answer.status_code}: {answer.text[:300]}")


def a_checkout() -> str:
    """Return the address of a checkout with the demo's basket in it."""
    lines = [{"variant_id": _first_found(title), "quantity": 1} for title in BASKET]
    made = httpx.post(f"{DEV_STORE}/host/checkouts", json={"lines": lines}, timeout=30)
    address: str = made.raise_for_status().json()["checkout"]
    return address


def _first_found(title: str) -> int:
    """Return the variant that the storefront's search puts first."""
    page = httpx.get(f"{DEV_STORE}/search", params={"q": title}, timeout=30).text
    if not (found := _VARIANT.search(page)):
        raise StageFailed(f"the storefront sells no {title!r}")
    return int(found[1])


def write_summary(stage: Stage, asked: Asked, more: dict[str, Any]) -> dict[str, Any]:
    """Return what the demo came to, kept in summary.json too."""
    home = stage.home / "models" / SHOP
    card = json.loads((home / (home / "CURRENT").read_text().strip() / "card.json").read_text())
    summary = {
        "orders_imported": card["counts"]["orders"],
        "products": card["counts"]["products"],
        "customers": card["counts"]["customers"],
        "model": {"version": card["version"], "basis": card["basis"], "figures": card["figures"]},
        "decisions": asdict(asked),
        **more,
    }
    (stage.home / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    return summary


def summary_table(summary: dict[str, Any]) -> Table:
    """Return the summary for a terminal."""
    table = Table(title=f"{SHOP}", show_header=False)
    asked, figures = summary["decisions"], summary["model"]["figures"]
    table.add_row(
        "Imported",
        f"{summary['orders_imported']:,} orders of {summary['customers']:,} customers, "
        f"{summary['products']:,} products",
    )
    table.add_row("Model", f"{summary['model']['version']} ({summary['model']['basis']})")
    for key, name in _FIGURES.items():
        ours, plain = figures["tillwise"][key], figures["popularity"][key]
        table.add_row(f"{name} on later carts", f"{ours:.3f}   popularity {plain:.3f}")
    table.add_row(
        "Decisions",
        f"{asked['answers']} served, {asked['with_offers']} with offers, {asked['held_out']} held out",
    )
    table.add_row("Latency, one at a time", f"p50 {asked['p50_ms']} ms, p99 {asked['p99_ms']} ms")
    if "attributed_revenue" in summary:
        table.add_row("Attributed revenue", summary["attributed_revenue"])
    return table
