"""Product illustrations, drawn from the product's words."""

from starlette.requests import Request
from starlette.responses import Response

from devstore.images.draw import illustration
from devstore.pages.render import store_of

CACHE = "public, max-age=86400"


async def view(request: Request) -> Response:
    """Answer the illustration of a product; an unknown product gets the plain parcel."""
    store = store_of(request)
    shop = store.shop_of(request.headers.get("host", ""))
    number: int = request.path_params["product_id"]
    product = shop.products.get(number)
    svg = illustration(number, product.title if product else "", product.product_type if product else "")
    headers = {"Cache-Control": CACHE, "Access-Control-Allow-Origin": "*"}
    return Response(svg, media_type="image/svg+xml", headers=headers)
