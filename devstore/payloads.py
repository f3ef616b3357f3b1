"""Webhook payloads of a shop's catalogue, people and app, in Shopify's REST field names."""

from datetime import datetime
from typing import Any

from devstore.markets import Market
from devstore.records import Collection, Customer, Installation, InventoryItem, Product, Variant, gid
from devstore.shop import LOCATION_ID, Shop
from devstore.wire import money, rest_when

Json = dict[str, Any]


def money_set(minor: int, currency: str, market: Market | None = None) -> Json:
    """Return an amount in the shop's currency, and in that of the market it was paid in, if in another."""
    amount = {"amount": money(minor, currency), "currency_code": currency}
    if market is None or market.currency == currency:
        return {"shop_money": amount, "presentment_money": amount}
    paid = {"amount": money(market.converted(minor), market.currency), "currency_code": market.currency}
    return {"shop_money": amount, "presentment_money": paid}


def product(shop: Shop, product: Product) -> Json:
    """Return the payload of products/create and products/update."""
    image = image_of(product)
    return {
        "admin_graphql_api_id": gid("Product", product.id),
        "body_html": product.body_html,
        "created_at": rest_when(product.created_at),
        "handle": product.handle,
        "id": product.id,
        "product_type": product.product_type,
        "published_at": rest_when(product.created_at) if product.published else None,
        "template_suffix": None,
        "title": product.title,
        "updated_at": rest_when(product.updated_at),
        "vendor": product.vendor,
        "status": product.status,
        "published_scope": "web",
        "tags": ", ".join(product.tags),
        "variants": [
            _variant(product, v, place, shop.currency) for place, v in enumerate(product.variants, 1)
        ],
        "options": [
            {
                "name": "Title",
                "id": product.id,
                "product_id": product.id,
                "position": 1,
                "values": [v.title for v in product.variants],
            }
        ],
        "images": [image] if image else [],
        "image": image,
        "media": [],
        "variant_gids": [
            {"admin_graphql_api_id": gid("ProductVariant", v.id), "updated_at": rest_when(product.updated_at)}
            for v in product.variants
        ],
        "has_variants_that_requires_components": False,
        "category": None,
    }


def product_deleted(product_id: int) -> Json:
    return {"id": product_id}


def collection(collection: Collection) -> Json:
    """Return the payload of collections/create and collections/update: what is in it is not told."""
    return {
        "id": collection.id,
        "handle": collection.handle,
        "title": collection.title,
        "updated_at": rest_when(collection.updated_at),
        "body_html": "",
        "published_at": rest_when(collection.created_at),
        "sort_order": "manual",
        "template_suffix": None,
        "published_scope": "web",
        "admin_graphql_api_id": gid("Collection", collection.id),
    }


def collection_deleted(collection: Collection) -> Json:
    """Return the payload of collections/delete."""
    return {
        "id": collection.id,
        "published_scope": "web",
        "admin_graphql_api_id": gid("Collection", collection.id),
    }


def _variant(product: Product, variant: Variant, position: int, currency: str) -> Json:
    return {
        "admin_graphql_api_id": gid("ProductVariant", variant.id),
        "barcode": None,
        "compare_at_price": None,
        "created_at": rest_when(product.created_at),
        "id": variant.id,
        "inventory_policy": "continue" if variant.sells_when_out else "deny",
        "position": position,
        "price": money(variant.price_minor, currency),
        "product_id": product.id,
        "sku": variant.sku,
        "taxable": True,
        "title": variant.title,
        "updated_at": rest_when(product.updated_at),
        "option1": variant.title,
        "option2": None,
        "option3": None,
        "image_id": None,
        "inventory_item_id": variant.inventory_item_id,
        "inventory_quantity": variant.inventory,
        "old_inventory_quantity": variant.inventory,
    }


