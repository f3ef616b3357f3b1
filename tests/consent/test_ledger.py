import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from app.connections import Connections
from app.consent import ledger
from app.consent.entries import Entry
from app.consent.ledger import (
    answers_of,
    append,
    customers_answers,
    every_entry,
    histories,
    restore_told,
)
from app.consent.policy import PURPOSES, Answers
from app.consent.told import KEPT_S, told_key, unpack
from app.privacy_tables import ConsentRow, ErasedRow
from app.tables import ShopRow

ROOT = Path(__file__).parents[2]
SHOP, OTHER = "a.myshopify.com", "b.myshopify.com"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
YES, NO = dict.fromkeys(PURPOSES, True), dict.fromkeys(PURPOSES, False)


async def install(connections: Connections, *shops: str) -> None:
    async with connections.write() as db:
        for shop in shops or (SHOP,):
            db.add(ShopRow(shop=shop, publishable_key=f"pk_{shop}", installed_at=NOON))


def word(minute: int, subject: str = "s", told: dict[str, Any] = YES, **changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "subject": subject, "subject_kind": "customer", "event_id": f"e{minute}",
        "told_at": NOON + timedelta(minutes=minute), "source": "checkout", "told": told,
        "permitted": ("analytics",), "region": "US-CA", "policy_version": "v",
    }  # fmt: skip
    return Entry(**(fields | changes))


async def rows(connections: Connections) -> list[ConsentRow]:
    async with connections.read() as db:
        return list((await db.exec(select(ConsentRow).order_by(col(ConsentRow.id)))).all())


async def told(connections: Connections, subject: str = "s", shop: str = SHOP) -> Answers | None:
    return unpack(await connections.redis.get(told_key(shop, subject)))


async def test_a_word_is_kept_with_all_that_is_known_of_it(on_both_databases: Connections) -> None:
    await install(on_both_databases)
    await append(on_both_databases, SHOP, [word(0)])
    (row,) = await rows(on_both_databases)
    assert (row.shop, row.subject, row.subject_kind, row.event_id) == (SHOP, "s", "customer", "e0")
    assert (row.told_at, row.source, row.region, row.policy_version) == (NOON, "checkout", "US-CA", "v")
    assert (row.told, row.answers, row.permitted) == (YES, YES, ["analytics"])
    assert await told(on_both_databases) == Answers(True, True, True, True)
    key = told_key(SHOP, "s")
    assert KEPT_S - 60 < await on_both_databases.redis.ttl(key) <= KEPT_S


async def test_words_out_of_order_and_doubled_end_where_those_in_order_do(
    on_both_databases: Connections,
) -> None:
    await install(on_both_databases)
    for entry in (word(2, told=NO), word(1), word(2, told=NO), word(1)):
        await append(on_both_databases, SHOP, [entry])
    assert [row.event_id for row in await rows(on_both_databases)] == ["e2", "e1"]
    assert await told(on_both_databases) == Answers(False, False, False, False)


async def test_words_at_the_same_moment_are_all_kept(on_both_databases: Connections) -> None:
    await install(on_both_databases)
    each = [word(at, told={purpose: True}) for at, purpose in enumerate(PURPOSES)]
    await asyncio.gather(*(append(on_both_databases, SHOP, [entry]) for entry in each))
    assert len(await rows(on_both_databases)) == len(PURPOSES)
    assert await told(on_both_databases) == Answers(True, True, True, True)
    assert (await rows(on_both_databases))[-1].answers == YES


async def test_a_shop_that_was_erased_has_no_ledger(connections: Connections) -> None:
    await append(connections, SHOP, [word(0)])
    assert await rows(connections) == []
    assert await told(connections) is None


async def test_shops_do_not_share_a_ledger(connections: Connections) -> None:
    await install(connections, SHOP, OTHER)
    await append(connections, SHOP, [word(0)])
    await append(connections, OTHER, [word(0, told=NO)])
    assert await told(connections) == Answers(True, True, True, True)
    assert await told(connections, shop=OTHER) == Answers(False, False, False, False)
    assert [entry.told async for entry in every_entry(connections, OTHER)] == [NO]
    assert [entry.told for entry in (await histories(connections, SHOP, ["s"]))["s"]] == [YES]


