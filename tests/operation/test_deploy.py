"""The files that operators deploy name what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from app.collect import routes as collecting
from app.config import read_settings
from app.connections import MOST_CONNECTIONS, Connections
from app.errors import ConfigError
from app.health import routes
from app.metrics import TURNED_AWAY, count_decision
from devstore.demo import stage
from tests.conftest import ENVIRONMENT, SETTINGS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
_OURS = re.compile(r"tillwise_\w+")
# Set by the image, read in place of another, or for developers.
_NOT_THEIRS = {"HOST", "PORT", "SHOPIFY_DEV_STORE_URL", "TILLWISE_DATA_DIR"}


class Noted(dict[str, str]):
    """An environment that notes which variables were asked for."""

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables)
        self.asked: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)


@pytest.fixture
def settings_read(tmp_path: Path) -> set[str]:
    """The variables that the app reads."""
    environment = Noted(ENVIRONMENT | {"TILLWISE_DATA_DIR": str(tmp_path)})
    read_settings(environment)
    return environment.asked


@pytest.fixture
async def exported(connections: Connections) -> set[str]:
    """The names of the samples that /metrics gives."""
    count_decision("personalised", "personal", None, 1)
    TURNED_AWAY.labels("offers", "shop")
    web = Starlette(routes=[*routes, *collecting])
    web.state.connections = connections
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://t") as http:
        text = (await http.get("/metrics")).text
    return {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}


async def test_each_metric_of_the_dashboard_is_exported(exported: set[str]) -> None:
    panels = json.loads((DEPLOY / "grafana.json").read_text())["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    named = {name for each in expressions for name in _OURS.findall(each)}
    assert named
    assert named - exported == set()


async def test_each_metric_of_an_alert_is_exported(exported: set[str]) -> None:
    named = set(_OURS.findall((DEPLOY / "alerts.yaml").read_text()))
    assert named
    assert named - exported == set()


def test_each_alert_is_explained_to_who_operates_it() -> None:
    alerts = re.findall(r"alert: (\w+)", (DEPLOY / "alerts.yaml").read_text())
    guide = (ROOT / "docs/operations.md").read_text()
    assert [alert for alert in alerts if f"`{alert}`" not in guide] == []


def test_each_setting_is_explained_to_who_operates_it(settings_read: set[str]) -> None:
    pages = (ROOT / "README.md").read_text() + (ROOT / "docs/operations.md").read_text()
    assert {each for each in settings_read if f"`{each}`" not in pages} == {"SHOPIFY_DEV_STORE_URL"}


def test_no_setting_of_an_installation_reaches_a_test_or_the_demo(
    settings_read: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings_read | {"HOST"} == set(SETTINGS)
    for name in SETTINGS:
        monkeypatch.setenv(name, "theirs")
    assert "theirs" not in stage._environment(tmp_path).values()


def test_each_setting_reaches_the_processes_of_the_compose_file(settings_read: set[str]) -> None:
    passed = re.findall(r"^    ([A-Z_]+):", (ROOT / "compose.yaml").read_text(), re.MULTILINE)
    assert settings_read - _NOT_THEIRS - set(passed) == set()
    assert len(passed) == len(set(passed)), "Docker takes no file that says a thing twice"


def test_the_proxy_writes_down_nobodys_address_and_no_token() -> None:
    settings = (DEPLOY / "nginx.conf").read_text()
    assert re.findall(r"^ *(?:access|error)_log (.+);$", settings, re.MULTILINE) == ["off", "stderr crit"]


@pytest.mark.parametrize("path", ["/api/personalize", "/api/track_event", "/api/v1/segments"])
def test_the_proxy_limits_what_asks_the_database_for_a_key_that_anybody_may_make_up(path: str) -> None:
    settings = (DEPLOY / "nginx.conf").read_text()
    limited = re.findall(r"location ~ (\S+) \{\n *limit_req zone=visitor", settings)
    assert any(re.search(each, path) for each in limited)


def test_the_proxy_waits_for_longer_than_any_page_may(tmp_path: Path) -> None:
    given = ENVIRONMENT | {"TILLWISE_DATA_DIR": str(tmp_path)}
    with pytest.raises(ConfigError, match="PATIENCE"):
        read_settings(given | {"PATIENCE": "1000"})
    longest = read_settings(given | {"PATIENCE": "999"}).patience_s
    everything_else = (DEPLOY / "nginx.conf").read_text().partition("location / {")[2]
    waits = re.search(r"proxy_read_timeout (\d+)s;", everything_else)
    assert waits is not None
    assert int(waits[1]) > longest


def test_the_database_of_the_compose_file_takes_what_as_many_processes_open_as_the_page_starts() -> None:
    taken = re.search(r"max_connections=(\d+)", (ROOT / "compose.yaml").read_text())
    (example,) = re.findall(r"docker compose up --scale[^`]+", (ROOT / "docs/operations.md").read_text())
    assert taken is not None
    assert sum(map(int, re.findall(r"=(\d+)", example))) * MOST_CONNECTIONS <= int(taken[1])


async def test_what_waits_in_the_stores_is_told(connections: Connections) -> None:
    web = Starlette(routes=routes)
    web.state.connections = connections
    await connections.redis.xadd("tw:events", {"e": b"?"})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://t") as http:
        text = (await http.get("/metrics")).text
    assert "tillwise_event_log_unhandled 1.0" in text
    assert 'tillwise_reachable{part="redis"} 1.0' in text
    assert 'tillwise_inbox_rows{status="parked"} 0.0' in text
    assert "tillwise_inbox_due_seconds 0.0" in text
