"""What the theme extension costs a storefront: Lighthouse on the dev store's pages, without it and with it.

Lighthouse comes from npm when this is run; it is no part of the project. It plays a slow phone, and the app
behind the pages answers at once.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.devstore.browser_world import build_host, chromium
from tests.extensions.checkout_world import answer
from tests.extensions.storefront_world import StorefrontWorld, offer_of, storefront_world

LIGHTHOUSE = "lighthouse@13.5.0"
ROUNDS = 3
WAIT_S = 240
PAGES = {"home page": "/storefront", "product page": "/products/whole-milk"}
METRICS = {
    "lcp_ms": "largest-contentful-paint",
    "tbt_ms": "total-blocking-time",
    "cls": "cumulative-layout-shift",
    "bytes": "total-byte-weight",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What Lighthouse says of a page. score: of performance, 0 to 100; cls: its layout shift."""

    score: float
    lcp_ms: float
    tbt_ms: float
    cls: float
    bytes: float


@dataclass(frozen=True, slots=True)
class Storefront:
    """Medians of a page without the extension and with it."""

    page: str
    without: Look
    with_it: Look

    @property
    def loss(self) -> float:
        """Return how many points of the score the extension takes."""
        return self.without.score - self.with_it.score


def main() -> list[Storefront]:
    """Measure and print; return nothing where Lighthouse can't be had."""
    build_host()
    with tempfile.TemporaryDirectory() as home, storefront_world(Path(home)) as world:
        world.app.body = answer(offer_of(world, 102), offer_of(world, 103))
        try:
            found = list(_measured(world, Path(home)))
        except subprocess.SubprocessError as error:
            print(f"  Lighthouse could not be run: {error}")
            return []
    for each in found:
        _show(each)
    return found


def _measured(world: StorefrontWorld, home: Path) -> Iterator[Storefront]:
    for name, path in PAGES.items():
        looks: dict[str, list[Look]] = {"0": [], "1": []}
        for _ in range(ROUNDS):
            for embed, seen in looks.items():
                seen.append(_look(f"{world.url}{path}?consent=all&embed={embed}", home))
        yield Storefront(name, _median(looks["0"]), _median(looks["1"]))


def _look(address: str, home: Path) -> Look:
    """Return what Lighthouse says of one page load."""
    report = home / "report.json"
    command = [
        "npm", "exec", "--yes", f"--package={LIGHTHOUSE}", "--", "lighthouse", address,
        "--output=json", f"--output-path={report}", "--only-categories=performance", "--quiet",
        "--chrome-flags=--headless=new --no-sandbox",
    ]  # fmt: skip
    environment = os.environ | {"CHROME_PATH": chromium() or ""}
    subprocess.run(command, env=environment, cwd=home, check=True, capture_output=True, timeout=WAIT_S)
    read: dict[str, Any] = json.loads(report.read_text())
    measured = {name: float(read["audits"][audit]["numericValue"]) for name, audit in METRICS.items()}
    return Look(score=100 * read["categories"]["performance"]["score"], **measured)


def _median(looks: Sequence[Look]) -> Look:
    return Look(*(statistics.median(getattr(look, name) for look in looks) for name in Look.__slots__))


def _show(found: Storefront) -> None:
    for name, look in (("without", found.without), ("with", found.with_it)):
        print(
            f"  {found.page:<13} {name:<8} score {look.score:5.1f}   LCP {look.lcp_ms:6.0f} ms   "
            f"blocked {look.tbt_ms:4.0f} ms   shift {look.cls:.3f}   {look.bytes / 1024:6.1f} KB"
        )
    print(f"  {found.page:<13} loss {found.loss:+.1f} points")


if __name__ == "__main__":
    main()
