"""What each mutation that the app uses does to the shop, with Shopify's user errors."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLError

from devstore import bulk, payloads
from devstore.app_config import resolve as resolve_uri
from devstore.app_fields import find, topic_name
from devstore.fields import app_namespace
from devstore.records import (
    Customer,
    Installation,
    Metafield,
    Pixel,
    Product,
    Subscription,
)
from devstore.resolve import Context, Reader

Args = Mapping[str, Any]
METAFIELD_BYTES = 16_384  # what an extension reads at checkout


def refuse(field: list[str], message: str, code: str | None = None, **empty: Any) -> dict[str, Any]:
    """Return a payload that says no."""
    return empty | {"userErrors": [{"field": field, "message": message, "code": code}]}


def done(**made: Any) -> dict[str, Any]:
    """Return a payload without user errors."""
    return made | {"userErrors": []}


def installation(context: Context) -> Installation:
    """Return the app's installation: a token that is good implies one."""
    if context.shop.installation is None:
        raise GraphQLError("The app is not installed.", extensions={"code": "ACCESS_DENIED"})
    return context.shop.installation


def _settings(args: Args) -> str | None:
    """Return a pixel's settings as the JSON object they have to be, or None."""
    given = args["webPixel"]["settings"]
    try:
        read = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        return None
    return json.dumps(read) if isinstance(read, dict) else None


def web_pixel_create(context: Context, _source: Any, args: Args) -> Any:
    if installation(context).pixel is not None:
        return refuse(["webPixel"], "Web pixel is taken.", "TAKEN", webPixel=None)
    settings = _settings(args)
    if settings is None:
        return refuse(
            ["settings"], "The settings are not a JSON object.", "INVALID_CONFIGURATION_JSON", webPixel=None
        )
    pixel = installation(context).pixel = Pixel(context.shop.next_id(), settings)
    return done(webPixel=pixel)


def web_pixel_update(context: Context, _source: Any, args: Args) -> Any:
    pixel, settings = find(context, args["id"]), _settings(args)
    if not isinstance(pixel, Pixel):
        return refuse(["id"], "Web pixel not found.", "NOT_FOUND", webPixel=None)
    if settings is None:
        return refuse(
            ["settings"], "The settings are not a JSON object.", "INVALID_CONFIGURATION_JSON", webPixel=None
        )
    pixel.settings = settings
    return done(webPixel=pixel)


def web_pixel_delete(context: Context, _source: Any, args: Args) -> Any:
    if not isinstance(find(context, args["id"]), Pixel):
        return refuse(["id"], "Web pixel not found.", "NOT_FOUND", deletedWebPixelId=None)
    installation(context).pixel = None
    return done(deletedWebPixelId=args["id"])


def metafields_set(context: Context, _source: Any, args: Args) -> Any:
    """Set all of them or, when one is wrong, none."""
    _need_scopes(context, args["metafields"])
    wrong = [
        error for i, given in enumerate(args["metafields"]) for error in _metafield_errors(context, i, given)
    ]
    if wrong:
        return {"metafields": [], "userErrors": wrong}
    made = [_metafield(context, given) for given in args["metafields"]]
    installation(context).metafields.update({(m.owner, m.namespace, m.key): m for m in made})
    return done(metafields=made)


def _metafield_errors(context: Context, index: int, given: Args) -> list[dict[str, Any]]:
    def error(field: str, message: str, code: str) -> dict[str, Any]:
        return {
            "field": ["metafields", str(index), field],
            "message": message,
            "code": code,
            "elementIndex": index,
        }

    if index >= 25:
        return [
            error("metafields", "Exceeded the maximum metafields input limit of 25.", "LESS_THAN_OR_EQUAL_TO")
        ]
    if find(context, given["ownerId"]) is None:
        return [error("ownerId", "Owner does not exist.", "INVALID")]
    if len(given["value"].encode()) > METAFIELD_BYTES:
        return [
            error(
                "value", f"Value is longer than the {METAFIELD_BYTES} bytes that checkout reads.", "TOO_LONG"
            )
        ]
    if given.get("type") == "json":
        try:
            json.loads(given["value"])
        except ValueError:
            return [error("value", "Value is not JSON.", "INVALID_VALUE")]
    return []


def _metafield(context: Context, given: Args) -> Metafield:
    key = (given["ownerId"], app_namespace(context, given.get("namespace")), given["key"])
    old = installation(context).metafields.get(key)
    return Metafield(
        old.id if old else context.shop.next_id(),
        *key,
        given.get("type") or (old.type if old else "json"),
        given["value"],
        old.created_at if old else context.now,
        context.now,
    )


def metafields_delete(context: Context, _source: Any, args: Args) -> Any:
    _need_scopes(context, args["metafields"])
    keys = [(m["ownerId"], app_namespace(context, m["namespace"]), m["key"]) for m in args["metafields"]]
    held = installation(context).metafields
    gone = [held.pop(key, None) for key in keys]
    return done(
        deletedMetafields=[
            {"ownerId": m.owner, "namespace": m.namespace, "key": m.key} if m else None for m in gone
        ]
    )


