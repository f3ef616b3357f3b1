"""`make bench`: what the app costs, as ratios to a plain route of the same server in the same run."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from benchmarks import (
    campaigns,
    decide,
    decide_shops,
    extension,
    follow,
    fresh,
    large_pages,
    pages,
    rules,
    storefront,
    training,
    webhooks,
    worked,
)


def main() -> None:
    """Run the benchmarks, print them, and keep them as JSON when asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each load lasts")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    asked = parser.parse_args()
    print("POST /api/personalize, a made-up shop of 1,000 products")
    decided = decide.main(asked.seconds)
    print("\none process where many shops are installed")
    many = decide_shops.main(asked.seconds)
    print("\nthe shop of the first with campaigns")
    nudged = campaigns.main(asked.seconds)
    print("\nPOST /webhooks, signed orders into SQLite")
    received = webhooks.main(asked.seconds)
    print("\nwhat one process takes in and one worker works off, on SQLite")
    worked_off = worked.main()
    print("\nan order to its customer's profile and segments, 400 customers")
    followed = follow.main(asked.seconds * 4)
    print("\nan order and a new product to the model that serves, 1,000 products")
    freshened = fresh.main()
    print("\ntraining and ranking beside other models, 10,000 orders of a grocer's")
    trained = training.main()
    print("\na shop's rules, all at once")
    ruled = rules.main()
    print("\nwhat a merchant waits for, on the demo's shop")
    opened = pages.main()
    print("\nthe same in a shop with many decisions, by the processor")
    large = large_pages.main()
    print("\nwhat a shopper waits for, in a browser")
    shown = extension.main()
    print("\nwhat the storefront's pages pay, by Lighthouse")
    stores = storefront.main()
    if asked.json:
        figures = {
            "decide": asdict(decided) | {"ratio": decided.ratio},
            "decide_shops": [asdict(each) for each in many],
            "campaigns": [asdict(each) for each in nudged],
            "webhooks": asdict(received) | {"ratio": received.ratio},
            "worked": [asdict(each) for each in worked_off],
            "follow": asdict(followed),
            "fresh": asdict(freshened),
            "training": [asdict(each) for each in trained],
            "rules": asdict(ruled),
            "pages": [asdict(each) for each in opened],
            "large_pages": [asdict(each) for each in large],
            "extension": [asdict(each) for each in shown],
            "storefront": [asdict(each) | {"loss": each.loss} for each in stores],
        }
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
