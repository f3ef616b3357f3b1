"""Templates, and what each page hands to its scripts."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.templating import Jinja2Templates

from devstore.pages import pixel_data
from devstore.pages.builds import PIXEL, Builds, required_purposes, script_url
from devstore.pages.privacy import privacy_of
from devstore.pages.visitor import Visitor
from devstore.shop import Shop
from devstore.store import Store
from devstore.wire import digits, major

SYMBOLS = {"USD": "$", "CAD": "CA$", "EUR": "€", "GBP": "£", "JPY": "¥", "AUD": "A$"}
FOLDER = Path(__file__).parents[1] / "templates"


def price(minor: int, currency: str = "USD") -> str:
    """Return minor units as a price tag, such as $12.50."""
    sign = "−" if minor < 0 else ""
    symbol = SYMBOLS.get(currency, f"{currency} ")
    return f"{sign}{symbol}{major(abs(minor), currency):,.{digits(currency)}f}"


def script_json(value: object) -> str:
    """Return JSON that is safe inside a script element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


TEMPLATES = Jinja2Templates(directory=FOLDER)
TEMPLATES.env.filters |= {"price": price, "script_json": script_json}
TEMPLATES.env.trim_blocks = TEMPLATES.env.lstrip_blocks = True


def store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def builds_of(request: Request) -> Builds:
    builds: Builds = request.app.state.builds
    return builds


def event(name: str, **data: Any) -> dict[str, Any]:
    """Return a standard event for the page to publish."""
    return {"name": name, "data": data}


def boot(
    request: Request, shop: Shop, visitor: Visitor, events: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what every page's script starts from."""
    cart = visitor.cart
    return {
        "privacy": privacy_of(visitor),
        "pixel": _pixel(builds_of(request), shop),
        "events": [event("page_viewed"), *events],
        "init": {
            "shop": pixel_data.shop_data(shop),
            "customer": pixel_data.customer(shop, visitor.customer),
            "cart": pixel_data.cart(shop, cart.token, cart.lines, visitor.country) if cart else None,
            "purchasingCompany": None,
        },
    }


def _pixel(builds: Builds, shop: Shop) -> dict[str, Any] | None:
    """Return the app's web pixel in this shop, or None until the app has made one."""
    installed = shop.installation.pixel if shop.installation else None
    if installed is None or not builds.is_built(PIXEL):
        return None
    return {
        "scriptUrl": script_url(builds, PIXEL),
        "settings": json.loads(installed.settings),
        "purposes": required_purposes(builds.folders[PIXEL]),
    }


def fragment(template: str, **context: Any) -> str:
    """Return a part of a page as HTML."""
    return TEMPLATES.env.get_template(template).render(context)


def page(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    return TEMPLATES.TemplateResponse(request, template, context, status_code=status)
