"""What the page of the model shows: what serves, how good it is, what was tried, and the way back."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import QueryParams

from app.admin import models_view as view
from app.admin import store
from app.admin.models_chart import curve
from app.admin.models_store import latest_versions
from app.admin.privacy_view import minute
from app.connections import Connections
from app.recommend.drift_watch import last_watch
from app.shops.store import Shop

MOST_VERSIONS = 12


async def overview(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return the card of the version that serves, beside the others there are."""
    versions = await latest_versions(connections, shop, MOST_VERSIONS)
    serving = next((each.card for each in versions if each.serves), None)
    newest = versions[0].card if versions else None
    watch = await last_watch(connections, shop.shop)
    calibrated = watch.calibration if watch else None
    imports = await store.imports(connections, shop)
    return {
        "imported": all(one.status == "done" for one in imports),
        "serving": serving,
        "trained": view.learnt_words(serving) if serving else "",
        "newest": newest.version if newest else "",
        "facts": view.facts(serving) if serving else [],
        "beside": view.beside(serving) if serving else [],
        "plainly": view.plainly(serving) if serving else "",
        "interval": view.interval(serving) if serving else "",
        "rungs": view.parts(serving, view.RUNGS) if serving else [],
        "segments": view.parts(serving, view.SEGMENTS) if serving else [],
        "challenge": view.challenge(newest) if newest else "",
        "challenger": newest,
        "watched": view.watch_words(watch),
        "looked": minute(watch.looked_at) if watch else "",
        "shifted": view.shifted(watch) if watch else [],
        "calibration": calibrated,
        "promised": view.promised(calibrated) if calibrated else "",
        "curve": curve(calibrated.bins) if calibrated else None,
        "weights": view.weights(serving) if serving else [],
        "parameters": view.parameters(serving) if serving else [],
        "versions": view.listed(versions),
        "before": next((each.card for each in versions if _came_before(each)), None),
        "version_words": view.version_words,
    }


def _came_before(version: Any) -> bool:
    """Return whether the version is what one click goes back to: the champion before, still on disk."""
    return bool(version.status == "retired" and version.there and not version.serves)
