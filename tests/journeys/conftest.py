"""What the journeys ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.devstore.browser_world import build_host, opened_browser
from tests.journeys.small_stage import SmallStage, small_stage

_SHARED: dict[str, SmallStage] = {}  # by the fixture that asks for it
_OPEN = ExitStack()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def trained_stage(tmp_path_factory: pytest.TempPathFactory) -> SmallStage:
    """The stage of the files that leave it as they found it: to set it takes longer than to walk it."""
    return _shared("trained_stage", tmp_path_factory)


@pytest.fixture(scope="module")
def untrained_stage(tmp_path_factory: pytest.TempPathFactory) -> SmallStage:
    """The stage of the files that mind neither a campaign that runs nor an order more."""
    return _shared("untrained_stage", tmp_path_factory, households=60, products=100, trained=False)


def _shared(name: str, tmp_path_factory: pytest.TempPathFactory, **size: Any) -> SmallStage:
    if name not in _SHARED:
        build_host()
        _SHARED[name] = _OPEN.enter_context(small_stage(tmp_path_factory.mktemp("stage"), **size))
    return _SHARED[name]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """End the shared stage when what comes next does not ask for it."""
    if not _SHARED.keys() <= set(getattr(nextitem, "fixturenames", ())):
        _SHARED.clear()
        _OPEN.close()
