"""The app's theme extension in the storefront: its own files, its Liquid rendered as a theme renders it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from liquid import Environment, FileSystemLoader, Undefined
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from devstore.pages.builds import texts
from devstore.pages.render import builds_of, price
from devstore.pages.visitor import Visitor
from devstore.records import Product
from devstore.shop import Shop
from devstore.wire import minor

SCHEMA = re.compile(r"{%-?\s*schema\s*-?%}(.*?){%-?\s*endschema\s*-?%}", re.DOTALL)
ASSETS = "/extensions/theme/"
READ: Mapping[str, Any] = {"checkbox": lambda text: text == "1", "range": int}
LOADED = {
    "stylesheet": '<link rel="stylesheet" href="{}">',
    "javascript": '<script src="{}" defer></script>',
}


@dataclass(frozen=True, slots=True)
class Theme:
    """What the app's blocks bring into a page: files for its head, the embed, and a block for a section."""

    head: str = ""
    embed: str = ""
    section: str = ""


async def asset(request: Request) -> Response:
    """Answer a file of the extension's, as Shopify's CDN does."""
    folder, name = builds_of(request).theme, request.path_params["name"]
    path = folder / "assets" / name if folder else None
    if path is None or not path.is_file():
        return PlainTextResponse("there is no such asset", status_code=404)
    return FileResponse(path, headers={"Cache-Control": "public, max-age=31536000, immutable"})


def theme_of(request: Request, shop: Shop, visitor: Visitor, product: Product | None) -> Theme:
    """Return the extension's blocks for this page; `embed=0` is a theme without them.

    The query chooses what a merchant chooses in the theme editor: settings by their ids, `editor=1` for
    the editor itself.
    """
    folder, query = builds_of(request).theme, request.query_params
    if folder is None or query.get("embed") == "0":
        return Theme()
    objects = _objects(shop, visitor, product, query)
    rendered: dict[str, str] = {}
    head: dict[str, None] = {}  # each file once, however many blocks name it
    for name in ("embed", "recommendations"):
        source = (folder / "blocks" / f"{name}.liquid").read_text()
        schema = _schema(source)
        block = {"id": name, "settings": _settings(schema, query), "shopify_attributes": ""}
        template = _environment(folder, visitor.locale, shop.currency).from_string(SCHEMA.sub("", source))
        rendered[name] = template.render(**objects, block=block)
        head |= {
            tag.format(escape(_asset_url(folder, schema[key]))): None
            for key, tag in LOADED.items()
            if key in schema
        }
    return Theme("\n  ".join(head), rendered["embed"], rendered["recommendations"])


def _objects(
    shop: Shop, visitor: Visitor, product: Product | None, query: Mapping[str, str]
) -> dict[str, Any]:
    """Return the global objects of Shopify's Liquid that the blocks read."""
    return {
        "shop": {"name": shop.name, "currency": shop.currency, "permanent_domain": shop.domain},
        "localization": {
            "language": {"iso_code": visitor.locale},
            "country": {"iso_code": visitor.country},
        },
        "request": {"design_mode": query.get("editor") == "1", "locale": {"iso_code": visitor.locale}},
        "routes": {
            "root_url": "/",
            "cart_url": "/cart",
            "cart_add_url": "/cart/add",
            "cart_update_url": "/cart/update",
        },
        "cart": _cart(visitor),
        "customer": {"current_company": _company(visitor)},
        "product": {"id": product.id, "title": product.title} if product else None,
    }


def _cart(visitor: Visitor) -> dict[str, Any]:
    """Return the cart; attributes that begin with two underscores are for no page."""
    cart = visitor.cart
    attributes = cart.attributes if cart else {}
    return {
        "item_count": sum(line.quantity for line in cart.lines) if cart else 0,
        "attributes": {name: value for name, value in attributes.items() if not name.startswith("__")},
    }


def _company(visitor: Visitor) -> dict[str, Any] | None:
    customer = visitor.customer
    return {"id": customer.id, "name": customer.company} if customer and customer.company else None


@lru_cache
def _environment(folder: Path, locale: str, currency: str) -> Environment:
    """Return Liquid with the filters that are Shopify's own, in the visitor's language."""
    made = Environment(loader=FileSystemLoader(folder / "snippets", ext=".liquid"))
    found = texts(folder, locale)
    made.add_filter("t", lambda key, **gaps: _translated(found.translations, found.fallback, key, gaps))
    made.add_filter("json", _json)
    made.add_filter("money", lambda hundredths: price(minor(hundredths / 100, currency), currency))
    made.add_filter("asset_url", lambda name: _asset_url(folder, name))
    return made


def _translated(
    translations: Mapping[str, Any], fallback: Mapping[str, Any], key: str, gaps: Mapping[str, Any]
) -> str:
    """Return the text of a dotted key, its gaps filled and escaped."""
    text = _at(translations, key) or _at(fallback, key) or f"Translation missing: {key}"
    return re.sub(r"{{\s*(\w+)\s*}}", lambda gap: escape(str(gaps.get(gap[1], "")), quote=False), text)


def _at(found: Any, key: str) -> str | None:
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else None


def _json(value: Any) -> str:
    """Return JSON as Shopify's filter writes it: safe inside a script."""
    plain = None if isinstance(value, Undefined) else value
    return json.dumps(plain).replace("<", "\\u003c")


def _asset_url(folder: Path, name: str) -> str:
    path = folder / "assets" / name
    version = format(path.stat().st_mtime_ns, "x") if path.is_file() else "0"
    return f"{ASSETS}{name}?v={version}"


def _schema(source: str) -> dict[str, Any]:
    found = SCHEMA.search(source)
    read: dict[str, Any] = json.loads(found[1]) if found else {}
    return read


def _settings(schema: Mapping[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    """Return the merchant's settings: those of the query, else their defaults."""
    return {
        field["id"]: READ.get(field["type"], str)(query[field["id"]])
        if field["id"] in query
        else field.get("default")
        for field in schema.get("settings", [])
    }
