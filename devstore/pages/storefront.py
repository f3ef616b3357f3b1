"""The storefront: home, collections by product type, a product, search."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from devstore.pages import pixel_data
from devstore.pages.render import boot, event, page, store_of
from devstore.pages.theme import theme_of
from devstore.pages.visitor import remember, visitor_of
from devstore.records import Product
from devstore.shop import Shop

PAGE_SIZE = 48
SHOWN_COLLECTIONS = 10
ALIKE = 6
RIGHT_TO_LEFT = ("ar", "fa", "he", "ur")


async def home(request: Request) -> Response:
    """Answer the first page: what sold most often lately."""
    shop = _shop(request)
    found = sorted(on_sale(shop), key=_rank(shop), reverse=True)
    return _grid(request, shop, found, title="Popular")


async def collection(request: Request) -> Response:
    """Answer the products of one type."""
    shop = _shop(request)
    handle = request.path_params["handle"]
    names = {slug(p.product_type): p.product_type for p in shop.products.values()}
    if handle not in names:
        return _missing(request, shop, "There is no such collection.")
    found = [p for p in on_sale(shop) if p.product_type == names[handle]]
    seen = {"id": handle, "title": names[handle], "productVariants": _seen(request, shop, found)}
    seen_event = event("collection_viewed", collection=seen)
    return _grid(request, shop, found, title=label(names[handle]), events=[seen_event])


async def search(request: Request) -> Response:
    """Answer the products that have every word of the query in title, maker or type."""
    shop = _shop(request)
    query = request.query_params.get("q", "").strip()
    words = query.lower().split()
    found = [p for p in on_sale(shop) if words and all(word in _text(p) for word in words)]
    searched = event(
        "search_submitted",
        searchResult={"query": query, "productVariants": _seen(request, shop, found)},
    )
    title = f"{len(found)} results for “{query}”" if query else "Search"
    return _grid(request, shop, found, title=title, events=[searched], query=query)


async def product(request: Request) -> Response:
    """Answer one product, with others of its type below."""
    shop = _shop(request)
    handle = request.path_params["handle"]
    found = next((p for p in on_sale(shop) if p.handle == handle), None)
    if found is None:
        return _missing(request, shop, "This product is no longer sold here.")
    chosen = _variant(found, request.query_params.get("variant", ""))
    alike = [p for p in on_sale(shop) if p.product_type == found.product_type and p is not found]
    country = visitor_of(request, shop).country
    viewed = event("product_viewed", productVariant=pixel_data.variant(shop, chosen, country))
    context = frame(request, shop, [viewed], found) | {
        "product": found,
        "variant": chosen,
        "alike": alike[:ALIKE],
        "title": found.title,
    }
    return remember(page(request, "product.html", **context), request.query_params)


def frame(
    request: Request, shop: Shop, events: Sequence[dict[str, Any]], product: Product | None = None
) -> dict[str, Any]:
    """Return what the storefront's header, footer and scripts need, and the app's blocks in it."""
    visitor = visitor_of(request, shop)
    return {
        "shop": shop,
        "visitor": visitor,
        "market": shop.market_of(visitor.country),
        "boot": boot(request, shop, visitor, events),
        "collections": collections(shop),
        "shown": SHOWN_COLLECTIONS,
        "count": sum(line.quantity for line in visitor.cart.lines) if visitor.cart else 0,
        "customers": sorted(shop.customers.values(), key=lambda c: (c.first_name, c.last_name)),
        "query": "",
        "theme": theme_of(request, shop, visitor, product),
        "lang": visitor.locale,
        "direction": "rtl" if visitor.locale.split("-")[0] in RIGHT_TO_LEFT else "ltr",
        "scheme": "dark" if request.query_params.get("scheme") == "dark" else "light",
    }


def collections(shop: Shop) -> list[tuple[str, str, int]]:
    """Return (handle, name, products) of every product type, the largest first."""
    counted = Counter(p.product_type for p in on_sale(shop) if p.product_type)
    return [(slug(name), label(name), n) for name, n in counted.most_common()]


def on_sale(shop: Shop) -> Iterable[Product]:
    return (p for p in shop.products.values() if p.published and p.status == "active" and p.variants)


def slug(name: str) -> str:
    """Return a name as it stands in an address."""
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def label(name: str) -> str:
    """Return a product type in sentence case when the data shouts it."""
    return name.capitalize() if name.isupper() else name


def _grid(
    request: Request,
    shop: Shop,
    found: Sequence[Product],
    *,
    title: str,
    events: Sequence[dict[str, Any]] = (),
    query: str = "",
) -> Response:
    number = request.query_params.get("page", "1")
    at = max(1, int(number)) if number.isdecimal() else 1
    pages = max(1, -(-len(found) // PAGE_SIZE))
    context = frame(request, shop, events) | {
        "title": title,
        "query": query,
        "products": found[(at - 1) * PAGE_SIZE : at * PAGE_SIZE],
        "at": at,
        "pages": pages,
        "total": len(found),
    }
    return remember(page(request, "grid.html", **context), request.query_params)


def _rank(shop: Shop) -> Any:
    """Return the sort key: how often each product is in an order, then a stable order of ids."""
    sold = Counter(line.product_id for order in shop.orders.values() for line in order.lines)
    return lambda product: (sold[product.id], -product.id)


def _variant(found: Product, wanted: str) -> Any:
    return next((v for v in found.variants if str(v.id) == wanted), found.variants[0])


def _text(found: Product) -> str:
    return f"{found.title} {found.vendor} {found.product_type}".lower()


def _shop(request: Request) -> Shop:
    return store_of(request).shop_of(request.headers.get("host", ""))


def _seen(request: Request, shop: Shop, found: Sequence[Product]) -> list[dict[str, Any]]:
    """Return what an event tells of the products on a page."""
    return pixel_data.first_variants(shop, found[:PAGE_SIZE], visitor_of(request, shop).country)


def _missing(request: Request, shop: Shop, why: str) -> Response:
    context = frame(request, shop, []) | {"title": "Not found", "why": why}
    return page(request, "missing.html", status=404, **context)
