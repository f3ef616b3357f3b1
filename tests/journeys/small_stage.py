"""A small shop behind its dev store, Tillwise beside it, and a browser: what a journey walks through.

On ports of its own, so that it runs beside a demo. The extensions are the built ones, with the
address of this stage's app in the place of the one they were built for.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from redis import Redis
from starlette.applications import Starlette

from app.embedded_redis import embedded_redis
from devstore.app_config import DEMO_KEY, DEMO_SECRET, load
from devstore.demo import DOMAIN, build
from devstore.main import create_app, create_store
from devstore.pages import Builds, routes
from devstore.pages.builds import EXTENSION, PIXEL, THEME
from devstore.shop import Shop
from tests.cluster import free_ports
from tests.devstore.browser_world import ROOT, serving, until_within

HOUSEHOLDS, PRODUCTS = 150, 400
# The moment of the data that is now, whenever that is: every run has the same orders, of the same age.
# Nobody's last one becomes a whole day older in the four hours after it.
SPLIT = datetime(2017, 12, 12, 8, 30)  # noqa: DTZ001 - the data's times have no zone
START_S = 90.0


@dataclass(frozen=True, slots=True)
class SmallStage:
    """The running stage. home: where the app's data and log are. shop: the dev store's own."""

    home: Path
    shop: Shop
    store_url: str
    app_url: str
    redis_url: str
    environment: dict[str, str]

    @property
    def database(self) -> Path:
        return self.home / "tillwise.db"

    @property
    def log(self) -> str:
        return (self.home / "app.log").read_text(errors="replace")

    def redis(self) -> Redis:
        return Redis.from_url(self.redis_url)

    def tillwise(self, *arguments: str) -> None:
        """Run the `tillwise` command. Raises AssertionError with what it printed when it fails."""
        command = [sys.executable, "-m", "app.cli", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{self.log[-3000:]}"


@contextmanager
def small_stage(
    home: Path,
    *,
    households: int = HOUSEHOLDS,
    products: int = PRODUCTS,
    prepare: Callable[[Shop], None] = lambda _shop: None,
    trained: bool = True,
) -> Iterator[SmallStage]:
    """Yield the stage with the app installed, the shop imported and its model trained.

    prepare: what becomes of the shop before it is imported.
    """
    (port,) = free_ports(1)
    app_url = f"http://127.0.0.1:{port}"
    builds = Builds(bundles_for(app_url, home / "extensions"), ROOT / "extensions" / THEME)
    now = datetime.now(UTC).replace(microsecond=0)
    shop = build(now, households=households, products=products, split=SPLIT)
    prepare(shop)

    def dev_store(url: str) -> Starlette:
        config = load(ROOT / "shopify.app.toml", app_url, DEMO_KEY, DEMO_SECRET)
        store = create_store(config, [shop], base_url=url)
        return create_app(store, routes(builds), builds=builds)

    with ExitStack() as stack:
        store_url = stack.enter_context(serving(dev_store))
        redis_url = stack.enter_context(embedded_redis(home))
        environment = environment_of(home, app_url, store_url, redis_url)
        stack.enter_context(running(home, app_url, environment))
        stage = SmallStage(home, shop, store_url, app_url, redis_url, environment)
        install(stage)
        stage.tillwise("backfill", "--shop", DOMAIN, "--follow")
        if trained:
            stage.tillwise("train", "--shop", DOMAIN, "--follow")
        yield stage


def bundles_for(app_url: str, home: Path) -> dict[str, Path]:
    """Return folders with the built extensions, calling this app."""
    subprocess.run([str(ROOT / "scripts" / "build")], check=True, timeout=300, capture_output=True)
    built_for = (ROOT / ".venv" / ".built").read_text().strip()
    for name in (EXTENSION, PIXEL):
        skipped = shutil.ignore_patterns("node_modules", "src", "tests", "*.map")
        shutil.copytree(ROOT / "extensions" / name, home / name, ignore=skipped)
        bundle = home / name / "dist" / f"{name}.js"
        code = bundle.read_text()
        assert built_for in code, f"{name} was not built for {built_for}"
        bundle.write_text(code.replace(built_for, app_url))
    return {name: home / name for name in (EXTENSION, PIXEL)}


def environment_of(home: Path, app_url: str, store_url: str, redis_url: str) -> dict[str, str]:
    own = {"DATABASE_URL", "TOKEN_ENCRYPTION_KEYS", "SHOPIFY_OLD_API_SECRET", "HOST"}
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return kept | {
        "SHOPIFY_API_KEY": DEMO_KEY,
        "SHOPIFY_API_SECRET": DEMO_SECRET,
        "SHOPIFY_DEV_STORE_URL": store_url,
        "APP_URL": app_url,
        "PORT": app_url.rsplit(":", 1)[-1],
        "REDIS_URL": redis_url,
        "TILLWISE_DATA_DIR": str(home),
    }


@contextmanager
def running(home: Path, app_url: str, environment: dict[str, str]) -> Iterator[None]:
    """Run the app with its worker until left."""
    command = [sys.executable, "-m", "app.cli", "serve", "--worker"]
    with (home / "app.log").open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    try:
        with httpx.Client(base_url=app_url, timeout=2) as client:
            until_within(START_S, lambda: process.poll() is not None or is_ready(client))
        assert process.poll() is None, (home / "app.log").read_text(errors="replace")[-3000:]
        yield
    finally:
        kill_session(process.pid)
        process.kill()
        process.wait()


def kill_session(leader: int) -> None:
    """End a process and all that it started, at once: nothing of them is looked at any more."""
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            if os.getsid(int(each.name)) == leader:
                os.kill(int(each.name), signal.SIGKILL)


def is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def entrance(stage: SmallStage) -> dict[str, str]:
    """Return the query that the admin opens a page of the app with, its id token fresh."""
    token = httpx.post(f"{stage.store_url}/control/id-token", json={}, timeout=30).json()["token"]
    return {"shop": DOMAIN, "embedded": "1", "host": "YWRtaW4", "id_token": token}


def install(stage: SmallStage) -> None:
    """Open the embedded app as the admin does, with a fresh id token: that installs it."""
    httpx.post(f"{stage.store_url}/control/install", json={}, timeout=30).raise_for_status()
    answer = httpx.get(f"{stage.app_url}/", params=entrance(stage), timeout=60)
    assert answer.status_code == httpx.codes.OK, f"{answer.status_code}: {answer.text}"
    until_within(START_S, lambda: stage.shop.installation and stage.shop.installation.pixel)
