from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import select

from app.connections import Connections
from app.tables import ExclusionRow
from app.upsert import by_key, chunks, delete_keys, each_once, insert_new, upsert

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def row(product_id: int, minutes: int = 0, shop: str = "a.myshopify.com") -> dict[str, Any]:
    return {"shop": shop, "product_id": product_id, "excluded_at": NOON + timedelta(minutes=minutes)}


async def minutes(connections: Connections) -> dict[int, float]:
    async with connections.read() as db:
        rows = (await db.exec(select(ExclusionRow))).all()
    return {row.product_id: (row.excluded_at - NOON).total_seconds() / 60 for row in rows}


async def test_new_rows_are_inserted_and_known_ones_left_alone(on_both_databases: Connections) -> None:
    async with on_both_databases.write() as db:
        await insert_new(db, ExclusionRow, [row(1)])
        await insert_new(db, ExclusionRow, [row(1, 5), row(2, 5)])
        await insert_new(db, ExclusionRow, [])
    assert await minutes(on_both_databases) == {1: 0, 2: 5}


async def test_only_what_is_newer_takes_effect_and_is_told(on_both_databases: Connections) -> None:
    async with on_both_databases.write() as db:
        await insert_new(db, ExclusionRow, [row(1, 5), row(2, 5)])
        kept = await upsert(
            db,
            ExclusionRow,
            [row(1, 9), row(2, 1), row(3, 1)],
            newer=lambda old, new: new.excluded_at >= old.excluded_at,
        )
    assert sorted(number for _, number in kept) == [1, 3]
    assert await minutes(on_both_databases) == {1: 9, 2: 5, 3: 1}


async def test_rows_are_deleted_by_part_of_their_key_in_one_shop(on_both_databases: Connections) -> None:
    async with on_both_databases.write() as db:
        await insert_new(db, ExclusionRow, [row(1), row(2), row(2, shop="b.myshopify.com")])
        await delete_keys(db, ExclusionRow, ("shop", "product_id"), [("a.myshopify.com", 2)])
        await delete_keys(db, ExclusionRow, ("shop",), [])
    assert await minutes(on_both_databases) == {1: 0, 2: 0}


def test_of_one_key_the_latest_is_chosen() -> None:
    rows = [row(1, 5), row(1, 9), row(1, 7), row(2)]
    assert by_key(rows, "product_id", latest="excluded_at") == [row(1, 9), row(2)]
    assert by_key(rows, "product_id") == [row(1, 7), row(2)]


def test_chunks_hold_everything_once() -> None:
    assert list(chunks([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]
    assert list(chunks([], 2)) == []


def test_in_no_part_a_key_is_met_twice_and_those_of_one_key_stay_in_order() -> None:
    assert each_once(["a1", "b1", "a2", "c1", "a3", "b2"], lambda each: each[0]) == [
        ["a1", "b1", "c1"], ["a2", "b2"], ["a3"],
    ]  # fmt: skip
    assert each_once([], str) == []
