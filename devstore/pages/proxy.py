"""The app proxy: a path of the storefront that is the app's, each request signed for it."""

from collections.abc import Iterable

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from devstore.pages.render import store_of
from devstore.pages.visitor import visitor_of
from devstore.tokens import proxy_query

WAIT_S = 10.0
KEPT = ("content-type", "cache-control")
OURS = ("shop", "logged_in_customer_id", "path_prefix", "timestamp", "signature")


async def forward(request: Request) -> Response:
    """Answer what the app answers, without cookies; 502 where it can't be reached."""
    store = store_of(request)
    if f"apps/{request.path_params['subpath']}" != store.app.proxy_path:
        return PlainTextResponse("no app has this path", status_code=404)
    shop = store.shop_of(request.headers.get("host", ""))
    customer = visitor_of(request, shop).customer
    told = (
        ("shop", shop.domain),
        ("logged_in_customer_id", str(customer.id) if customer else ""),
        ("path_prefix", f"/{store.app.proxy_path}"),
        ("timestamp", str(int(store.clock().timestamp()))),
    )
    query = proxy_query([*_own(request.query_params.multi_items()), *told], store.app.secret)
    address = f"{store.app.proxy_url}/{request.path_params['path']}?{query}"
    try:
        answer = await store.deliverer.client.get(address, timeout=WAIT_S)
    except httpx.HTTPError as error:
        return PlainTextResponse(f"The app could not be reached: {error!r}", status_code=502)
    kept = {name: answer.headers[name] for name in KEPT if name in answer.headers}
    return Response(answer.content, answer.status_code, kept)


def _own(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what the visitor asked; nobody can speak in the proxy's place."""
    return [(name, value) for name, value in pairs if name not in OURS]
