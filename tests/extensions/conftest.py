"""A browser, and the built extension before an app that answers as a test says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.devstore.browser_world import build_host, opened_browser
from tests.extensions.checkout_world import CheckoutWorld, checkout_world
from tests.extensions.storefront_world import StorefrontWorld, storefront_world


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def module_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckoutWorld]:
    build_host()
    with checkout_world(tmp_path_factory.mktemp("checkout")) as made:
        yield made


@pytest.fixture
def world(module_world: CheckoutWorld) -> CheckoutWorld:
    module_world.reset()
    module_world.checkout()
    return module_world


@pytest.fixture(scope="module")
def module_storefront(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorefrontWorld]:
    build_host()
    with storefront_world(tmp_path_factory.mktemp("storefront")) as made:
        yield made
