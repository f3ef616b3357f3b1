"""The database's tables. Rows stay inside stores; every key starts with the shop.

Times are UTC. Ids are Shopify's numbers. Money is minor units of the currency beside it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, Text, UniqueConstraint, column, text
from sqlmodel import Field, SQLModel

import app.archive_tables  # one import fills the metadata
import app.campaign_tables
import app.catalog_tables
import app.coupon_tables
import app.experiment_tables
import app.intent_tables
import app.outbound_tables
import app.privacy_tables
import app.reach_tables
import app.segment_tables  # noqa: F401
from app.columns import named_text, nothing
from app.columns import shopify_number as _id
from app.columns import utc_time as _time

# Of which rows there are indexes: deliveries that were worked off whose bodies stay until the log has handled
# what they told, and what is known of carts.
INBOX_KEPT = "status = 'done' AND length(body) > 0"
OF_CARTS = "name = 'CartUpdated'"


def _some_of(name: str, which: str, *columns: Any) -> Index:
    """Return an index of the rows alone of which that is true: used by who asks in the same words."""
    return Index(name, *columns, sqlite_where=text(which), postgresql_where=text(which))


class ShopRow(SQLModel, table=True):
    """A merchant's shop. Uninstalled shops keep their row until Shopify asks to redact them.

    time_zone: `Europe/Berlin`, empty while it is not known. development: whether it only tries things out,
    so that all its orders are tests; None while that is not known. offline_locations: where it keeps what it
    does not sell online. tax_rate: of the tax in its prices, 0.2 for 20 %; nought where it comes on top.
    """

    __tablename__ = "shops"
    shop: str = Field(primary_key=True)
    name: str = ""
    currency: str = "USD"
    publishable_key: str = Field(unique=True)
    scopes: str = ""
    web_pixel_id: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    time_zone: str = ""
    development: bool | None = None
    offline_locations: list[int] | None = Field(default=None, sa_type=JSON, nullable=True)
    tax_rate: float = 0.0
    installed_at: datetime = _time()
    uninstalled_at: datetime | None = _time(default=None, nullable=True)


class TokenRow(SQLModel, table=True):
    """A shop's offline access token, encrypted; expiry as Shopify told it."""

    __tablename__ = "tokens"
    shop: str = Field(primary_key=True)
    access_token: bytes = Field(sa_type=LargeBinary)
    access_expires_at: datetime | None = _time(default=None, nullable=True)
    refresh_token: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)
    refresh_expires_at: datetime | None = _time(default=None, nullable=True)
    scopes: str = ""
    updated_at: datetime = _time()


class InboxRow(SQLModel, table=True):
    """A webhook as it was delivered, kept until it is processed. status: pending, done, parked."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("shop", "event_id", "topic"),
        Index("ix_inbox_due", "status", "next_attempt_at"),
        _some_of("ix_inbox_kept", INBOX_KEPT, "status", "next_attempt_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    shop: str
    event_id: str
    topic: str
    webhook_id: str = ""
    api_version: str = ""
    triggered_at: datetime | None = _time(default=None, nullable=True)
    received_at: datetime = _time()
    body: bytes = Field(sa_type=LargeBinary)
    status: str = "pending"
    attempts: int = 0
    next_attempt_at: datetime = _time()
    error: str = Field(default="", sa_type=Text)


class EventRow(SQLModel, table=True):
    """What happened, append-only; the truth profiles are rebuilt from."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_customer", "shop", "customer_id", "happened_at"),
        Index("ix_events_client", "shop", "client_id", "happened_at"),
        Index("ix_events_recorded", "shop", "recorded_at"),
        Index("ix_events_checkout", "shop", "checkout_token", "happened_at"),
        _some_of("ix_events_cart", OF_CARTS, "shop", named_text(column("data"), "cart_token")),
    )
    shop: str = Field(primary_key=True)
    event_id: str = Field(primary_key=True)
    name: str
    happened_at: datetime = _time()
    recorded_at: datetime = _time()
    client_id: str | None = None
    checkout_token: str | None = None
    customer_id: int | None = _id(default=None, nullable=True)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class ProductRow(SQLModel, table=True):
    """A product as the shop sells it. `updated_at` orders late and repeated webhooks.

    handle: what its page is called in the shop's addresses, None until Shopify told it.
    requires_selling_plan: whether it sells with one only; gift_card: whether it is one. Both as last read:
    webhooks do not tell.
    """

    __tablename__ = "products"
    shop: str = Field(primary_key=True)
    product_id: int = _id(primary_key=True)
    title: str
    vendor: str = ""
    product_type: str = ""
    tags: list[str] = Field(default_factory=nothing, sa_type=JSON)
    image_url: str | None = None
    handle: str | None = None
    requires_selling_plan: bool = False
    gift_card: bool = False
    published: bool = True
    created_at: datetime = _time()
    updated_at: datetime = _time()
    deleted_at: datetime | None = _time(default=None, nullable=True)


