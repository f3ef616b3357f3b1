from datetime import UTC, datetime
from typing import Any

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.policy import Answers
from app.consent.told import pack, told_key
from app.events.kinds import AppUninstalled, CartUpdated, CheckoutDeleted, CheckoutUpdated
from webhooks.allowed import strip_identifiers

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHOP = "a.myshopify.com"


def a_checkout(token: str, shop: str = SHOP) -> CheckoutUpdated:
    return CheckoutUpdated(
        shop=shop, event_id=f"e-{token}", happened_at=NOW, checkout_token=token, cart_token="cart",
        customer_id=7, currency="USD", subtotal_minor=900, completed=False, lines=(),
    )  # fmt: skip


async def tell(connections: Connections, token: str, **answers: Any) -> None:
    subject = (await open_digests(connections)).of(SHOP, "checkout", token)
    await connections.redis.set(told_key(SHOP, subject), pack(Answers(**answers)))


async def test_a_checkout_is_named_only_once_its_visitor_allowed_that(connections: Connections) -> None:
    await tell(connections, "yes", analytics=True)
    await tell(connections, "no", analytics=False, marketing=True)
    kept = await strip_identifiers(connections, [a_checkout("yes"), a_checkout("no"), a_checkout("silent")])
    assert kept[0] == a_checkout("yes")
    for nobodys in kept[1:]:
        assert isinstance(nobodys, CheckoutUpdated)
        assert (nobodys.checkout_token, nobodys.cart_token, nobodys.customer_id) == (None, None, None)
        assert nobodys.subtotal_minor == 900


async def test_what_one_shops_visitor_allowed_names_nobody_in_another(connections: Connections) -> None:
    await tell(connections, "yes", analytics=True)
    (kept,) = await strip_identifiers(connections, [a_checkout("yes", shop="b.myshopify.com")])
    assert isinstance(kept, CheckoutUpdated)
    assert kept.checkout_token is None


async def test_a_cart_is_nobodys_and_what_is_of_no_visit_stays_as_it_is(connections: Connections) -> None:
    cart = CartUpdated(shop=SHOP, event_id="c", happened_at=NOW, cart_token="cart", lines=())
    dropped = CheckoutDeleted(
        shop=SHOP, event_id="d", happened_at=NOW, checkout_id=5, checkout_token=None, cart_token="cart"
    )
    left = AppUninstalled(shop=SHOP, event_id="u", happened_at=NOW)
    kept = await strip_identifiers(connections, [cart, dropped, left])
    assert isinstance(kept[0], CartUpdated)
    assert kept[0].cart_token is None
    assert isinstance(kept[1], CheckoutDeleted)
    assert (kept[1].checkout_id, kept[1].cart_token) == (None, None)
    assert kept[2] == left
