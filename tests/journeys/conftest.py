"""What the journeys ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from tests.devstore.browser_world import build_host, opened_browser
from tests.journeys.small_stage import SmallStage, small_stage

_ASKS = "trained_stage"
_SHARED: dict[str, SmallStage] = {}
_OPEN = ExitStack()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def trained_stage(tmp_path_factory: pytest.TempPathFactory) -> SmallStage:
    """The stage of the files that leave it as they found it: to set it takes longer than to walk it."""
    if _ASKS not in _SHARED:
        build_host()
        _SHARED[_ASKS] = _OPEN.enter_context(small_stage(tmp_path_factory.mktemp("stage")))
    return _SHARED[_ASKS]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """End the shared stage when what comes next does not ask for it."""
    if _ASKS not in getattr(nextitem, "fixturenames", ()):
        _SHARED.clear()
        _OPEN.close()