def webhook_subscription_create(context: Context, _source: Any, args: Args) -> Any:
    given = args["webhookSubscription"]
    uri, topic = given.get("uri") or given.get("callbackUrl"), _slashed(args["topic"])
    if not uri:
        return refuse(["webhookSubscription", "uri"], "URI can't be blank", None, webhookSubscription=None)
    uri, held = resolve_uri(uri, "", context.store.app.url), installation(context).subscriptions
    if any((s.topic, s.uri) == (topic, uri) for s in held):
        return refuse(
            ["webhookSubscription", "callbackUrl"],
            "Address for this topic has already been taken",
            None,
            webhookSubscription=None,
        )
    made = Subscription(context.shop.next_id(), topic, uri, tuple(given.get("includeFields") or ()), False)
    held.append(made)
    return done(webhookSubscription=made)


def _slashed(name: str) -> str:
    """Return the slash form of a topic's name in the schema: orders/create of ORDERS_CREATE."""
    known = next((t for t in SPELLED if topic_name(t) == name), None)
    words = name.lower().rsplit("_", 1)
    return known or "/".join(words)


SPELLED = (
    "app/scopes_update",
    "bulk_operations/finish",
    "inventory_items/create",
    "inventory_items/update",
    "inventory_levels/update",
    "customers/data_request",
    "customers_email_marketing_consent/update",
    "orders/partially_fulfilled",
)


def webhook_subscription_delete(context: Context, _source: Any, args: Args) -> Any:
    found = find(context, args["id"])
    if not isinstance(found, Subscription) or found.from_configuration:
        return refuse(["id"], "Webhook subscription not found", None, deletedWebhookSubscriptionId=None)
    installation(context).subscriptions.remove(found)
    return done(deletedWebhookSubscriptionId=args["id"])


def _need_scopes(context: Context, metafields: Sequence[Args]) -> None:
    """Raise GraphQLError where a customer, product or discount is to be written to and the app may not."""
    needed = (
        ("Customer", "write_customers"),
        ("Product", "write_products"),
        ("DiscountAutomaticNode", "write_discounts"),
    )
    for kind, scope in needed:
        if any(str(each["ownerId"]).startswith(f"gid://shopify/{kind}/") for each in metafields):
            _need_scope(context, scope)


def _need_scope(context: Context, required: str) -> None:
    if required not in context.scopes:
        raise GraphQLError(
            f"Access denied. Required access: `{required}` access scope.",
            extensions={"code": "ACCESS_DENIED"},
        )


def tags_change(add: bool) -> Reader:
    """Return the mutation that adds tags to, or removes them from, anything with tags."""

    def change(context: Context, _source: Any, args: Args) -> Any:
        record = find(context, args["id"])
        if not hasattr(record, "tags"):
            return refuse(["id"], f"{args['id']} does not exist or has no tags", None, node=None)
        _need_scope(context, f"write_{args['id'].split('/')[3].lower()}s")
        kept = [tag for tag in record.tags if tag not in args["tags"]]
        record.tags = [*kept, *args["tags"]] if add else kept
        record.updated_at = context.now
        context.changed.append(record)
        return done(node=record)

    return change


def bulk_operation_run_query(context: Context, _source: Any, args: Args) -> Any:
    made = bulk.create(context, args["query"])
    if isinstance(made, bulk.Refusal):
        return refuse(["query"], made.message, made.code, bulkOperation=None)
    return done(bulkOperation=made)


def bulk_operation_cancel(context: Context, _source: Any, args: Args) -> Any:
    found = find(context, args["id"])
    if found is None or not found.running:
        return refuse(
            ["id"], "A bulk operation cannot be canceled when it is completed.", None, bulkOperation=found
        )
    found.status = "CANCELING"
    return done(bulkOperation=found)


def flow_trigger_receive(context: Context, _source: Any, args: Args) -> Any:
    """Keep what a trigger was told. What Shopify says where Flow is not installed is not published."""
    if not context.shop.has_flow:
        return refuse(["handle"], "Shopify Flow is not installed", None)
    if not args.get("handle") or not isinstance(args.get("payload"), dict):
        return refuse(["payload"], "A handle and a payload are needed", None)
    context.shop.told_flow.append({"handle": args["handle"], **args["payload"]})
    return done()


MUTATION: dict[str, Reader] = {
    "webPixelCreate": web_pixel_create,
    "webPixelUpdate": web_pixel_update,
    "webPixelDelete": web_pixel_delete,
    "metafieldsSet": metafields_set,
    "metafieldsDelete": metafields_delete,
    "webhookSubscriptionCreate": webhook_subscription_create,
    "webhookSubscriptionDelete": webhook_subscription_delete,
    "tagsAdd": tags_change(True),
    "tagsRemove": tags_change(False),
    "flowTriggerReceive": flow_trigger_receive,
    "bulkOperationRunQuery": bulk_operation_run_query,
    "bulkOperationCancel": bulk_operation_cancel,
}


async def announce(context: Context) -> None:
    """Tell the app of what its mutations changed, as Shopify tells an app of its own changes too."""
    for record in context.changed:
        if isinstance(record, Product):
            await context.store.announce(
                context.shop, "products/update", payloads.product(context.shop, record)
            )
        elif isinstance(record, Customer):
            await context.store.announce(
                context.shop, "customers/update", payloads.customer(context.shop, record)
            )
