"""`python -m devstore`: serve the demo shop on this machine."""

import argparse
import gc
import os
import sys
from pathlib import Path

import uvicorn

from devstore.app_config import DEMO_KEY, DEMO_SECRET, ConfigurationError, load
from devstore.demo import DOMAIN, MissingData, build
from devstore.functions import built_functions
from devstore.main import create_app, create_store
from devstore.pages import routes
from devstore.pages.builds import EXTENSION, PIXEL, THEME, Builds
from devstore.store import utc_now

ROOT = Path(__file__).resolve().parent.parent


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(
        prog="python -m devstore",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        description="Shopify's side of every conversation, for development: a demo shop with an Admin API, "
        "signed webhooks, checkout, storefront and admin pages.",
    )
    made.add_argument("--port", type=int, default=4700, help="where to listen, on 127.0.0.1")
    made.add_argument("--app-url", default="http://127.0.0.1:4701", help="where the app runs")
    made.add_argument(
        "--config", type=Path, default=ROOT / "shopify.app.toml", help="the app's configuration"
    )
    made.add_argument(
        "--households",
        type=households,
        default=400,
        help="how many households the demo shop has, at least one",
    )
    made.add_argument(
        "--currency", default="USD", help="the demo shop's; its prices keep their digits: 3.49 is 349 in JPY"
    )
    made.add_argument(
        "--time-scale", type=float, default=0.001, help="seconds a second between retries takes"
    )
    return made


def households(told: str) -> int:
    """Return the number. Raises ArgumentTypeError below one: a shop that nobody buys at has no products."""
    if (number := int(told)) < 1:
        raise argparse.ArgumentTypeError("it has to be at least one")
    return number


def main() -> int:
    """Serve until stopped; return 1 with a sentence when something is missing."""
    asked = parser().parse_args()
    key = os.environ.get("SHOPIFY_API_KEY", DEMO_KEY)
    secret = os.environ.get("SHOPIFY_API_SECRET", DEMO_SECRET)
    base_url = f"http://127.0.0.1:{asked.port}"
    try:
        config = load(asked.config, asked.app_url, key, secret)
        shop = build(utc_now(), households=asked.households, base_url=base_url)
        shop.currency = asked.currency
    except (ConfigurationError, MissingData) as error:
        sys.stderr.write(f"devstore: {error}\n")
        return 1
    gc.freeze()  # the shop stays as long as the process: collecting it over and over costs seconds
    store = create_store(config, [shop], base_url=base_url, time_scale=asked.time_scale)
    folder = ROOT / "extensions"
    shop.functions = built_functions(folder)
    # As scripts/build leaves it: a demo on other ports has the same bundles, and an app of its own.
    built_for = ROOT / ".venv" / ".built"
    moved = (built_for.read_text(), asked.app_url) if built_for.is_file() else None
    builds = Builds({name: folder / name for name in (EXTENSION, PIXEL)}, folder / THEME, moved)
    sys.stdout.write(f"dev store for {DOMAIN} at {base_url}\n")
    app = create_app(store, routes(builds), builds=builds)
    uvicorn.run(app, host="127.0.0.1", port=asked.port, log_level="warning")
    return 0


if __name__ == "__main__":
    sys.exit(main())
