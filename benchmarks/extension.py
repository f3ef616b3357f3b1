"""What a shopper waits for: the built checkout extension beside an empty one, in Chromium, at each target.

In Shopify's manner, in a worker of a sandboxed frame; the app behind it answers at once, so that what is
measured is the extension. Times count from the start of the page's navigation, hence beside the empty one.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from devstore.pages.builds import EXTENSION
from tests.devstore.browser_world import ROOT, build_host, chromium
from tests.extensions.checkout_world import (
    BLOCK,
    LINES,
    PLACE,
    TARGETS,
    THANK_YOU,
    CheckoutWorld,
    answer,
    checkout_world,
    offers_ahead,
    product_offer,
)

ROUNDS = 7
LIVE = "Sourdough Loaf"
NAMES = {BLOCK: "checkout block", LINES: "order summary", THANK_YOU: "thank-you page"}
# In every frame: when words first stood in it, when the live offer's did, and what kept it from answering.
WATCH = """
window.seen = {tasks: 0, busy: 0};
const count = ({duration}) => { seen.tasks += 1; seen.busy += duration; };
new PerformanceObserver((list) => list.getEntries().forEach(count))
  .observe({type: 'longtask', buffered: true});
const now = () => performance.timeOrigin + performance.now();
new MutationObserver(() => {
  if (!document.querySelector('s-text')) return;
  seen.painted ??= now();
  if (document.body.textContent.includes('LIVE')) seen.live ??= now();
}).observe(document, {subtree: true, childList: true, characterData: true});
""".replace("LIVE", LIVE)


@dataclass(frozen=True, slots=True)
class Seen:
    """One page load, in milliseconds from its start; live is None for who asks nothing."""

    painted_ms: float
    live_ms: float | None
    requests: int
    long_tasks: int
    busy_ms: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians over the rounds, at one target. compressed: bytes of the bundle as brotli makes it."""

    target: str
    compressed: int
    ours: Seen
    empty: Seen
    long_tasks_in_page: int


def main(rounds: int = ROUNDS) -> list[Figures]:
    """Return the figures at each target, printed as well."""
    build_host()
    with (
        tempfile.TemporaryDirectory(prefix="tw-bench", ignore_cleanup_errors=True) as home,
        checkout_world(Path(home)) as world,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        bundle = Path(home) / "extensions" / EXTENSION / "dist" / f"{EXTENSION}.js"
        found = [_at(target, world, browser, bundle, rounds) for target in TARGETS]
        browser.close()
    for each in found:
        print(_line(each))
    return found


def _at(target: str, world: CheckoutWorld, browser: Browser, bundle: Path, rounds: int) -> Figures:
    """Return one target's figures: ours and the empty one in turn, so that a busy machine slows both."""
    ours, empty, in_page = [], [], []
    for _ in range(rounds):
        ours.append(_load(world, browser, target))
        in_page.append(_load(world, browser, target, host="page"))
        with _instead(bundle, _empty()):
            empty.append(_load(world, browser, target))
    tasks = round(statistics.median(each.long_tasks for each in in_page))
    return Figures(target, _compressed(bundle), _median(ours), _median(empty), tasks)


def _load(world: CheckoutWorld, browser: Browser, target: str, **query: str) -> Seen:
    world.reset()
    world.checkout()
    offers_ahead(world, 103)
    world.app.body = answer(product_offer(world, 102))
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCH)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    world.open(page, target, **query)
    _settle(page, target)
    begun, seen = page.evaluate("performance.timeOrigin"), _seen(page, target)
    own = page.evaluate("seen")
    context.close()
    return Seen(
        painted_ms=seen["painted"] - begun,
        live_ms=seen["live"] - begun if "live" in seen else None,
        requests=sum("/api/" in each for each in sent),
        long_tasks=seen["tasks"] + own["tasks"],
        busy_ms=seen["busy"] + own["busy"],
    )


def _settle(page: Page, target: str) -> None:
    """Wait for the live offer, or for the empty extension's word."""
    frame = page.frame_locator(f"{PLACE.format(target=target)} iframe")
    frame.get_by_text(LIVE).or_(frame.get_by_text("Empty")).first.wait_for()
    page.wait_for_timeout(100)


def _seen(page: Page, target: str) -> dict[str, Any]:
    element = page.locator(f"{PLACE.format(target=target)} iframe").element_handle()
    frame = element.content_frame() if element else None
    assert frame is not None
    found: dict[str, Any] = frame.evaluate("seen")
    return found


@contextmanager
def _instead(bundle: Path, code: str) -> Iterator[None]:
    ours = bundle.read_text()
    bundle.write_text(code)
    try:
        yield
    finally:
        bundle.write_text(ours)


def _empty() -> str:
    source = str(ROOT / "benchmarks" / "bundles" / "empty.jsx")
    flags = ["--bundle", "--format=iife", "--minify", "--jsx=automatic", "--jsx-import-source=preact"]
    command = [str(ROOT / "node_modules/.bin/esbuild"), source, *flags]
    return subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout


def _compressed(bundle: Path) -> int:
    """Return the bytes after brotli, as Shopify and `npm run check:size` count them."""
    read = "require('fs').readFileSync(process.argv[1])"
    command = ["node", "-e", f"console.log(require('zlib').brotliCompressSync({read}).length)", str(bundle)]
    return int(subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout)


def _median(loads: Sequence[Seen]) -> Seen:
    def of(figure: Callable[[Seen], float | None]) -> float | None:
        told = [value for each in loads if (value := figure(each)) is not None]
        return statistics.median(told) if told else None

    return Seen(
        painted_ms=of(lambda each: each.painted_ms) or 0.0,
        live_ms=of(lambda each: each.live_ms),
        requests=round(of(lambda each: each.requests) or 0),
        long_tasks=round(of(lambda each: each.long_tasks) or 0),
        busy_ms=of(lambda each: each.busy_ms) or 0.0,
    )


def _line(each: Figures) -> str:
    ours, empty = each.ours, each.empty
    return (
        f"{NAMES.get(each.target, 'order status'):15} first paint {ours.painted_ms:5.0f} ms "
        f"(empty {empty.painted_ms:5.0f}), live offer {ours.live_ms or 0:5.0f} ms, "
        f"{each.compressed / 1024:.1f} KB, {ours.requests} requests, "
        f"long tasks {ours.long_tasks} (empty {empty.long_tasks}; run in the page {each.long_tasks_in_page})"
    )


if __name__ == "__main__":
    main()
