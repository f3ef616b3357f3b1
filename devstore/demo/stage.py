"""The processes of the demo: a dev store and Tillwise beside it, on one machine, gone when it ends."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from devstore.app_config import DEMO_KEY, DEMO_SECRET

USUAL_PORT = 4700


def demo_port(told: str | None) -> int:
    """Return where the dev store listens: as told, else as usual. Tillwise has the port after it.

    Ends the process, saying why, for what is no port.
    """
    if not told:
        return USUAL_PORT
    if not (told.isascii() and told.isdigit() and 1024 <= int(told) < 65535):
        sys.exit(f"PORT={told} can't be used: say a number from 1024 to 65534.")
    return int(told)


SHOP = "harvest-lane.myshopify.com"
# A developer's own settings must not lead the demo to their database, nor its letters to their mail server.
_THEIRS = {
    "DATABASE_URL", "REDIS_URL", "EVENT_LOG_URL", "TOKEN_ENCRYPTION_KEYS", "SHOPIFY_OLD_API_SECRET", "HOST",
    "SCOPES", "SMTP_URL", "PLANS", "RATES", "PATIENCE",
}  # fmt: skip
DEV_STORE_PORT = demo_port(os.environ.get("DEMO_PORT"))
APP_PORT = DEV_STORE_PORT + 1
DEV_STORE = f"http://127.0.0.1:{DEV_STORE_PORT}"
APP = f"http://127.0.0.1:{APP_PORT}"
# What the demo's shopper puts in the cart: titles of the shop's products.
BASKET = ("Bananas", "Avocado", "Limes")
_START_S = 90.0
_STOP_S = 25.0


class StageFailed(Exception):
    """Something the demo needs did not come up, or ended."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The running demo. home: where its data and logs are."""

    home: Path
    environment: dict[str, str]

    def tillwise(self, *arguments: str) -> None:
        """Run the `tillwise` command as a merchant's developer would; its output is shown."""
        command = [sys.executable, "-m", "app.cli", *arguments]
        code = subprocess.run(command, env=self.environment, check=False).returncode
        if code:
            raise StageFailed(f"`tillwise {' '.join(arguments)}` ended with exit code {code}")


def control(path: str, **body: Any) -> dict[str, Any]:
    """Return what the dev store answers to one of its control routes."""
    answer = httpx.post(f"{DEV_STORE}{path}", json=body, timeout=120)
    if answer.status_code != httpx.codes.OK:
        raise StageFailed(f"the dev store refused {path}: {answer.text[:300]}")
    said: dict[str, Any] = answer.json()
    return said


@contextmanager
def staged(home: Path) -> Iterator[Stage]:
    """Yield the demo with both servers answering; both are stopped on leaving."""
    for port in (DEV_STORE_PORT, APP_PORT):
        check_free(port)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    environment = _environment(home)
    dev_store = [sys.executable, "-m", "devstore", "--port", str(DEV_STORE_PORT), "--app-url", APP]
    with ExitStack() as stack:
        stack.enter_context(_running("the dev store", dev_store, DEV_STORE, home, environment))
        serve = [sys.executable, "-m", "app.cli", "serve"]
        stack.enter_context(_running("Tillwise", serve, APP, home, environment))
        yield Stage(home, environment)


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _THEIRS}
    return kept | {
        "SHOPIFY_API_KEY": DEMO_KEY,
        "SHOPIFY_API_SECRET": DEMO_SECRET,
        "SHOPIFY_DEV_STORE_URL": DEV_STORE,
        "APP_URL": APP,
        "PORT": str(APP_PORT),
        "TILLWISE_DATA_DIR": str(home),
    }


def check_free(port: int) -> None:
    """Raise StageFailed, which says what to do, where somebody else has the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise StageFailed(
                f"Port {port} is in use: is another demo running? Stop it, or take another port and the one "
                f"after it: make demo PORT={DEV_STORE_PORT + 100}"
            ) from None


@contextmanager
def _running(
    name: str, command: list[str], address: str, home: Path, environment: dict[str, str]
) -> Iterator[None]:
    log = home / f"{name.removeprefix('the ').replace(' ', '-').lower()}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        _wait_until_healthy(name, process, address, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_healthy(name: str, process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StageFailed(f"{name} ended at once; its log ({log}) ends with:\n{_tail(log)}")
        try:
            if httpx.get(f"{address}/healthz", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise StageFailed(f"{name} did not answer within {_START_S:.0f} s; see {log}")


def _tail(log: Path, lines: int = 12) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
