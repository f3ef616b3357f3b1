from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from app.admin.routes import routes
from app.connections import Connections
from tests.admin.factories import entrance, imported, keep, opened, parked, shop_row
from tests.admin.full_shop import keep_everything
from tests.shops.web import browsing

ROOT = Path(__file__).parents[2]
PRIVACY = ("/admin/privacy", "/admin/privacy/people", "/admin/privacy/rules", "/admin/privacy/audit")
SEGMENTS = (
    "/admin/segments",
    "/admin/customer",
    "/admin/segments/meanings",
    "/admin/segments/own",
    "/admin/segments/approach",
    "/admin/segments/shopify",
    "/admin/segments/review",
    "/admin/segments/elsewhere",
)
CAMPAIGNS = tuple(f"/admin/campaigns{each}" for each in ("", "/new", "/edit", "/learnt"))
EXPERIMENTS = tuple(f"/admin/experiments{each}" for each in ("", "/new", "/read", "/earned"))
PAGES = (
    "/",
    "/admin/decisions",
    "/admin/decisions/one",
    "/admin/products",
    "/admin/model",
    "/admin/settings",
    *PRIVACY,
    *SEGMENTS,
    *CAMPAIGNS,
    *EXPERIMENTS,
)
# What a page shows of one customer or one segment of the shop below.
ABOUT = {
    "/admin/segments": {"name": "champions"},
    "/admin/customer": {"id": "11"},
    "/admin/segments/own": {"edit": "regulars"},
    "/admin/campaigns/edit": {"id": "loyal-thanked"},
    "/admin/decisions/one": {"id": "d0"},
    "/admin/experiments/read": {"id": "dear"},
    "/admin/segments/shopify": {"ours": "dormant", "theirs": "almost_lost"},
}
STAND_INS = ROOT / "app/admin/static/polaris-dev.js"


async def drawn(connections: Connections) -> dict[str, str]:
    """Return the body of each page of a shop that shows everything there is, by its path."""
    await keep_everything(connections, units=800)
    failed = imported("orders", status="failed")
    loading = imported("customers", status="loading", loaded=3, total=9)
    await keep(connections, parked(), failed, loading)
    bodies = {}
    async with browsing(routes, connections) as browser:
        for path in PAGES:
            address, query = entrance(path, **ABOUT.get(path, {}))
            text = (await browser.get(address, params=query)).text
            # App Bridge's own element is not Polaris'.
            bodies[path] = text.partition("</s-app-nav>")[2].partition("</body>")[0]
    return bodies


def judged(pages: dict[str, str]) -> dict[str, dict[str, object]]:
    """Return what Shopify's validator says of each page."""
    path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    node = shutil.which("node", path=path)
    assert node, "node is needed to run Shopify's validator; `make install` brings one"
    done = subprocess.run(
        [node, str(ROOT / "scripts/check-markup.mjs")],
        input=json.dumps(pages),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    verdicts: dict[str, dict[str, object]] = json.loads(done.stdout)
    return verdicts


async def test_shopifys_validator_finds_nothing_wrong_with_any_page(
    connections: Connections,
) -> None:
    pages = await drawn(connections)
    broken = pages["/"].replace('tone="success"', 'tone="cheerful"')
    verdicts = judged({"all": "\n".join(pages.values()), "broken": broken})  # a second each, however long
    assert not verdicts["broken"]["valid"]
    assert verdicts["all"]["valid"], [each["says"] for each in judged(pages).values() if not each["valid"]]


async def test_every_element_of_the_pages_has_a_stand_in_for_development(
    connections: Connections,
) -> None:
    script = STAND_INS.read_text()
    made = set(re.findall(r"define(?:Field)?\('(s-[a-z-]+)'", script))
    names = ("privacy.js", "segments.js", "elsewhere.js", "campaigns_edit.js")
    scripts = [(STAND_INS.parent / name).read_text() for name in names]
    asked_for_by_scripts = re.findall(r"'(s-[a-z-]+)'", "".join(scripts))
    parts = re.search(r"for \(const part of \[(.*?)\]\)", script)
    assert parts
    made |= {f"s-table-{part}" for part in re.findall(r"'([a-z-]+)'", parts[1])}
    used = {
        name for page in (await drawn(connections)).values() for name in re.findall(r"<(s-[a-z-]+)", page)
    }
    assert used | set(asked_for_by_scripts) <= made


@pytest.mark.parametrize("path", ["/admin/campaigns/edit", "/admin/segments/own", "/admin/segments/approach"])
async def test_rows_whose_controls_are_named_alike_are_items_of_a_list(
    connections: Connections, browser: httpx.AsyncClient, path: str
) -> None:
    await keep(connections, shop_row())
    text = await opened(browser, path)
    rows = re.findall(r"<[^>]* data-item[^>]*>", text)
    assert rows
    assert all('role="listitem"' in row or 'role="group"' in row for row in rows)
    lists = re.findall(r"<[^>]* data-list=[^>]*>", text)
    assert all('role="list"' in each for each in lists if 'data-list="groups"' not in each)
