"""The consent ledger, to look a person up in or to hand over whole."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.consent.entries import Entry
from app.consent.lookup import Person, consent_history, json_line, ledger_lines
from app.errors import NotFound
from app.values import ShopDomain, shop_domain, shopify_id

_ANSWERS = {True: "yes", False: "no", None: "no answer"}


def consent(
    shop: Shop,
    customer: Annotated[str | None, typer.Option("--customer", help="A customer's number or GID")] = None,
    email: Annotated[str | None, typer.Option("--email", help="A customer's e-mail address")] = None,
    client: Annotated[str | None, typer.Option("--client", help="A browser's client id")] = None,
    checkout: Annotated[str | None, typer.Option("--checkout", help="A checkout's token")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print lines of JSON for machines")] = False,
    file: Annotated[Path | None, typer.Option("--out", help="Write here, not to standard output")] = None,
) -> None:
    """Print what a person said about consent, and when; without a name the shop's whole ledger as CSV."""
    domain = shop_domain(shop)
    customer_id = None if customer is None else shopify_id(customer, "customer")
    person = Person(customer_id, email, client, checkout)

    async def run(connections: Connections) -> None:
        if person == Person():
            await _export(connections, domain, "json" if json else "csv", file)
            return
        said = await consent_history(connections, domain, person)
        if not said:
            await known_shop(connections, domain)
            raise NotFound(f"the ledger of {domain} has no word of theirs")
        _deliver([json_line(each) if json else _sentence(each) for each in said], file)

    with_connections(run)


async def _export(connections: Connections, shop: ShopDomain, form: str, file: Path | None) -> None:
    """Write line by line: a ledger need not fit into memory.

    Raises NotFound for a shop that neither has the app nor ever had a word in the ledger.
    """
    if await anext(ledger_lines(connections, shop, "json"), None) is None:
        await known_shop(connections, shop)
    with nullcontext(sys.stdout) if file is None else file.open("w", encoding="utf-8") as out:
        async for line in ledger_lines(connections, shop, form):
            out.write(line + "\n")
    if file is not None:
        typer.echo(f"written to {file}")


def _deliver(lines: list[str], file: Path | None) -> None:
    text = "\n".join(lines)
    if file is None:
        typer.echo(text)
        return
    file.write_text(text + "\n", encoding="utf-8")
    typer.echo(f"written to {file}")


def _sentence(entry: Entry) -> str:
    """Return one word of theirs, as a merchant reads it."""
    where = f" in {entry.region}" if entry.region else ""
    policy = f", policy {entry.policy_version}" if entry.policy_version else ""
    permitted = ", ".join(entry.permitted) or "nothing"
    told = "; ".join(f"{name}: {_spoken(answer)}" for name, answer in entry.told.items())
    allowed = "" if entry.source == "customer_record" else f" (allowed then: {permitted})"
    when = f"{entry.told_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{when}  {entry.subject_kind}, told by {entry.source}{where}{policy}: {told}{allowed}"


def _spoken(answer: Any) -> str:
    return _ANSWERS[answer] if isinstance(answer, bool | None) else str(answer)
