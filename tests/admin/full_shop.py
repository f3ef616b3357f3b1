"""A shop with something to show on every page of the admin."""

from __future__ import annotations

from app.connections import Connections
from tests.admin.campaign_factories import keep_campaigns
from tests.admin.experiment_factories import keep_experiment
from tests.admin.factories import keep_busy_shop, keep_private_matters
from tests.admin.model_factories import a_watch, keep_models, keep_watch
from tests.admin.segment_factories import keep_segments


async def keep_everything(connections: Connections, units: int = 200) -> str:
    """Fill the shop and return the version of the model that serves. units: visitors of its experiment."""
    await keep_busy_shop(connections)
    await keep_private_matters(connections)
    await keep_campaigns(connections)
    await keep_segments(connections)
    await keep_experiment(connections, units=units)
    _, version = await keep_models(connections)
    await keep_watch(connections, a_watch())
    return version
