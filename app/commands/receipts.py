"""Receipts checked: with this installation's key, or with a public key and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.run import with_connections
from app.connections import Connections
from app.consent.receipts import open_receipt_key, totals, verified
from app.errors import InputError


def verify_receipt(
    file: Annotated[Path | None, typer.Argument(help="The receipt as it was handed out")] = None,
    public_key: Annotated[
        str | None, typer.Option("--public-key", help="The key to check with; needs no installation")
    ] = None,
    key: Annotated[bool, typer.Option("--key", help="Print this installation's public key")] = False,
) -> None:
    """Check a receipt of an erasure: that it was signed here, and not a byte of it changed since."""
    if key:
        with_connections(_print_key)
    elif file is None:
        raise InputError("name the receipt's file, or ask for the public key with --key")
    elif public_key is not None:
        _check(file, public_key)
    else:

        async def run(connections: Connections) -> None:
            _check(file, (await open_receipt_key(connections)).public)

        with_connections(run)


async def _print_key(connections: Connections) -> None:
    typer.echo((await open_receipt_key(connections)).public)


def _check(file: Path, public_key: str) -> None:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from None
    receipt = verified(content, public_key)
    typer.echo(f"genuine: receipt {receipt.receipt_id} of {receipt.done_at:%Y-%m-%d %H:%M} UTC")
    typer.echo(f"  {receipt.kind}: {receipt.says}")
    typer.echo(f"  found: {totals(receipt.found)}")
    typer.echo(f"  second look: {totals(receipt.second_look)}")
    for store, each in receipt.kept.items():
        typer.echo(f"  kept: {each['count']} {store}: {each['reason']}")
