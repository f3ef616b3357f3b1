"""Everything a person sees of the dev store: storefront, checkout, admin, developer panel."""

from collections.abc import Sequence
from pathlib import Path

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from devstore.pages import admin, ajax, carts, checkout, images, panel, proxy, storefront, theme, visitor
from devstore.pages.builds import Builds

__all__ = ["Builds", "routes"]

DIST = Path(__file__).parents[1] / "browser" / "dist"


def routes(builds: Builds) -> Sequence[BaseRoute]:
    """Return the routes of every page; they find the store at request.app.state.store."""
    bundles = [Route(f"/extensions/{name}.js", builds.answer(name), name=name) for name in builds.paths]
    return [
        Route("/", panel.view),
        Route("/storefront", storefront.home),
        Route("/collections/{handle}", storefront.collection),
        Route("/products/{handle}", storefront.product),
        Route("/search", storefront.search),
        Route("/cart", carts.view),
        Route("/cart.js", ajax.read),
        Route("/cart/add.js", ajax.add, methods=["POST"]),
        Route("/cart/update.js", ajax.update, methods=["POST"]),
        Route("/discount/{code}", ajax.discount),
        Route("/apps/{subpath}/{path:path}", proxy.forward),
        Route(f"{theme.ASSETS}{{name}}", theme.asset),
        Route("/cart/{change:str}", carts.change, methods=["POST"]),
        Route("/account/login", visitor.log_in, methods=["POST"]),
        Route("/checkouts/new", checkout.begin, methods=["POST"]),
        Route("/checkout/{token}", checkout.view),
        Route("/checkout/{token}/summary", checkout.summary),
        Route("/checkout/{token}/thank-you", checkout.thank_you),
        Route("/checkout/{token}/order-status", checkout.order_status),
        Route("/admin", admin.view),
        Route("/admin/id-token", admin.id_token, methods=["POST"]),
        Route("/admin/scopes", admin.scopes, methods=["POST"]),
        Route("/admin/products", admin.products),
        Route("/app-bridge.js", admin.app_bridge),
        Route("/images/{product_id:int}.svg", images.view),
        Route("/browser/{name}.html", panel.frame),
        Mount("/browser", StaticFiles(directory=DIST, check_dir=False)),
        *bundles,
    ]