async def test_what_stands_is_put_back_into_a_redis_that_was_lost(connections: Connections) -> None:
    await install(connections, SHOP, OTHER)
    await append(connections, SHOP, [word(0), word(1, told=NO)])
    await append(connections, OTHER, [word(0, "t")])
    await append(connections, SHOP, [word(3, "r", {"email_marketing": "subscribed"})])
    await connections.redis.flushall()
    assert await restore_told(connections) == 2
    assert await told(connections) == Answers(False, False, False, False)
    assert await told(connections, "t", OTHER) == Answers(True, True, True, True)
    assert await told(connections, "r") is None
    assert await restore_told(connections) == 0


async def test_a_newer_word_is_not_overwritten_when_a_redis_is_filled_again(connections: Connections) -> None:
    await install(connections)
    await append(connections, SHOP, [word(0)])
    await connections.redis.flushall()
    await append(connections, SHOP, [word(1, told=NO)])
    await restore_told(connections)
    assert await told(connections) == Answers(False, False, False, False)


async def test_whoever_was_erased_is_history_and_not_remembered(connections: Connections) -> None:
    await install(connections)
    await append(connections, SHOP, [word(0)])
    async with connections.write() as db:
        db.add(ErasedRow(shop=SHOP, subject="s", erased_at=NOON + timedelta(minutes=5)))
    await connections.redis.flushall()
    await append(connections, SHOP, [word(1, told=NO)])
    assert await told(connections) is None
    assert await restore_told(connections) == 0
    await append(connections, SHOP, [word(9)])
    assert await told(connections) == Answers(True, True, True, True)


async def test_what_was_allowed_before_an_erasure_allows_nothing_after_it(
    on_both_databases: Connections,
) -> None:
    connections = on_both_databases
    await install(connections)
    await append(connections, SHOP, [word(0), word(0, "other")])
    async with connections.write() as db:
        db.add(ErasedRow(shop=SHOP, subject="s", erased_at=NOON + timedelta(minutes=5)))
    async with connections.read() as db:
        assert (await answers_of(db, SHOP, ["s", "other"])).keys() == {"other"}
        assert (await customers_answers(db, SHOP)).keys() == {"other"}
    back = word(9, told={**dict.fromkeys(PURPOSES), "analytics": True})
    await append(connections, SHOP, [back, back])
    assert await told(connections) == Answers(analytics=True)
    async with connections.read() as db:
        assert (await answers_of(db, SHOP, ["s"]))["s"] == Answers(analytics=True)
        assert (await customers_answers(db, SHOP))["s"] == Answers(analytics=True)
    assert [entry.event_id for entry in (await histories(connections, SHOP, ["s"]))["s"]] == ["e0", "e9"]


async def test_a_word_from_before_an_erasure_that_comes_twice_is_kept_once(connections: Connections) -> None:
    await install(connections)
    async with connections.write() as db:
        db.add(ErasedRow(shop=SHOP, subject="s", erased_at=NOON + timedelta(minutes=5)))
    late = word(1)
    for _ in range(2):
        await append(connections, SHOP, [late])
    assert len(await rows(connections)) == 1


async def test_a_ledger_of_many_pages_is_read_whole(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_PAGE", 3)
    await install(connections)
    for size in (3, 4):
        await append(connections, SHOP, [word(at, f"s{size}-{at}") for at in range(size)])
    assert len([entry async for entry in every_entry(connections, SHOP)]) == 7
    async with connections.read() as db:
        assert len(await customers_answers(db, SHOP)) == 7


def test_no_code_changes_a_row_of_the_ledger() -> None:
    """Rows are added in one place, and deleted only when they are past the shop's limit."""
    sources = [path for folder in ("app", "webhooks") for path in (ROOT / folder).rglob("*.py")]
    users = {path for path in sources if re.search(r"\bConsentRow\b", path.read_text("utf-8"))}
    made = {path for path in users if re.search(r"\bConsentRow\(\*", path.read_text("utf-8"))}
    assert made == {ROOT / "app/consent/ledger.py"}
    for path in users:
        text = path.read_text("utf-8")
        assert not re.search(r"\b(update|upsert)\([^)]*(ConsentRow|_CONSENTS)", text, re.DOTALL), path
        assert not re.search(r"(?:ConsentRow|_CONSENTS)\.update\(", text), path
    written = re.compile(r"\brow\.(told|answers|permitted|told_at|source|region|policy_version) = ")
    assert not [path for path in users if written.search(path.read_text("utf-8"))]