def image_of(product: Product) -> Json | None:
    """Return the REST image of a product whose image has an absolute address."""
    if product.image is None:
        return None
    return {
        "id": product.id,
        "product_id": product.id,
        "position": 1,
        "src": product.image,
        "alt": product.title,
        "width": 600,
        "height": 600,
        "variant_ids": [],
        "created_at": rest_when(product.created_at),
        "updated_at": rest_when(product.updated_at),
        "admin_graphql_api_id": gid("ProductImage", product.id),
    }


def inventory_level(variant: Variant, now: datetime) -> Json:
    """Return the payload of inventory_levels/update."""
    item = variant.inventory_item_id
    return {
        "inventory_item_id": item,
        "location_id": LOCATION_ID,
        "available": variant.inventory if variant.tracked else None,
        "updated_at": rest_when(now),
        "admin_graphql_api_id": f"{gid('InventoryLevel', LOCATION_ID)}?inventory_item_id={item}",
    }


def inventory_item(shop: Shop, item: InventoryItem) -> Json:
    """Return the payload of inventory_items/create and inventory_items/update."""
    cost = item.variant.cost_minor
    return {
        "id": item.id,
        "sku": item.variant.sku,
        "created_at": rest_when(item.created_at),
        "updated_at": rest_when(item.updated_at),
        "requires_shipping": True,
        "cost": None if cost is None else money(cost, shop.currency),
        "country_code_of_origin": None,
        "province_code_of_origin": None,
        "harmonized_system_code": None,
        "tracked": item.variant.tracked,
        "country_harmonized_system_codes": [],
        "weight_value": item.variant.weight_grams,
        "weight_unit": "g",
        "admin_graphql_api_id": gid("InventoryItem", item.id),
    }


def customer(shop: Shop, customer: Customer) -> Json:
    """Return the payload of customers/create and customers/update."""
    address = address_of(shop, customer)
    return {
        "id": customer.id,
        "created_at": rest_when(customer.created_at),
        "updated_at": rest_when(customer.updated_at),
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "state": "disabled",
        "note": customer.note,
        "verified_email": True,
        "multipass_identifier": None,
        "tax_exempt": False,
        "email": customer.email,
        "phone": None,
        "currency": shop.currency,
        "addresses": [address],
        "tax_exemptions": [],
        "admin_graphql_api_id": gid("Customer", customer.id),
        "default_address": address,
    }


def customer_deleted(customer_id: int) -> Json:
    return {"id": customer_id, "tax_exemptions": [], "admin_graphql_api_id": gid("Customer", customer_id)}


def email_consent(customer: Customer) -> Json:
    """Return the payload of customers_email_marketing_consent/update."""
    asked = customer.email_consent_at
    return {
        "customer_id": customer.id,
        "email_address": customer.email,
        "email_marketing_consent": {
            "state": customer.email_consent,
            "opt_in_level": "single_opt_in" if asked else None,
            "consent_updated_at": rest_when(asked) if asked else None,
        },
    }


def sms_consent(customer: Customer) -> Json:
    """Return the payload of customers_marketing_consent/update; nobody has a phone number here."""
    asked = customer.sms_consent_at
    return {
        "id": customer.id,
        "phone": None,
        "sms_marketing_consent": {
            "state": customer.sms_consent,
            "opt_in_level": "single_opt_in" if asked else None,
            "consent_updated_at": rest_when(asked) if asked else None,
            "consent_collected_from": "other",
        },
    }


def address_of(shop: Shop, customer: Customer) -> Json:
    """Return the customer's address: invented, the same street for everybody."""
    return {
        "id": customer.id,
        "customer_id": customer.id,
        **plain_address(shop, customer.first_name, customer.last_name),
        "country_name": "United States",
        "default": True,
    }


def plain_address(shop: Shop, first_name: str, last_name: str) -> Json:
    return {
        "first_name": first_name,
        "last_name": last_name,
        "company": "",
        "address1": "1 Example Street",
        "address2": "",
        "city": "Springfield",
        "province": "Ohio",
        "country": "United States",
        "zip": "45501",
        "phone": "",
        "name": f"{first_name} {last_name}".strip(),
        "province_code": "OH",
        "country_code": shop.country,
    }