class VariantRow(SQLModel, table=True):
    """A variant. available: units in stock; None when the shop does not track it."""

    __tablename__ = "variants"
    __table_args__ = (
        Index("ix_variants_product", "shop", "product_id"),
        Index("ix_variants_inventory_item", "shop", "inventory_item_id"),
    )
    shop: str = Field(primary_key=True)
    variant_id: int = _id(primary_key=True)
    product_id: int = _id()
    title: str = ""
    price_minor: int = _id()
    position: int = 1
    inventory_item_id: int | None = _id(default=None, nullable=True)
    available: int | None = None
    sells_when_out: bool = False


class InventoryRow(SQLModel, table=True):
    """Units of an inventory item at one location; None when they are not counted there."""

    __tablename__ = "inventory"
    shop: str = Field(primary_key=True)
    inventory_item_id: int = _id(primary_key=True)
    location_id: int = _id(primary_key=True)
    available: int | None = None
    updated_at: datetime = _time()


class ItemCostRow(SQLModel, table=True):
    """What a unit of an inventory item costs the shop, as Shopify has it; None where it does not."""

    __tablename__ = "item_costs"
    shop: str = Field(primary_key=True)
    inventory_item_id: int = _id(primary_key=True)
    cost_minor: int | None = _id(default=None, nullable=True)
    updated_at: datetime = _time()


class ExclusionRow(SQLModel, table=True):
    """A product the merchant never wants recommended."""

    __tablename__ = "exclusions"
    shop: str = Field(primary_key=True)
    product_id: int = _id(primary_key=True)
    excluded_at: datetime = _time()


class CustomerRow(SQLModel, table=True):
    """A customer without name, e-mail or address. …_marketing_at: when the channel's answer stood so.

    orders_count, spent_minor, last_order_at: of all their orders, as Shopify last told, in its currency.
    email_digest: keyed hash of the address, by which a request that names nothing else is found.
    heir_id: who has an order of theirs now; once they are gone, whom they were merged into.
    """

    __tablename__ = "customers"
    __table_args__ = (
        Index("ix_customers_email", "shop", "email_digest"),
        _some_of("ix_customers_heir", "heir_id IS NOT NULL", "shop", "heir_id"),
    )
    shop: str = Field(primary_key=True)
    customer_id: int = _id(primary_key=True)
    orders_count: int | None = None
    spent_minor: int | None = _id(default=None, nullable=True)
    last_order_at: datetime | None = _time(default=None, nullable=True)
    email_marketing: str | None = None
    email_marketing_at: datetime | None = _time(default=None, nullable=True)
    sms_marketing: str | None = None
    sms_marketing_at: datetime | None = _time(default=None, nullable=True)
    data_sale_opt_out: bool | None = None
    email_digest: str | None = None
    heir_id: int | None = _id(default=None, nullable=True)
    created_at: datetime | None = _time(default=None, nullable=True)
    updated_at: datetime = _time()
    deleted_at: datetime | None = _time(default=None, nullable=True)


class OrderRow(SQLModel, table=True):
    """An order; money in `currency`, the shop's. discount_codes: code and what it took off, None unknown; and
    the terms of a discount that it had without a code, with what became cheaper and by which titles.

    cancelled_at: from when on it does not count, because it was cancelled or deleted. renewal: whether a
    subscription charged itself, None where that was not told.
    """

    __tablename__ = "orders"
    __table_args__ = (
        Index("ix_orders_time", "shop", "created_at"),
        Index("ix_orders_customer", "shop", "customer_id"),
        Index("ix_orders_checkout", "shop", "checkout_token"),
    )
    shop: str = Field(primary_key=True)
    order_id: int = _id(primary_key=True)
    customer_id: int | None = _id(default=None, nullable=True)
    checkout_token: str | None = None
    currency: str
    subtotal_minor: int = _id(default=0)
    discount_minor: int = _id(default=0)
    total_minor: int = _id(default=0)
    paid: bool = False
    created_at: datetime = _time()
    updated_at: datetime = _time()
    cancelled_at: datetime | None = _time(default=None, nullable=True)
    discount_codes: list[dict[str, Any]] = Field(default_factory=nothing, sa_type=JSON)
    renewal: bool | None = None


