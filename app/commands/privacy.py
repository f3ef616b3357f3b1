"""What Shopify's privacy topics ask for, by hand: a customer's data, a customer or a shop erased."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.commands.run import Shop, with_connections
from app.connections import Connections
from app.errors import NotAllowed, NotFound
from app.events.kinds import CustomerRedactionRequested
from app.shops.store import get_shop
from app.values import ShopDomain, shop_domain, shopify_id
from webhooks.compliance import customer_data, erase_shop, redact_customer, shop_data

Customer = Annotated[
    str, typer.Option("--customer", help="The customer's number or gid://shopify/Customer/…")
]


def export(
    shop: Shop,
    customer: Customer,
    file: Annotated[Path | None, typer.Option("--out", help="Write here, not to standard output")] = None,
) -> None:
    """Print everything held about a customer as JSON, for the merchant to pass on."""
    domain, customer_id = shop_domain(shop), shopify_id(customer, "customer")

    async def run(connections: Connections) -> None:
        held = await customer_data(connections, domain, customer_id)
        if not any(held.values()):
            raise NotFound(f"nothing is held about customer {customer_id} of {domain}")
        _deliver(msgspec.json.format(msgspec.json.encode(held)).decode(), file)

    with_connections(run)


def erase(
    shop: Shop,
    customer: Annotated[
        str | None, typer.Option("--customer", help="This customer only, not the whole shop")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Erase a shop that still has the app")] = False,
) -> None:
    """Erase a customer, or without --customer all that is held of a shop. A repeat changes nothing."""
    domain = shop_domain(shop)
    customer_id = None if customer is None else shopify_id(customer, "customer")

    async def run(connections: Connections) -> None:
        if customer_id is None:
            await _erase_shop(connections, domain, yes)
        else:
            await _erase_customer(connections, domain, customer_id)

    with_connections(run)


async def _erase_customer(connections: Connections, shop: ShopDomain, customer_id: int) -> None:
    before = await customer_data(connections, shop, customer_id)
    request = CustomerRedactionRequested(
        shop=shop, event_id="", happened_at=datetime.now(UTC), customer_id=customer_id, order_ids=()
    )
    await redact_customer(connections, request)
    after = await customer_data(connections, shop, customer_id)
    gone = {name: len(rows) - len(after[name]) for name, rows in before.items()}
    _tell(f"customer {customer_id} of {shop}", "erased", gone)
    if any(gone.values()):
        typer.echo("orders, their lines and decisions stay in the merchant's sums and no longer name anyone")


async def _erase_shop(connections: Connections, shop: ShopDomain, yes: bool) -> None:
    held, known = await shop_data(connections, shop), await get_shop(connections, shop)
    if known is not None and known.uninstalled_at is None and not yes:
        _tell(shop, "would be erased", held)
        raise NotAllowed(f"{shop} still has the app: uninstall it first, or add --yes")
    await erase_shop(connections, shop)
    left = await shop_data(connections, shop)
    _tell(shop, "erased", {name: count - left[name] for name, count in held.items()})


def _tell(whose: str, what: str, counts: Mapping[str, int]) -> None:
    found = [f"{count} {name}" for name, count in counts.items() if count > 0]
    typer.echo(f"{whose}: {what}: {', '.join(found)}" if found else f"{whose}: nothing is held")


def _deliver(text: str, file: Path | None) -> None:
    if file is None:
        typer.echo(text)
        return
    file.write_text(text + "\n", encoding="utf-8")
    typer.echo(f"written to {file}")
