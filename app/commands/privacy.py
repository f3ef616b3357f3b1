"""What Shopify's privacy topics ask for, by hand: a person's data, a person or a shop erased."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from secrets import token_hex
from typing import Annotated

import msgspec
import typer

from app.commands.files import check_writable
from app.commands.run import Shop, ask_about, known_shop, with_connections
from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.receipts import Signed, written
from app.consent.requests import Kind, open_request
from app.errors import InputError, NotAllowed, NotFound
from app.privacy.erasure import erase_person
from app.privacy.export import Export, answer_data_request, as_csv, as_json, export_person
from app.privacy.lookup import customer_of_address
from app.privacy.person import Person
from app.privacy.shop import erase_shop, shop_data
from app.shops.store import get_shop
from app.values import ShopDomain, shop_domain, shopify_id

Customer = Annotated[
    str | None, typer.Option("--customer", help="The customer's number or gid://shopify/Customer/…")
]
Email = Annotated[str | None, typer.Option("--email", help="The customer's e-mail address")]
Client = Annotated[str | None, typer.Option("--client", help="The id a browser goes under")]
Checkout = Annotated[str | None, typer.Option("--checkout", help="A checkout's token")]


class Form(StrEnum):
    """How an export is written."""

    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Named:
    """Whom the command line names."""

    customer: str | None
    email: str | None
    client: str | None
    checkout: str | None

    def __bool__(self) -> bool:
        return any((self.customer, self.email, self.client, self.checkout))

    def __str__(self) -> str:
        names = (("customer", self.customer), ("e-mail", self.email and "given"), ("browser", self.client))
        return " ".join(f"{kind} {name}" for kind, name in (*names, ("checkout", self.checkout)) if name)


def export(
    shop: Shop,
    customer: Customer = None,
    email: Email = None,
    client: Client = None,
    checkout: Checkout = None,
    request: Annotated[
        str | None, typer.Option("--request", help="Answer this open request for data, and close it")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="csv: a ZIP with one table a store")] = Form.JSON,
    file: Annotated[Path | None, typer.Option("--out", help="Write here, not to standard output")] = None,
) -> None:
    """Write everything held about a person, as JSON or CSV, for the merchant to pass on."""
    domain, named = shop_domain(shop), Named(customer, email, client, checkout)
    if bool(named) == bool(request):
        raise InputError("name a person (--customer, --email, --client, --checkout) or a --request")
    if form is Form.CSV and file is None:
        raise InputError("an archive needs a file: add --out")
    check_writable(file)  # a request is done once it is answered

    async def run(connections: Connections) -> None:
        if request:
            await known_shop(connections, domain)
            found, signed = await answer_data_request(connections, domain, request)
            sys.stderr.write(f"request {request} is done, receipt {signed.receipt.receipt_id}\n")
        else:
            found = await export_person(connections, await _person(connections, domain, named))
            if found.is_empty:
                await known_shop(connections, domain)
                raise NotFound(f"nothing is held about {named} of {domain}")
        _deliver(found, form, file)

    with_connections(run)


def erase(
    shop: Shop,
    customer: Customer = None,
    email: Email = None,
    client: Client = None,
    checkout: Checkout = None,
    yes: Annotated[bool, typer.Option("--yes", help="Erase a shop that still has the app")] = False,
    receipt: Annotated[Path | None, typer.Option("--receipt", help="Write the signed receipt here")] = None,
) -> None:
    """Erase a person, or with nobody named all that is held of a shop. A repeat finds nothing."""
    domain, named = shop_domain(shop), Named(customer, email, client, checkout)
    check_writable(receipt)

    async def run(connections: Connections) -> None:
        if named:
            signed = await _erase_person(connections, domain, named)
        else:
            signed = await _erase_shop(connections, domain, yes)
        if receipt is not None:
            receipt.write_bytes(written(signed))
        typer.echo(f"receipt {signed.receipt.receipt_id}{f', written to {receipt}' if receipt else ''}")

    with_connections(run)


async def _person(connections: Connections, shop: ShopDomain, named: Named) -> Person:
    customers = [] if named.customer is None else [shopify_id(named.customer, "customer")]
    digests: list[str] = []
    if named.email is not None:
        digests.append((await open_digests(connections)).of_email(shop, named.email))
        found = None if customers else await customer_of_address(connections, shop, named.email)
        customers += [] if found is None else [found]
    return Person(
        shop=shop,
        customer_ids=frozenset(customers),
        email_digests=frozenset(digests),
        client_ids=frozenset(filter(None, [named.client])),
        checkout_tokens=frozenset(filter(None, [named.checkout])),
    )


async def _erase_person(connections: Connections, shop: ShopDomain, named: Named) -> Signed:
    await known_shop(connections, shop)  # no receipt for whoever was not looked for
    person = await _person(connections, shop, named)
    request = await open_request(
        connections, shop, _by_hand(), Kind.CUSTOMER, datetime.now(UTC), names=msgspec.to_builtins(person)
    )
    signed = await erase_person(connections, shop, request.request_id)
    told = signed.receipt
    _tell(f"{named} of {shop}", "erased", {**told.deleted, **told.anonymised})
    for store, each in told.kept.items():
        typer.echo(f"  kept: {each['count']} {store}: {each['reason']}")
    return signed


async def _erase_shop(connections: Connections, shop: ShopDomain, yes: bool) -> Signed:
    known = await get_shop(connections, shop)
    asked = "" if known else await ask_about(connections, shop)
    if asked and not any((await shop_data(connections, shop)).values()):
        raise NotFound(f"nothing is held of {shop}: {asked}")  # no receipt for a name that is mistyped
    if known is not None and known.uninstalled_at is None and not yes:
        _tell(shop, "would be erased", await shop_data(connections, shop))
        raise NotAllowed(f"{shop} still has the app: uninstall it first, or add --yes")
    request = await open_request(connections, shop, _by_hand(), Kind.SHOP, datetime.now(UTC))
    signed = await erase_shop(connections, shop, request.request_id)
    _tell(shop, "erased", signed.receipt.found)
    return signed


def _by_hand() -> str:
    """Return the id of a request that no delivery of Shopify's made."""
    return f"operator:{token_hex(8)}"


def _tell(whose: str, what: str, counts: Mapping[str, int]) -> None:
    found = [f"{count} {name}" for name, count in counts.items() if count > 0]
    typer.echo(f"{whose}: {what}: {', '.join(found)}" if found else f"{whose}: nothing is held")


def _deliver(found: Export, form: Form, file: Path | None) -> None:
    content = as_json(found) if form is Form.JSON else as_csv(found)
    if file is None:
        typer.echo(content.decode(), nl=False)
        return
    file.write_bytes(content)
    typer.echo(f"written to {file}")
