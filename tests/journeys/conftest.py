"""What the journeys ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from tests.devstore.browser_world import build_host, opened_browser
from tests.journeys.small_stage import SmallStage, small_stage

_STAGE: list[SmallStage] = []  # the one of this run, while somebody asks for it
_OPEN = ExitStack()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def trained_stage(tmp_path_factory: pytest.TempPathFactory) -> SmallStage:
    """The stage of the files that leave it as they found it: to set it takes longer than to walk it."""
    if not _STAGE:
        build_host()
        _STAGE.append(_OPEN.enter_context(small_stage(tmp_path_factory.mktemp("stage"))))
    return _STAGE[0]


@pytest.fixture(scope="module")
def changed_stage(trained_stage: SmallStage) -> SmallStage:
    """The same for those that come after them, and mind neither a campaign that runs nor an order more."""
    return trained_stage


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """End the shared stage when what comes next does not ask for it."""
    if _STAGE and "trained_stage" not in getattr(nextitem, "fixturenames", ()):
        _STAGE.clear()
        _OPEN.close()
