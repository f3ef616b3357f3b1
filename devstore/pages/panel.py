"""The developer panel: where everything is, how it stands, and buttons to make things happen."""

from collections import Counter
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from devstore.pages.admin import admin_address
from devstore.pages.render import builds_of, page, store_of

FRAMES = {name: Path(__file__).parents[1] / "templates" / f"{name}.html" for name in ("frame", "realm")}
SHOWN_CHECKOUTS = 5
SHOWN_DELIVERIES = 8


async def view(request: Request) -> Response:
    """Answer the panel."""
    store, builds = store_of(request), builds_of(request)
    shop = store.shop_of(request.headers.get("host", ""))
    log = [x for x in store.deliverer.log if x.shop == shop.domain]
    return page(
        request,
        "panel.html",
        title=f"{shop.name} · dev store",
        shop=shop,
        app=store.app,
        admin=admin_address(shop),
        built={name: builds.is_built(name) for name in builds.paths},
        checkouts=list(shop.checkouts.values())[: -SHOWN_CHECKOUTS - 1 : -1],
        deliveries=log[: -SHOWN_DELIVERIES - 1 : -1],
        states=Counter(delivery.state for delivery in log),
        faults=store.deliverer.faults,
        products=sorted((p for p in shop.products.values() if p.variants), key=lambda p: p.title),
    )


async def frame(request: Request) -> Response:
    """Answer the document of the extensions' frames: sandboxed, or of the page's own origin."""
    path = FRAMES.get(request.path_params["name"])
    return FileResponse(path, media_type="text/html") if path else Response(status_code=404)
