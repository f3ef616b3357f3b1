"""A planted person: found in every store, shown, erased everywhere, and a receipt that tells the truth."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.holdings import HOLDINGS, Effect, erasable
from app.consent.receipts import Signed, open_receipt_key, verified, written
from app.consent.requests import Kind, Status, open_request, read_request
from app.coupon_tables import CouponRow
from app.orders.customers import record_customers
from app.privacy import erasure
from app.privacy.erasure import erase_person
from app.privacy.person import Person, find_person
from app.privacy.rows import erase_rows, read_rows
from app.privacy.stores import count_held, data_subject, read_held
from app.privacy_tables import ReceiptRow
from app.reach.message_store import note_shown, shown_as
from app.recommend.publish import current_version, latest, load
from app.tables import DecisionRow, EventRow, InboxRow, ModelRow, OrderRow
from tests.consent.issued import receipts_of
from tests.privacy.planted import NOW, OTTO, ROSA, SHOP, Planted, dump, found_in, home, plant
from webhooks.payload import Payload
from webhooks.read_admin import read_customer


def named(who: Planted) -> Person:
    return Person(shop=SHOP, customer_ids=frozenset({who.customer}))


async def asked(connections: Connections, who: Planted = ROSA, request_id: str = "r") -> str:
    await open_request(
        connections, SHOP, request_id, Kind.CUSTOMER, datetime.now(UTC), customer_id=who.customer
    )
    return request_id


async def erased(connections: Connections, who: Planted = ROSA, request_id: str = "r") -> Signed:
    return await erase_person(connections, SHOP, await asked(connections, who, request_id))


async def held(connections: Connections, who: Planted) -> dict[str, Any]:
    return await read_held(await data_subject(connections, await find_person(connections, named(who))))


class Died(BaseException):
    """The process went away."""


# What only an erasure writes, beside the shop's own.
_AFTERWARDS = {"erased", "receipts"}


async def test_a_planted_person_is_found_in_every_store(on_both_databases: Connections) -> None:
    await plant(on_both_databases, ROSA, OTTO)
    counts = {store: len(rows) for store, rows in (await held(on_both_databases, ROSA)).items()}
    assert {store for store, count in counts.items() if not count} == _AFTERWARDS
    assert counts["events"] == 4
    assert counts["decisions"] == 3
    assert counts["model files"] == 3
    assert counts["inbox"] == 6
    assert counts["event log"] == 10  # two of them handled, and not trimmed yet
    assert counts["dead letters"] == 1


async def test_who_was_in_more_checkouts_than_a_statement_has_parameters_is_found_and_erased_by_all(
    on_both_databases: Connections,
) -> None:
    """PostgreSQL takes 32,767 of them, and SQLite no expression a thousand deep."""
    names = frozenset(f"t{each}" for each in range(32_768))
    sought = await data_subject(on_both_databases, Person(shop=SHOP, checkout_tokens=names))
    async with on_both_databases.write() as db:
        for who in (min(sought.subjects), "somebody-else"):
            document = f'{{"subject":"{who}"}}'
            db.add(ReceiptRow(receipt_id=who, owner="o", done_at=NOW, document=document, signature=""))
        for token in (min(names), max(names), "another's"):
            at = {"happened_at": NOW, "recorded_at": NOW}
            db.add(EventRow(shop=SHOP, event_id=token, name="n", checkout_token=token, **at))
    assert (await find_person(on_both_databases, sought.person)).checkout_tokens == names
    rows = await read_rows(on_both_databases, sought.person, sought.subjects)
    assert [each["receipt_id"] for each in rows["receipts"]] == [min(sought.subjects)]
    assert [each["event_id"] for each in rows["events"]] == [min(names), max(names)]
    async with on_both_databases.write() as db:
        await erase_rows(await db.connection(), sought.person, sought.subjects, [], {"status": "done"})
        assert (await db.exec(select(EventRow.event_id))).all() == ["another's"]


async def test_after_the_receipt_no_store_holds_a_marker_and_nobody_else_lost_anything(
    on_both_databases: Connections,
) -> None:
    await plant(on_both_databases, ROSA, OTTO)
    before = await held(on_both_databases, OTTO)
    places = found_in(await dump(on_both_databases), ROSA.markers)
    assert {"table events", "table inbox", "key tw:events", "file customer_ids.npy"} <= places
    if on_both_databases.engine.dialect.name == "sqlite":
        assert any(place.startswith("file tillwise.db") for place in places)
    signed = await erased(on_both_databases)
    assert found_in(await dump(on_both_databases), ROSA.markers) == set()
    after = await held(on_both_databases, OTTO)
    learnt = [each.pop("model files") for each in (before, after)]
    assert after == before
    assert [each["embedding"] for each in learnt[0]] == [each["embedding"] for each in learnt[1]]
    assert set(signed.receipt.second_look) == set(erasable())
    assert not any(signed.receipt.second_look.values())


async def test_the_receipt_says_what_was_found_and_what_became_of_it(on_both_databases: Connections) -> None:
    await plant(on_both_databases, ROSA, OTTO)
    counts = await count_held(
        await data_subject(on_both_databases, await find_person(on_both_databases, named(ROSA)))
    )
    receipt = (await erased(on_both_databases)).receipt
    assert receipt.found == {store: counts[store] for store in erasable()}
    effects = {each.name: each.effect for each in HOLDINGS}
    assert {effects[store] for store in receipt.deleted} == {Effect.DELETE}
    assert {effects[store] for store in receipt.anonymised} == {Effect.ANONYMISE}
    assert receipt.deleted | receipt.anonymised == receipt.found
    assert {store: each["count"] for store, each in receipt.kept.items()} == {
        "order_lines": 1, "refunds": 1, "feedback": 1, "consents": 3,
        "suppressions": 1, "coupons": 2, "grant_uses": 1,
    }  # fmt: skip
    assert (receipt.kind, receipt.shop, receipt.says) == ("redact", SHOP, "all that was found is gone")


async def test_the_merchants_sums_and_anonymous_counts_stay(on_both_databases: Connections) -> None:
    await plant(on_both_databases, ROSA)
    await erased(on_both_databases)
    async with on_both_databases.read() as db:
        order = (await db.exec(select(OrderRow))).one()
        decisions = (await db.exec(select(DecisionRow))).all()
        letters = {row.topic: row for row in (await db.exec(select(InboxRow))).all()}
    assert (order.customer_id, order.checkout_token, order.total_minor) == (None, None, 900)
    for decision in decisions:
        assert (decision.customer_id, decision.checkout_token, decision.inputs) == (None, None, {})
        assert decision.answer["offers"] == [
            {"offer_id": "o", "kind": "upsell", "slot": "main", "product": {"product_id": "10"}}
        ]
        assert (decision.answer["arm"], decision.answer["segment"]) == ("personalised", None)
    assert b"9.00" in letters["orders/create"].body
    assert b"_tillwise_offer" in letters["orders/create"].body
    assert (letters["customers/update"].status, letters["customers/update"].body) == ("done", b"")


async def test_a_code_told_in_a_letter_is_found_by_it_and_leads_to_no_line_of_the_ledger_afterwards(
    on_both_databases: Connections,
) -> None:
    await plant(on_both_databases, ROSA, OTTO)
    left = await a_letter(on_both_databases)
    found = await held(on_both_databases, ROSA)
    assert "LETTER" in {row["code"] for row in found["coupons"]}
    assert shown_as(left) in {row["decision_id"] for row in found["feedback"]}
    await erased(on_both_databases)
    places = found_in(await dump(on_both_databases), [left.encode()])
    assert {each for each in places if each.startswith("table")} == {"table consents", "table erased"}


async def a_letter(connections: Connections) -> str:
    """Write down that a letter told ROSA of a code, and return the digest of the checkout that she left."""
    left = (await open_digests(connections)).of(SHOP, "checkout", ROSA.token)
    await note_shown(connections, SHOP, left, "campaign", NOW)
    letter = CouponRow(shop=SHOP, code="LETTER", pool_id="p", status="granted", decision_id=shown_as(left))
    async with connections.write() as db:
        db.add(letter)
    return left


async def test_a_code_told_in_a_letter_while_its_reader_is_erased_leads_to_no_line_of_the_ledger_either(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plant(connections, ROSA)
    written_down: list[str] = []

    async def end_the_letter(_erasing: erasure.Erasure) -> None:
        if not written_down:
            written_down.append(await a_letter(connections))

    monkeypatch.setattr(erasure, "STEPS", (*erasure.STEPS, end_the_letter))
    await erased(connections)
    places = found_in(await dump(connections), [written_down[0].encode()])
    assert {each for each in places if each.startswith("table")} == {"table consents", "table erased"}


async def test_a_second_run_finds_nothing_and_says_so(on_both_databases: Connections) -> None:
    await plant(on_both_databases, ROSA)
    await erased(on_both_databases)
    again = (await erased(on_both_databases, request_id="again")).receipt
    assert again.says == "nothing was found"
    assert not any(again.found.values())
    assert set(again.kept) == {"consents", "erased", "receipts"}


async def test_the_same_request_told_again_is_one_with_one_receipt(connections: Connections) -> None:
    await plant(connections, ROSA)
    first = await erased(connections)
    assert await erased(connections) == first
    assert await receipts_of(connections, SHOP) == [first]


async def test_nobody_known_gets_a_receipt_that_says_nothing_was_found(
    on_both_databases: Connections,
) -> None:
    await plant(on_both_databases, OTTO)
    before = await held(on_both_databases, OTTO)
    receipt = (await erased(on_both_databases, ROSA)).receipt
    assert receipt.says == "nothing was found"
    assert await held(on_both_databases, OTTO) == before


async def test_a_request_that_names_nobody_ends_in_a_receipt_too(connections: Connections) -> None:
    await plant(connections, OTTO)
    await open_request(connections, SHOP, "r", Kind.CUSTOMER, datetime.now(UTC))
    receipt = (await erase_person(connections, SHOP, "r")).receipt
    assert (receipt.subject, receipt.says) == (None, "nothing was found")


@pytest.mark.parametrize("step", range(len(erasure.STEPS)))
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_at_any_step_is_finished_by_the_next_attempt_and_the_receipt_is_true(
    on_both_databases: Connections, monkeypatch: pytest.MonkeyPatch, step: int, when: str
) -> None:
    await plant(on_both_databases, ROSA, OTTO)
    counts = await count_held(
        await data_subject(on_both_databases, await find_person(on_both_databases, named(ROSA)))
    )
    steps = list(erasure.STEPS)
    monkeypatch.setattr(erasure, "STEPS", (*steps[:step], crashing(steps[step], when), *steps[step + 1 :]))
    with pytest.raises(Died):
        await erased(on_both_databases)
    monkeypatch.setattr(erasure, "STEPS", tuple(steps))
    signed = await erased(on_both_databases)
    assert signed.receipt.found == {store: counts[store] for store in erasable()}
    assert found_in(await dump(on_both_databases), ROSA.markers) == set()
    request = await read_request(on_both_databases, SHOP, "r")
    assert request is not None
    assert (request.status, request.customer_id, request.names) == (Status.DONE, None, {})


def crashing(step: erasure.Step, when: str) -> erasure.Step:
    async def crash(erasing: erasure.Erasure) -> None:
        if when == "after":
            await step(erasing)
        raise Died

    return crash


async def test_a_crash_before_the_receipt_is_kept_still_ends_in_one(
    on_both_databases: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plant(on_both_databases, ROSA)

    async def crash(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as patch, pytest.raises(Died):
        patch.setattr(erasure, "close", crash)
        await erased(on_both_databases)
    signed = await erased(on_both_databases)
    assert signed.receipt.found["events"] == 4
    assert await receipts_of(on_both_databases, SHOP) == [signed]


async def test_two_at_once_are_one(on_both_databases: Connections) -> None:
    await plant(on_both_databases, ROSA, OTTO)
    for request_id in ("one", "two"):
        await asked(on_both_databases, request_id=request_id)
    same, again, other, otto = await asyncio.gather(
        erase_person(on_both_databases, SHOP, "one"),
        erase_person(on_both_databases, SHOP, "one"),
        erase_person(on_both_databases, SHOP, "two"),
        erased(on_both_databases, OTTO, "otto"),
    )
    assert same == again
    assert [each.receipt.says for each in (same, other)].count("nothing was found") == 1
    assert otto.receipt.found["events"] == 4
    assert found_in(await dump(on_both_databases), [*ROSA.markers, *OTTO.markers]) == set()


async def test_the_ledger_keeps_no_number_of_a_customer_who_was_imported(
    on_both_databases: Connections,
) -> None:
    await plant(on_both_databases, ROSA)
    imported = {
        "id": f"gid://shopify/Customer/{ROSA.customer}", "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": (NOW + timedelta(seconds=1)).isoformat(), "dataSaleOptOut": True,
    }  # fmt: skip
    await record_customers(on_both_databases, [read_customer(SHOP, Payload(imported), currency="USD")])
    rows = (await held(on_both_databases, ROSA))["consents"]
    assert {"data_sale_opt_out": True} in [row["told"] for row in rows]
    await erased(on_both_databases)
    assert found_in(await dump(on_both_databases), ROSA.markers) == set()


async def test_every_version_of_the_models_is_whole_without_the_person(connections: Connections) -> None:
    await plant(connections, ROSA, OTTO)
    before = current_version(connections.settings.data_dir, SHOP)
    await erased(connections)
    versions = [path for path in home(connections).iterdir() if path.is_dir()]
    assert len(versions) == 3
    for path in versions:
        assert load(path).customer_ids.tolist() == [OTTO.customer]
    current = latest(connections.settings.data_dir, SHOP)
    assert current is not None
    assert current.version != before
    assert current.version == current_version(connections.settings.data_dir, SHOP)
    async with connections.read() as db:
        rows = (await db.exec(select(ModelRow))).all()
    assert {row.version for row in rows} == {path.name for path in versions}


async def test_the_receipt_is_genuine(connections: Connections) -> None:
    await plant(connections, ROSA)
    signed = await erased(connections)
    key = await open_receipt_key(connections)
    assert verified(written(signed), key.public) == signed.receipt
