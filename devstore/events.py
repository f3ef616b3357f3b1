"""What happens in a shop, told to the app: live orders one by one, or any topic on request."""

import uuid
from collections.abc import Callable, Mapping
from typing import TypeVar

from devstore import order_payloads, payloads
from devstore.bulk import finish_payload
from devstore.fields import item_of
from devstore.payloads import Json
from devstore.records import Customer, Order
from devstore.shop import Shop, cancel, next_live_order, refund, refunded_quantity
from devstore.store import Store

T = TypeVar("T")


class Unknown(Exception):
    """No such topic or record; the message names it."""


async def place_next(store: Store, shop: Shop) -> Order | None:
    """Return the next live order, now in the shop and told to the app; None when all are placed."""
    order = next_live_order(shop, store.clock())
    if order is not None:
        await announce_order(store, shop, order)
    return order


async def announce_order(store: Store, shop: Shop, order: Order) -> None:
    """Tell of a paid order: two topics of one event, then the stock that is left."""
    event = str(uuid.uuid4())
    payload = order_payloads.order(shop, order)
    for topic in ("orders/create", "orders/paid"):
        await store.announce(shop, topic, payload, event)
    for variant in {line.variant_id: shop.variants.get(line.variant_id) for line in order.lines}.values():
        if variant is not None:
            level = payloads.inventory_level(variant, store.clock())
            await store.announce(shop, "inventory_levels/update", level)


async def fire(store: Store, shop: Shop, topic: str, record: int | None) -> int:
    """Return how many subscriptions are told. Without an id the newest record is meant.

    What a topic is about happens first: orders/cancelled cancels, refunds/create refunds all that is
    left, the topics that end in /delete delete, app/uninstalled uninstalls, a consent update subscribes
    or unsubscribes.
    """
    make = TOPICS.get(topic)
    if make is None:
        raise Unknown(f"{topic} is not one of {', '.join(sorted(TOPICS))}")
    payload = make(store, shop, record)
    if topic == "app/uninstalled":
        told = sum(s.topic == topic for s in shop.installation.subscriptions) if shop.installation else 0
        await store.uninstall(shop, payload)
        return told
    return await store.announce(shop, topic, payload)


def pick(records: Mapping[int, T], record: int | None, kind: str) -> T:
    """Return the record of this id, or the newest. Raises Unknown."""
    found = records.get(record if record is not None else max(records, default=0))
    if found is None:
        raise Unknown(f"there is no {kind} {record or ''}".rstrip())
    return found


def _order(store: Store, shop: Shop, record: int | None) -> Json:
    order = pick(shop.orders, record, "order")
    order.updated_at = store.clock()
    return order_payloads.order(shop, order)


def _cancelled(store: Store, shop: Shop, record: int | None) -> Json:
    order = cancel(pick(shop.orders, record, "order"), store.clock())
    return order_payloads.order(shop, order)


def _order_gone(_store: Store, shop: Shop, record: int | None) -> Json:
    order = pick(shop.orders, record, "order")
    shop.remove_order(order)
    return {"id": order.id}


def _refunded(store: Store, shop: Shop, record: int | None) -> Json:
    order = pick(shop.orders, record, "order")
    left = {line.id: line.quantity - refunded_quantity(order, line.id) for line in order.lines}
    left = {line: quantity for line, quantity in left.items() if quantity}
    if not left:
        raise Unknown(f"all of order {order.name} is refunded already")
    return order_payloads.refund(shop, order, refund(shop, order, left, store.clock()))


def _product(store: Store, shop: Shop, record: int | None) -> Json:
    product = pick(shop.products, record, "product")
    product.updated_at = store.clock()
    return payloads.product(shop, product)


def _product_gone(_store: Store, shop: Shop, record: int | None) -> Json:
    product = pick(shop.products, record, "product")
    shop.remove_product(product.id)
    return payloads.product_deleted(product.id)


def _collection(store: Store, shop: Shop, record: int | None) -> Json:
    collection = pick(shop.collections, record, "collection")
    collection.updated_at = store.clock()
    return payloads.collection(collection)


