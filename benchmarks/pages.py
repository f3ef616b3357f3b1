"""How long the merchant's pages take, from the request to the last byte, on the demo's shop.

The shop is the demo's, as large as it is there, imported and with its model, behind its dev store; pages are
asked for as Shopify's admin does, each with a fresh id token.
"""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import httpx

from tests.admin.test_markup import ABOUT, PAGES
from tests.journeys.small_stage import SmallStage, entrance, small_stage
from tests.journeys.stores import rows_of

HOUSEHOLDS, PRODUCTS, ROUNDS = 400, 1_000, 5
# Pages of one thing, which the demo's shop may not have; its best customer it has.
OF_ONE = frozenset(
    {"/admin/campaigns/edit", "/admin/customer", "/admin/decisions/one", "/admin/experiments/read"}
)
CELL = "/admin/segments/shopify"
ASKED = (*(each for each in PAGES if each not in OF_ONE), "/admin/definitions")
MOST_ORDERS = "SELECT customer_id FROM orders WHERE customer_id > 0 GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"


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
        pages = [_asked(stage, path, rounds, **(ABOUT[path] if path == CELL else {})) for path in ASKED]
        ((customer_id,),) = rows_of(stage, MOST_ORDERS)
        pages.append(_asked(stage, "/admin/customer", rounds, id=str(customer_id)))
    for each in pages:
        print(f"{each.path:30} first {each.first_ms:6.0f} ms, then {each.then_ms:6.0f} ms, {each.bytes:7,} B")
    return pages


def _asked(stage: SmallStage, path: str, rounds: int, **about: str) -> Page:
    """Return how long the page takes. Raises AssertionError for one that can't be shown."""
    took, size = [], 0
    with httpx.Client(timeout=60) as calls:
        for _ in range(rounds + 1):
            query = entrance(stage) | about
            begun = perf_counter()
            answer = calls.get(stage.app_url + path, params=query)
            took.append((perf_counter() - begun) * 1000)
            assert answer.status_code == httpx.codes.OK, f"{path}: {answer.status_code}"
            size = len(answer.content)
    return Page(path, took[0], statistics.median(took[1:]), size)


if __name__ == "__main__":
    main()