class OrderLineRow(SQLModel, table=True):
    """A line of an order. decision_id, offer_id: the offer that put it there, if one did.

    bundle_id: of the bundle that it came in, None where it was chosen by itself. bundle_product_id: the
    bundle as a product, None until Shopify told it: webhooks do not.
    """

    __tablename__ = "order_lines"
    __table_args__ = (
        Index("ix_order_lines_order", "shop", "order_id"),
        Index("ix_order_lines_decision", "shop", "decision_id"),
    )
    shop: str = Field(primary_key=True)
    line_id: int = _id(primary_key=True)
    order_id: int = _id()
    product_id: int | None = _id(default=None, nullable=True)
    variant_id: int | None = _id(default=None, nullable=True)
    quantity: int
    price_minor: int = _id()
    discount_minor: int = _id(default=0)
    decision_id: str | None = None
    offer_id: str | None = None
    bundle_id: int | None = _id(default=None, nullable=True)
    bundle_product_id: int | None = _id(default=None, nullable=True)


# What stands in place of a refund's line: it belongs to no particular one, or is of no goods at all.
# Below OF_NO_LINE nothing is of goods.
OF_NO_LINE, OF_SHIPPING, OF_TAX = 0, -1, -2


class RefundRow(SQLModel, table=True):
    """What one refund gave back of one line; line_id OF_NO_LINE: of none in particular, see above."""

    __tablename__ = "refunds"
    __table_args__ = (Index("ix_refunds_order", "shop", "order_id"),)
    shop: str = Field(primary_key=True)
    refund_id: int = _id(primary_key=True)
    line_id: int = _id(primary_key=True)
    order_id: int = _id()
    quantity: int = 0
    amount_minor: int = _id(default=0)
    created_at: datetime = _time()


class DecisionRow(SQLModel, table=True):
    """One answer to a checkout: what went in, what came out, with which versions and seed.

    permitted: the purposes it was made under. region: `US-CA`, where the visitor may be remembered.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        # With all that pages count of a period: the rows themselves are forty times as wide.
        Index(
            "ix_decisions_counted",
            *("shop", "decided_at", "surface", "rung", "arm", "fallback", "duration_us"),
            *("checkout_token", "customer_id"),
        ),
        Index("ix_decisions_checkout", "shop", "checkout_token"),
        Index("ix_decisions_customer", "shop", "customer_id"),
        # In the storefront, where there is no checkout, a decision knows its browser by another name.
        Index("ix_decisions_browser", "shop", named_text(column("inputs"), "unit")),
    )
    shop: str = Field(primary_key=True)
    decision_id: str = Field(primary_key=True)
    decided_at: datetime = _time()
    surface: str
    rung: str
    arm: str
    fallback: str | None = None
    model_version: str | None = None
    checkout_token: str | None = None
    customer_id: int | None = _id(default=None, nullable=True)
    permitted: list[str] = Field(default_factory=nothing, sa_type=JSON)
    region: str | None = None
    duration_us: int = 0
    inputs: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    answer: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class FeedbackRow(SQLModel, table=True):
    """What the browser said became of an offer. kind: shown, accepted, failed, dismissed."""

    __tablename__ = "feedback"
    __table_args__ = (Index("ix_feedback_decision", "shop", "decision_id"),)
    shop: str = Field(primary_key=True)
    event_id: str = Field(primary_key=True)
    decision_id: str
    offer_id: str
    kind: str
    happened_at: datetime = _time()


class ModelRow(SQLModel, table=True):
    """A trained model's version and card. status: champion, retired, rejected."""

    __tablename__ = "models"
    shop: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    status: str
    card: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    trained_at: datetime = _time()


class WatchRow(SQLModel, table=True):
    """What the last look at whether a shop's model still fits found."""

    __tablename__ = "model_watches"
    shop: str = Field(primary_key=True)
    looked_at: datetime = _time()
    content: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class BackfillRow(SQLModel, table=True):
    """How far the import of one kind is. kind: products, customers, orders.

    status: waiting, running, loading, done, failed. loaded_bytes: where the download resumes.
    """

    __tablename__ = "backfills"
    shop: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    status: str = "waiting"
    operation_id: str | None = None
    url: str | None = Field(default=None, sa_type=Text)
    loaded_bytes: int = _id(default=0)
    loaded: int = 0
    total: int | None = None
    error: str = Field(default="", sa_type=Text)
    updated_at: datetime = _time()


class SecretRow(SQLModel, table=True):
    """A key this installation made for itself, sealed as the tokens are."""

    __tablename__ = "secrets"
    name: str = Field(primary_key=True)
    sealed: bytes = Field(sa_type=LargeBinary)
