"""What a shop writes to who left a checkout: switched on and off, and looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.files import read_json
from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.reach.message_store import count_messages
from app.reach.settings import Reach, reach_of
from app.reach.settings_store import change_reach
from app.values import shop_domain

Minutes = Annotated[
    int | None,
    typer.Option(min=5, max=24 * 60, help="Minutes of silence after which a checkout was left"),
]


def reach(
    shop: Shop,
    flow: Annotated[bool | None, typer.Option(help="Tell Shopify Flow of abandoned checkouts")] = None,
    mail: Annotated[bool | None, typer.Option(help="Write to who left, by the app's mail server")] = None,
    remind: Annotated[
        bool | None, typer.Option(help="Write also where no campaign has anything to give")
    ] = None,
    idle: Minutes = None,
    delay: Annotated[
        int | None, typer.Option(min=1, max=7 * 24 * 60, help="Minutes after that until it is written")
    ] = None,
    words: Annotated[
        Path | None, typer.Option(help='JSON: {"subject": {"de": "…"}, "body": {"de": "…"}}')
    ] = None,
) -> None:
    """Show or change what is written to customers who left a checkout; nothing is until it is switched on."""
    domain = shop_domain(shop)
    given = {
        "flow": flow, "mail": mail, "remind": remind, "idle_s": idle and idle * 60,
        "delay_s": delay and delay * 60, "words": words and read_json(words),
    }  # fmt: skip
    changes = {name: value for name, value in given.items() if value is not None}

    async def run(connections: Connections) -> None:
        installed = await known_shop(connections, domain)
        wanted = reach_of(installed.settings)
        if changes:
            wanted = await change_reach(connections, domain, changes)
        _show(wanted, await count_messages(connections, domain))

    with_connections(run)


def _show(wanted: Reach, counts: dict[tuple[str, str, str], int]) -> None:
    on = {True: "on", False: "off"}
    typer.echo(
        f"flow {on[wanted.flow]}, mail {on[wanted.mail]}, reminders without a code {on[wanted.remind]}"
    )
    typer.echo(
        f"left after {wanted.idle_s // 60} silent minutes, written to {wanted.delay_s // 60} minutes later"
    )
    for (way, status, reason), count in sorted(counts.items()):
        why = f" ({reason})" if reason else ""
        typer.echo(f"{way}: {count} {status}{why}")