def _collection_gone(_store: Store, shop: Shop, record: int | None) -> Json:
    collection = pick(shop.collections, record, "collection")
    del shop.collections[collection.id]
    return payloads.collection_deleted(collection)


def _stock(store: Store, shop: Shop, record: int | None) -> Json:
    return payloads.inventory_level(pick(shop.variants, record, "variant"), store.clock())


def _item(_store: Store, shop: Shop, record: int | None) -> Json:
    return payloads.inventory_item(shop, item_of(shop, pick(shop.variants, record, "variant")))


def _person(shop: Shop, record: int | None) -> Customer:
    return pick(shop.customers, record, "customer")


def _customer(store: Store, shop: Shop, record: int | None) -> Json:
    customer = _person(shop, record)
    customer.updated_at = store.clock()
    return payloads.customer(shop, customer)


def _customer_gone(_store: Store, shop: Shop, record: int | None) -> Json:
    customer = _person(shop, record)
    del shop.customers[customer.id]
    return payloads.customer_deleted(customer.id)


def _consent(store: Store, shop: Shop, record: int | None) -> Json:
    customer = _person(shop, record)
    customer.email_consent = "unsubscribed" if customer.email_consent == "subscribed" else "subscribed"
    customer.email_consent_at = customer.updated_at = store.clock()
    return payloads.email_consent(customer)


def _sms_consent(store: Store, shop: Shop, record: int | None) -> Json:
    customer = _person(shop, record)
    customer.sms_consent = "unsubscribed" if customer.sms_consent == "subscribed" else "subscribed"
    customer.sms_consent_at = customer.updated_at = store.clock()
    return payloads.sms_consent(customer)


def _cart(_store: Store, shop: Shop, _record: int | None) -> Json:
    cart = next(reversed(shop.carts.values()), None)
    if cart is None:
        raise Unknown("there is no cart")
    return order_payloads.cart(shop, cart)


def _checkout(store: Store, shop: Shop, _record: int | None) -> Json:
    found = next(reversed(shop.checkouts.values()), None)
    if found is None:
        raise Unknown("there is no checkout")
    return order_payloads.checkout(shop, found, store.clock())


def _checkout_gone(store: Store, shop: Shop, record: int | None) -> Json:
    by_id = {each.id: token for token, each in shop.checkouts.items()}
    gone = shop.checkouts.pop(pick(by_id, record, "checkout"))
    return order_payloads.checkout_deleted(shop, gone, store.clock())


def _scopes(store: Store, shop: Shop, _record: int | None) -> Json:
    installation = store.install(shop)
    return payloads.scopes_update(installation, shop, sorted(installation.scopes), store.clock())


def _bulk(store: Store, _shop: Shop, record: int | None) -> Json:
    return finish_payload(pick(store.bulk, record, "bulk operation"))


TOPICS: dict[str, Callable[[Store, Shop, int | None], Json]] = {
    "orders/create": _order,
    "orders/updated": _order,
    "orders/paid": _order,
    "orders/cancelled": _cancelled,
    "orders/delete": _order_gone,
    "refunds/create": _refunded,
    "carts/create": _cart,
    "carts/update": _cart,
    "checkouts/create": _checkout,
    "checkouts/update": _checkout,
    "checkouts/delete": _checkout_gone,
    "products/create": _product,
    "products/update": _product,
    "products/delete": _product_gone,
    "collections/create": _collection,
    "collections/update": _collection,
    "collections/delete": _collection_gone,
    "inventory_items/create": _item,
    "inventory_items/update": _item,
    "inventory_levels/update": _stock,
    "customers/create": _customer,
    "customers/update": _customer,
    "customers/delete": _customer_gone,
    "customers_email_marketing_consent/update": _consent,
    "customers_marketing_consent/update": _sms_consent,
    "customers/data_request": lambda store, shop, i: payloads.data_request(
        shop, _person(shop, i), shop.next_id()
    ),
    "customers/redact": lambda store, shop, i: payloads.customer_redact(shop, _person(shop, i)),
    "shop/redact": lambda store, shop, i: payloads.shop_redact(shop),
    "app/uninstalled": lambda store, shop, i: payloads.shop(shop),
    "app/scopes_update": _scopes,
    "bulk_operations/finish": _bulk,
}
