"""What was erased is in no file of the database's either, also where somebody held its log up."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import make_url, text

from app.connections import Connections
from app.events.kinds import CustomerRedactionRequested
from tests.privacy.planted import ROSA, SHOP, plant
from webhooks.compliance import finish_erasures, redact_customer

MARKERS = [ROSA.client.encode(), str(ROSA.customer).encode()]


def in_files(connections: Connections) -> set[str]:
    """Return in which of SQLite's files somebody still is: the database's own and its log."""
    database = make_url(connections.settings.database_url).database
    assert database is not None
    files = [Path(f"{database}{suffix}") for suffix in ("", "-wal")]
    return {file.name for file in files if any(each in file.read_bytes() for each in MARKERS)}


async def test_an_erasure_leaves_nothing_in_the_databases_log_whoever_reads_meanwhile(
    connections: Connections,
) -> None:
    await plant(connections, ROSA)
    event = CustomerRedactionRequested(
        shop=SHOP, event_id="r", happened_at=datetime.now(UTC), customer_id=ROSA.customer, order_ids=()
    )
    async with connections.read() as reader:
        await (await reader.connection()).execute(text("SELECT count(*) FROM orders"))
        await redact_customer(connections, event)
        assert in_files(connections)
    await finish_erasures(connections)
    assert not in_files(connections)
