"""How long the merchant's pages take, from the request to the last byte, on the demo's shop.

The shop is the demo's, as large as it is there, imported and with its model, behind its dev store; pages are
asked for as Shopify's admin does, each with a fresh id token.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import httpx

from devstore.demo import DOMAIN
from tests.journeys.small_stage import SmallStage, small_stage

HOUSEHOLDS, PRODUCTS, ROUNDS = 400, 1_000, 5
PAGES = (
    "/",
    "/admin/decisions",
    "/admin/products",
    "/admin/model",
    "/admin/settings",
    "/admin/campaigns",
    "/admin/campaigns/new",
    "/admin/campaigns/learnt",
    "/admin/experiments",
    "/admin/experiments/new",
    "/admin/experiments/earned",
    "/admin/segments",
    "/admin/segments/meanings",
    "/admin/segments/own",
    "/admin/segments/approach",
    "/admin/segments/shopify",
    "/admin/segments/review",
    "/admin/segments/elsewhere",
    "/admin/privacy",
    "/admin/privacy/people",
    "/admin/privacy/rules",
    "/admin/privacy/audit",
    "/admin/definitions",
)
ABOUT: Mapping[str, Mapping[str, str]] = {
    "/admin/segments/shopify": {"ours": "dormant", "theirs": "almost_lost"},
}


@dataclass(frozen=True, slots=True)
class Page:
    """Milliseconds of one page: of its first request, and the median of those after it."""

    path: str
    first_ms: float
    then_ms: float
    bytes: int


def main(rounds: int = ROUNDS) -> list[Page]:
    """Return the figures, printed as well."""
    with (
        tempfile.TemporaryDirectory(prefix="tw-bench", ignore_cleanup_errors=True) as directory,
        small_stage(Path(directory), households=HOUSEHOLDS, products=PRODUCTS) as stage,
    ):
        pages = [_asked(stage, path, rounds) for path in PAGES]
        pages.append(_asked(stage, "/admin/customer", rounds, id=str(_customer(stage))))
    for each in pages:
        print(f"{each.path:30} first {each.first_ms:6.0f} ms, then {each.then_ms:6.0f} ms, {each.bytes:7,} B")
    return pages


def _asked(stage: SmallStage, path: str, rounds: int, **about: str) -> Page:
    """Return how long the page takes. Raises AssertionError for one that can't be shown."""
    took, size = [], 0
    with httpx.Client(timeout=60) as calls:
        for _ in range(rounds + 1):
            token = calls.post(f"{stage.store_url}/control/id-token", json={}).json()["token"]
            query = {"shop": DOMAIN, "embedded": "1", "host": "YWRtaW4", "id_token": token}
            begun = perf_counter()
            answer = calls.get(stage.app_url + path, params={**query, **ABOUT.get(path, {}), **about})
            took.append((perf_counter() - begun) * 1000)
            assert answer.status_code == httpx.codes.OK, f"{path}: {answer.status_code}"
            size = len(answer.content)
    return Page(path, took[0], statistics.median(took[1:]), size)


def _customer(stage: SmallStage) -> int:
    """Return the customer with most orders."""
    most = "SELECT customer_id FROM orders WHERE customer_id > 0 GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    customer_id: int = sqlite3.connect(stage.database).execute(most).fetchone()[0]
    return customer_id


if __name__ == "__main__":
    main()
