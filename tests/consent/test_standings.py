from datetime import UTC, datetime
from typing import Any

import pytest

from app import ttl_cache
from app.connections import Connections
from app.consent import standings
from app.consent.digests import open_digests
from app.consent.entries import Entry
from app.consent.ledger import append
from app.consent.policy import Answers
from app.consent.standing import UNKNOWN, Basis, Standing, Use
from app.consent.standings import profile_basis, standings_of, who_refuse
from app.tables import CustomerRow, OrderRow, ShopRow

SHOP = "a.myshopify.com"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def install(connections: Connections, **settings: Any) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOON, settings=settings))
        for number, customer_id in enumerate([1, 2, 3, 3, None]):
            db.add(
                OrderRow(
                    shop=SHOP, order_id=number, customer_id=customer_id, currency="USD", created_at=NOON,
                    updated_at=NOON,
                )
            )  # fmt: skip


async def tell(connections: Connections, customer_id: int, **told: bool) -> None:
    subject = (await open_digests(connections)).of(SHOP, "customer", customer_id)
    entry = Entry(subject, "customer", f"e{customer_id}", NOON, "checkout", told)
    await append(connections, SHOP, [entry])


async def test_a_standing_is_what_was_answered_and_what_the_record_says(
    on_both_databases: Connections,
) -> None:
    await install(on_both_databases)
    await tell(on_both_databases, 1, marketing=False)
    async with on_both_databases.write() as db:
        db.add(
            CustomerRow(
                shop=SHOP,
                customer_id=2,
                data_sale_opt_out=True,
                email_marketing="subscribed",
                updated_at=NOON,
            )
        )
    found = await standings_of(on_both_databases, SHOP, [1, 2, 3])
    assert found == {
        1: Standing(Answers(marketing=False)), 2: Standing(Answers(), True, "subscribed"), 3: UNKNOWN
    }  # fmt: skip
    assert await standings_of(on_both_databases, "b.myshopify.com", [1]) == {1: UNKNOWN}


async def test_who_refuses_is_left_out_of_training_and_on_consent_who_never_answered_too(
    connections: Connections,
) -> None:
    await install(connections)
    await tell(connections, 1, preferences=False, marketing=True)
    await tell(connections, 2, preferences=True, marketing=True)
    await tell(connections, 9, preferences=False)
    assert await who_refuse(connections, SHOP, Use.TRAIN) == {1}
    standings._bases._known[connections.engine][SHOP] = (float("inf"), Basis.ON_CONSENT)
    assert await who_refuse(connections, SHOP, Use.TRAIN) == {1, 3}


@pytest.mark.parametrize(
    ("kept", "expected"),
    [({}, Basis.PREPARED), ({"profile_basis": "on_consent"}, Basis.ON_CONSENT),
     ({"profile_basis": 3}, Basis.ON_CONSENT)],
)  # fmt: skip
async def test_a_shops_setting_says_on_what_its_profiles_rest(
    connections: Connections, kept: dict[str, Any], expected: Basis
) -> None:
    await install(connections, **kept)
    assert await profile_basis(connections, SHOP) is expected
    assert await profile_basis(connections, "b.myshopify.com") is Basis.PREPARED


async def test_a_changed_setting_is_noticed_within_seconds(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await install(connections)
    assert await profile_basis(connections, SHOP) is Basis.PREPARED
    async with connections.write() as db:
        shop = await db.get(ShopRow, SHOP)
        assert shop is not None
        shop.settings = {"profile_basis": "on_consent"}
        db.add(shop)
    later = ttl_cache.monotonic() + 15
    monkeypatch.setattr(ttl_cache, "monotonic", lambda: later)
    assert await profile_basis(connections, SHOP) is Basis.ON_CONSENT