def scopes_update(installation: Installation, shop: Shop, previous: list[str], now: datetime) -> Json:
    """Return the payload of app/scopes_update."""
    return {
        "id": installation.id,
        "shop_id": gid("Shop", shop.id),
        "previous": previous,
        "current": sorted(installation.scopes),
        "updated_at": rest_when(now),
    }


def bulk_finish(
    operation_id: int, status: str, error_code: str | None, created: datetime, done: datetime
) -> Json:
    """Return the payload of bulk_operations/finish."""
    return {
        "admin_graphql_api_id": gid("BulkOperation", operation_id),
        "completed_at": rest_when(done),
        "created_at": rest_when(created),
        "error_code": error_code,
        "status": status,
        "type": "query",
    }


def data_request(shop: Shop, customer: Customer, request_id: int) -> Json:
    """Return the payload of customers/data_request."""
    return {
        "shop_id": shop.id,
        "shop_domain": shop.domain,
        "customer": _person(customer),
        "orders_requested": [order.id for order in shop.orders_of(customer.id)],
        "data_request": {"id": request_id},
    }


def customer_redact(shop: Shop, customer: Customer) -> Json:
    """Return the payload of customers/redact."""
    return {
        "shop_id": shop.id,
        "shop_domain": shop.domain,
        "customer": _person(customer),
        "orders_to_redact": [order.id for order in shop.orders_of(customer.id)],
    }


def shop_redact(shop: Shop) -> Json:
    return {"shop_id": shop.id, "shop_domain": shop.domain}


def _person(customer: Customer) -> Json:
    return {"id": customer.id, "email": customer.email, "phone": ""}


def shop(shop: Shop) -> Json:
    """Return the payload of app/uninstalled: the shop that took the app out."""
    never = (
        "domain",
        "source",
        "latitude",
        "longitude",
        "address2",
        "taxes_included",
        "auto_configure_tax_inclusivity",
        "tax_shipping",
        "county_taxes",
        "google_apps_domain",
        "google_apps_login_enabled",
        "password_enabled",
    )
    address = plain_address(shop, "", "")
    return dict.fromkeys(never) | {
        "id": shop.id,
        "name": shop.name,
        "email": shop.email,
        "customer_email": shop.email,
        "phone": "",
        "country": shop.country,
        "country_code": shop.country,
        "country_name": address["country"],
        "province": address["province"],
        "province_code": address["province_code"],
        "address1": address["address1"],
        "city": address["city"],
        "zip": address["zip"],
        "primary_locale": "en",
        "created_at": rest_when(shop.created_at),
        "updated_at": rest_when(shop.created_at),
        "currency": shop.currency,
        "enabled_presentment_currencies": shop.currencies,
        "timezone": shop.timezone,
        "iana_timezone": shop.timezone,
        "shop_owner": "Shop owner",
        "weight_unit": "oz",
        "money_format": "${{amount}}",
        "money_in_emails_format": "${{amount}}",
        "money_with_currency_format": "${{amount}} " + shop.currency,
        "money_with_currency_in_emails_format": "${{amount}} " + shop.currency,
        "plan_display_name": "Development",
        "plan_name": "partner_test",
        "myshopify_domain": shop.domain,
        "has_discounts": bool(shop.discounts),
        "has_gift_cards": False,
        "eligible_for_payments": True,
        "requires_extra_payments_agreement": False,
        "has_storefront": True,
        "finances": True,
        "primary_location_id": LOCATION_ID,
        "checkout_api_supported": True,
        "multi_location_enabled": False,
        "setup_required": False,
        "pre_launch_enabled": False,
        "marketing_sms_consent_enabled_at_checkout": False,
        "transactional_sms_disabled": False,
    }
