"""What a page hands to the checkout extension, and in which of its places it stands."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from devstore.pages.builds import EXTENSION, capabilities, metafields, script_url, settings, texts
from devstore.pages.render import builds_of
from devstore.pages.visitor import Visitor

TARGETS: Mapping[str, str] = {
    "block": "purchase.checkout.block.render",
    "lines": "purchase.checkout.cart-line-list.render-after",
}
INSTRUCTIONS = ("lines", "discounts", "attributes")


def extension(request: Request, visitor: Visitor) -> dict[str, Any] | None:
    """Return what the extension starts from; None where it is not built.

    The query chooses what a merchant chooses in the checkout editor: settings by their keys, `editor=1` for
    the editor itself. `locked=lines,discounts` is a checkout that lets nothing of these be changed, and
    `host=page` runs the bundle beside its elements in the place of a sandbox and a worker.
    """
    builds, query = builds_of(request), request.query_params
    if not builds.is_built(EXTENSION):
        return None
    folder = builds.folders[EXTENSION]
    found = texts(folder, visitor.locale)
    return {
        "scriptUrl": script_url(builds, EXTENSION),
        "settings": settings(folder, query),
        "capabilities": capabilities(folder),
        "metafields": metafields(folder),
        "locale": visitor.locale,
        "extensionLocale": found.locale,
        "country": visitor.country,
        "translations": found.translations,
        "fallback": found.fallback,
        "editor": query.get("editor") == "1",
        "locked": [name for name in INSTRUCTIONS if name in _words(query.get("locked", ""))],
        "sandboxed": query.get("host") != "page",
    }


def targets(query: Mapping[str, str]) -> list[str]:
    """Return the targets where the merchant placed the extension: `blocks=block,lines`, else the block."""
    words = _words(query.get("blocks", "block"))
    return [target for name, target in TARGETS.items() if name in words]


def _words(text: str) -> set[str]:
    return {word.strip() for word in text.split(",")}
