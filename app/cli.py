"""The `tillwise` command: what each part of the app does by hand, by what it is for in PANELS.

What trains is imported where it is called: it makes a process by 130 MB larger and some seconds later.
"""

from __future__ import annotations

import os
import signal

# During the imports Ctrl-C would end in a traceback; left to the kernel, in nothing: polars takes it.
_interrupt = signal.getsignal(signal.SIGINT)
if _interrupt is signal.default_int_handler:
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

from app.memory import share_one_heap

share_one_heap()  # before anything that is imported starts threads, which would have heaps of their own

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from cryptography.fernet import Fernet
from rich.console import Console

from app import __version__, processes
from app.commands.alerts import alerts
from app.commands.api_key import api_key
from app.commands.attribution import attribution
from app.commands.audit import audit
from app.commands.campaigns import campaigns
from app.commands.consent import consent
from app.commands.copy_database import copy_database
from app.commands.decisions import replay
from app.commands.evaluate_policy import evaluate_policy
from app.commands.experiment import experiment
from app.commands.kpis import kpis
from app.commands.offers_ahead import offers_ahead
from app.commands.outbound import webhook, write_back
from app.commands.parked import parked
from app.commands.pause import pause
from app.commands.privacy import erase, export
from app.commands.reach import reach
from app.commands.receipts import verify_receipt
from app.commands.reencrypt import reencrypt
from app.commands.rollback import rollback
from app.commands.run import AnyShop, Shop, known_shop, with_connections
from app.config import read_settings
from app.connections import Connections
from app.doctor import examine
from app.errors import InputError, ShopifyError, TillwiseError
from app.findings import Finding
from app.logs import start_logging
from app.progress_bars import ask_for_backfill, follow_backfill, follow_training, step_bars
from app.shop_doctor import examine_shop
from app.values import ShopDomain, shop_domain

signal.signal(signal.SIGINT, _interrupt)

cli = typer.Typer(
    name="tillwise",
    epilog="Exit codes: 0 done, 1 refused or failed, 2 called wrongly, 3 Shopify.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
out = Console(highlight=False)
_OF_EACH_SHOP = {"settings", "database", "redis"}  # without these no shop can be looked at

Follow = Annotated[bool, typer.Option("--follow", help="Only watch what the worker does")]


def _tell_version(asked: bool) -> None:
    if asked:
        version()
        raise typer.Exit


@cli.callback()
def tillwise(
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version")
    ] = False,
) -> None:
    """Personalised checkout for Shopify, under consent, measured honestly."""


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    worker: Annotated[
        bool | None,
        typer.Option(help="Run the worker beside it; by default when REDIS_URL is not set"),
    ] = None,
) -> None:
    """Answer Shopify, checkouts and the admin."""
    start_logging()
    settings = read_settings()
    with_worker = settings.redis_url is None if worker is None else worker
    processes.serve(settings, host=host, with_worker=with_worker)


def worker() -> None:
    """Process webhooks and events, import shops and train models."""
    start_logging()
    processes.work(read_settings())


def backfill(shop: Shop, follow: Follow = False) -> None:
    """Import a shop's products, customers and orders; the worker does it, this shows how far it is."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        await (follow_backfill if follow else ask_for_backfill)(connections, domain, out)

    with_connections(run)


def train(shop: Shop, follow: Follow = False) -> None:
    """Train a shop's model now and publish it if it is good enough."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        if follow:
            await follow_training(connections, domain, out)
        else:
            await _train(connections, domain)

    with_connections(run)


async def _train(connections: Connections, shop: ShopDomain) -> None:
    from app.recommend.retrain import train_shop

    await known_shop(connections, shop)
    card = await train_shop(connections, shop)
    verb = "published" if card.decision.publish else "not published"
    out.print(f"{card.version}: {verb}. {card.decision.reason}")


def evaluate(
    orders: Annotated[
        Path,
        typer.Option(
            help="Shopify's export, or CSV or Parquet: order_id, customer_id, created_at, product_id, …"
        ),
    ],
    products: Annotated[
        Path | None,
        typer.Option(
            help="Shopify's export, or CSV or Parquet: product_id, title, vendor, product_type, tags"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same figures")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines")] = False,
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="Folder for evaluation.json and evaluation.png")
    ] = None,
) -> None:
    """Train on a shop's own export and report how well it would have recommended, beside baselines."""
    from app.recommend.evaluate import evaluate_files
    from app.recommend.plot import write_report

    if json:
        report = evaluate_files(orders, products, seed=seed)
        sys.stdout.write(report.to_json() + "\n")
    else:
        with step_bars(out) as progress:
            report = evaluate_files(orders, products, seed=seed, progress=progress)
        out.print(*report.tables())
    if out_dir is not None:
        write_report(report, out_dir)


def doctor(shop: AnyShop = None) -> None:
    """Check the settings and all the app is connected to, or a shop; says what is wrong and what to do."""
    start_logging("CRITICAL")  # what brokers' clients log of it is said below
    domain = None if shop is None else shop_domain(shop)
    findings = asyncio.run(examine())
    away = next((each.name for each in findings if not each.ok and each.name in _OF_EACH_SHOP), None)
    if domain is not None and away:
        findings.append(Finding("shop", False, f"{domain} is not looked at before {away} is mended"))
    _tell(findings)
    if domain is not None and not away:

        async def run(connections: Connections) -> None:
            found = await examine_shop(connections, domain)
            _tell(found)
            findings.extend(found)

        with_connections(run)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _tell(findings: Sequence[Finding]) -> None:
    for finding in findings:
        out.print(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.name}: {finding.says}", soft_wrap=True)


def key() -> None:
    """Print a new key for TOKEN_ENCRYPTION_KEYS."""
    out.print(Fernet.generate_key().decode())


def version() -> None:
    """Print the version."""
    out.print(__version__)


PANELS: Mapping[str, tuple[Callable[..., None] | typer.Typer, ...]] = {
    "Run it": (serve, worker, doctor, parked, key, reencrypt, copy_database, version),
    "A shop's data and its model": (backfill, train, rollback, evaluate),
    "What shoppers see": (campaigns, pause, offers_ahead, reach),
    "What came of it": (alerts, kpis, attribution, experiment, replay, evaluate_policy),
    "Privacy": (consent, export, erase, verify_receipt, audit),
    "Other systems": (write_back, webhook, api_key),
}
for panel, commands in PANELS.items():
    for command in commands:
        if isinstance(command, typer.Typer):
            cli.add_typer(command, rich_help_panel=panel)
        else:
            cli.command(rich_help_panel=panel)(command)


def main() -> NoReturn:
    """Run the command; our own errors are one clear line and an exit code, not a traceback.

    So is a file that can't be read or written.
    """
    try:
        cli()
    except ShopifyError as error:
        _fail(error, 3)
    except InputError as error:
        _fail(error, 2)
    except TillwiseError as error:
        _fail(error, 1)
    except OSError as error:
        if error.filename is None:
            raise
        _fail(InputError(f"{error.filename}: {error.strerror}"), 1)
    raise SystemExit(0)


def _fail(error: TillwiseError, code: int) -> NoReturn:
    sys.stderr.write(f"tillwise: {error}\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
