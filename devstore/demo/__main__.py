"""`make demo`: a dev store and Tillwise beside it, imported, trained, and open to be tried."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from rich.console import Console

from devstore.demo import show, walk
from devstore.demo.sample import Asked, ask_for_real_carts
from devstore.demo.stage import (
    APP,
    DEV_STORE,
    DEV_STORE_PORT,
    SHOP,
    USUAL_PORT,
    Stage,
    StageFailed,
    control,
    staged,
)

# Two demos at once have a home each.
HOME = Path("var/demo" if DEV_STORE_PORT == USUAL_PORT else f"var/demo-{DEV_STORE_PORT}")
_LIVE_ORDERS = 150
_ASKED = 300


def main() -> int:
    """Run the demo until stopped, or once through. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devstore.demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="walk the journey headless, then stop")
    once = parser.parse_args().once
    console = Console(highlight=False)
    signal.signal(signal.SIGTERM, _stopped)
    try:
        with staged(HOME) as stage:
            _journey(stage, console) if once else _stay_open(stage, console)
    except StageFailed as failure:
        console.print(f"[bold red]The demo failed.[/] {failure}", markup=True, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped.")
    return 0


def _stay_open(stage: Stage, console: Console) -> None:
    control("/control/install")
    show.open_the_app()
    asked = _prepare(stage, console)
    console.print(show.summary_table(show.write_summary(stage, asked, {})))
    console.print(f"\nStorefront  {DEV_STORE}/storefront")
    console.print(f"Checkout    {show.a_checkout()}")
    console.print(f"Admin       {DEV_STORE}/admin?shop={SHOP}")
    console.print(f"Developer   {DEV_STORE}/\n\nCtrl-C stops it.")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


def _journey(stage: Stage, console: Console) -> None:
    pictures = stage.home / "screenshots"
    with walk.walking(pictures, console) as walked:
        walk.merchant_installs(walked)
        asked = _prepare(stage, console)
        walk.shopper_buys(walked)
        earned = walk.merchant_sees_revenue(walked)
    console.print(show.summary_table(show.write_summary(stage, asked, {"attributed_revenue": earned})))
    console.print(f"Screenshots: {pictures}/")


def _prepare(stage: Stage, console: Console) -> Asked:
    """Import, train, let live orders come in, and ask for offers for real carts."""
    stage.tillwise("backfill", "--shop", SHOP, "--follow")
    stage.tillwise("train", "--shop", SHOP, "--follow")
    with console.status(f"{_LIVE_ORDERS} later orders arrive as signed webhooks ..."):
        control("/control/replay", orders=_LIVE_ORDERS)
        control("/control/settle")
    with console.status(f"Asking for offers for {_ASKED} later carts ..."):
        return ask_for_real_carts(APP, _ASKED)


def _stopped(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
