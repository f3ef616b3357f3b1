"""The tables of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

import app.columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backfills",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("status", AutoString(), nullable=False),
        sa.Column("operation_id", AutoString(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("loaded_bytes", sa.BigInteger(), nullable=False),
        sa.Column("loaded", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("updated_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop", "kind"),
    )
    op.create_table(
        "customers",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("orders_count", sa.Integer(), nullable=True),
        sa.Column("email_marketing", AutoString(), nullable=True),
        sa.Column("email_marketing_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.Column("sms_marketing", AutoString(), nullable=True),
        sa.Column("sms_marketing_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.Column("data_sale_opt_out", sa.Boolean(), nullable=True),
        sa.Column("created_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.Column("updated_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("deleted_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("shop", "customer_id"),
    )
    op.create_table(
        "decisions",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("decision_id", AutoString(), nullable=False),
        sa.Column("decided_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("surface", AutoString(), nullable=False),
        sa.Column("rung", AutoString(), nullable=False),
        sa.Column("arm", AutoString(), nullable=False),
        sa.Column("fallback", AutoString(), nullable=True),
        sa.Column("model_version", AutoString(), nullable=True),
        sa.Column("checkout_token", AutoString(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("duration_us", sa.Integer(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "decision_id"),
    )
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.create_index("ix_decisions_checkout", ["shop", "checkout_token"], unique=False)
        batch_op.create_index("ix_decisions_time", ["shop", "decided_at"], unique=False)

    op.create_table(
        "events",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("event_id", AutoString(), nullable=False),
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("happened_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("recorded_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("client_id", AutoString(), nullable=True),
        sa.Column("checkout_token", AutoString(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "event_id"),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index("ix_events_client", ["shop", "client_id", "happened_at"], unique=False)
        batch_op.create_index("ix_events_customer", ["shop", "customer_id", "happened_at"], unique=False)

    op.create_table(
        "exclusions",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("excluded_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop", "product_id"),
    )
    op.create_table(
        "feedback",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("event_id", AutoString(), nullable=False),
        sa.Column("decision_id", AutoString(), nullable=False),
        sa.Column("offer_id", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("happened_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop", "event_id"),
    )
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.create_index("ix_feedback_decision", ["shop", "decision_id"], unique=False)

    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("event_id", AutoString(), nullable=False),
        sa.Column("topic", AutoString(), nullable=False),
        sa.Column("webhook_id", AutoString(), nullable=False),
        sa.Column("api_version", AutoString(), nullable=False),
        sa.Column("triggered_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.Column("received_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("status", AutoString(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("shop", "event_id", "topic"),
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_due", ["status", "next_attempt_at"], unique=False)

    op.create_table(
        "inventory",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("inventory_item_id", sa.BigInteger(), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.Integer(), nullable=True),
        sa.Column("updated_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop", "inventory_item_id", "location_id"),
    )
    op.create_table(
        "models",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("version", AutoString(), nullable=False),
        sa.Column("status", AutoString(), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("trained_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop", "version"),
    )
    op.create_table(
        "order_lines",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("variant_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", AutoString(), nullable=True),
        sa.Column("offer_id", AutoString(), nullable=True),
        sa.PrimaryKeyConstraint("shop", "line_id"),
    )
    with op.batch_alter_table("order_lines", schema=None) as batch_op:
        batch_op.create_index("ix_order_lines_decision", ["shop", "decision_id"], unique=False)
        batch_op.create_index("ix_order_lines_order", ["shop", "order_id"], unique=False)

    op.create_table(
        "orders",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("checkout_token", AutoString(), nullable=True),
        sa.Column("currency", AutoString(), nullable=False),
        sa.Column("subtotal_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.Boolean(), nullable=False),
        sa.Column("created_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("updated_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("shop", "order_id"),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index("ix_orders_customer", ["shop", "customer_id"], unique=False)
        batch_op.create_index("ix_orders_time", ["shop", "created_at"], unique=False)

    op.create_table(
        "products",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("title", AutoString(), nullable=False),
        sa.Column("vendor", AutoString(), nullable=False),
        sa.Column("product_type", AutoString(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("image_url", AutoString(), nullable=True),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("created_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("updated_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("deleted_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("shop", "product_id"),
    )
    op.create_table(
        "refunds",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("refund_id", sa.BigInteger(), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("created_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop", "refund_id", "line_id"),
    )
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.create_index("ix_refunds_order", ["shop", "order_id"], unique=False)

    op.create_table(
        "shops",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("currency", AutoString(), nullable=False),
        sa.Column("publishable_key", AutoString(), nullable=False),
        sa.Column("scopes", AutoString(), nullable=False),
        sa.Column("web_pixel_id", AutoString(), nullable=True),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("installed_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("uninstalled_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("shop"),
        sa.UniqueConstraint("publishable_key"),
    )
    op.create_table(
        "tokens",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("access_token", sa.LargeBinary(), nullable=False),
        sa.Column("access_expires_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.Column("refresh_token", sa.LargeBinary(), nullable=True),
        sa.Column("refresh_expires_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.Column("scopes", AutoString(), nullable=False),
        sa.Column("updated_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop"),
    )
    op.create_table(
        "variants",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("variant_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("title", AutoString(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("inventory_item_id", sa.BigInteger(), nullable=True),
        sa.Column("available", sa.Integer(), nullable=True),
        sa.Column("sells_when_out", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "variant_id"),
    )
    with op.batch_alter_table("variants", schema=None) as batch_op:
        batch_op.create_index("ix_variants_inventory_item", ["shop", "inventory_item_id"], unique=False)
        batch_op.create_index("ix_variants_product", ["shop", "product_id"], unique=False)
