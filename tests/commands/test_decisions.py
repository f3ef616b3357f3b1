from datetime import UTC, datetime
from typing import Any

from sqlmodel import update

from app.archive.store import keep
from app.connections import Connections
from app.consent.policy import PURPOSES, consent_of, permissions
from app.errors import NotFound, TillwiseError
from app.offers.answer import answer_to
from app.offers.replay import entry_of
from app.offers.situation import Occasion, situation_of
from app.offers.store import record_decisions
from app.offers.wire import read_question
from app.profiles.recall import Shopper
from app.snapshots import load_snapshot
from app.tables import DecisionRow, ProductRow, ShopRow, VariantRow
from app.values import ShopDomain
from tests.commands.conftest import Terminal
from tests.offers.factories import a_body, as_json

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHOP = ShopDomain("a.myshopify.com")


async def decided(connections: Connections) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk_a", installed_at=NOW))
        for number in (10, 20, 30):
            db.add(
                ProductRow(
                    shop=SHOP, product_id=number, title=f"Tea {number}", created_at=NOW, updated_at=NOW
                )
            )
            db.add(VariantRow(shop=SHOP, variant_id=1000 + number, product_id=number, price_minor=500))
    snapshot = await load_snapshot(connections, SHOP)
    assert snapshot is not None
    question = read_question(as_json(a_body(10)))
    consent = consent_of(PURPOSES)
    occasion = Occasion("d1", NOW, snapshot, question, consent, permissions(consent), Shopper())
    situation = situation_of(occasion)
    await record_decisions(connections, [entry_of(occasion, situation, answer_to(occasion, situation), 800)])


def changed(**values: Any) -> Any:
    async def change(connections: Connections) -> None:
        async with connections.write() as db:
            row = await db.get(DecisionRow, (SHOP, "d1"))
            assert row is not None
            for name, value in values.items():
                setattr(row, name, value)
            db.add(row)

    return change


def test_a_decision_is_made_again_bit_for_bit(terminal: Terminal) -> None:
    terminal.prepare(decided)
    answer = terminal.run("replay", "--shop", SHOP, "d1")
    assert answer.stdout.startswith("d1: same, bit for bit")


def test_a_decision_that_says_something_else_is_told_apart(terminal: Terminal) -> None:
    terminal.prepare(decided)
    terminal.prepare(changed(answer={"offers": []}))
    answer = terminal.run("replay", "--shop", SHOP, "d1")
    assert isinstance(answer.exception, TillwiseError)
    assert "NOT the same" in str(answer.exception)


def test_why_a_decision_can_not_be_made_again_is_said(terminal: Terminal) -> None:
    unknown = terminal.run("replay", "--shop", SHOP, "d1")
    assert isinstance(unknown.exception, NotFound)
    terminal.prepare(decided)
    terminal.prepare(changed(inputs={"snapshot": "of yesterday", "situation": {}}))
    gone = terminal.run("replay", "--shop", SHOP, "d1")
    assert "of yesterday, which is no longer there" in str(gone.exception).replace(" (model none)", "")
    terminal.prepare(changed(inputs={}))
    erased = terminal.run("replay", "--shop", SHOP, "d1")
    assert "erased with its customer" in str(erased.exception)


def test_a_decision_is_made_again_after_the_catalogue_has_changed_if_what_it_was_made_on_was_kept(
    terminal: Terminal,
) -> None:
    async def kept(connections: Connections) -> None:
        await decided(connections)
        snapshot = await load_snapshot(connections, SHOP)
        assert snapshot is not None
        await keep(connections, snapshot, NOW)

    async def dearer(connections: Connections) -> None:
        async with connections.write() as db:
            await db.exec(update(VariantRow).values(price_minor=990))

    terminal.prepare(kept)
    terminal.prepare(dearer)
    answer = terminal.run("replay", "--shop", SHOP, "d1")
    assert answer.stdout.startswith("d1: same, bit for bit")
