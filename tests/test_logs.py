"""What is logged says what happened, and never to whom."""

import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from app.config import read_settings
from app.errors import InputError
from app.failures import MOST_TOLD, reason_of, traceback_of
from app.logs import JsonFormatter
from app.migrations import migrate
from tests.cluster import free_ports
from tests.conftest import ENVIRONMENT
from tests.offers.factories import EVERYTHING, a_body
from tests.shops.factories import SHOP, checkout_claims, signed_token, webhook_headers
from tests.webhooks.examples import example_payloads
from tests.webhooks.planted import MARKER, planted
from webhooks.kept import BODIES

PHONE, ADDRESS = "+15557304411", "203.0.113.77"
MARKERS = (MARKER, PHONE, ADDRESS)
PUBLISHABLE_KEY = "pk_" + "k" * 43


def line_of(error: BaseException | None = None, name: str = "app.test", **extra: Any) -> dict[str, Any]:
    """Return what the formatter writes of a record."""
    facts = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(name, logging.ERROR, __file__, 1, "it failed", None, facts)
    vars(record).update(extra)
    line: dict[str, Any] = json.loads(JsonFormatter().format(record))
    return line


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """Return the error as it is once it was raised."""
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def test_a_failure_is_logged_with_its_place_and_without_its_values() -> None:
    cause = raised(KeyError("jane@example.com"))
    line = line_of(raised(ValueError("no such person: jane@example.com"), cause), shop="a.myshopify.com")
    assert line["shop"] == "a.myshopify.com"
    assert "jane@" not in json.dumps(line)
    assert "KeyError at test_logs.py:" in line["error"]
    assert line["error"].count("in raised") == 2
    assert line["error"].endswith("a message of 32 characters, left out")


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("Customer jane.o'hara+x@mail.example.com has none", "Customer … has none"),
        ("gid://shopify/Customer/42 is missing", "gid://shopify/Customer/… is missing"),
        ("gid://shopify/Order/42 is missing", "gid://shopify/Order/42 is missing"),
    ],
)
def test_whom_a_reason_of_others_names_is_masked(said: str, logged: str) -> None:
    assert line_of(reason=said)["reason"] == logged


def test_what_is_meant_for_a_terminal_is_not_logged() -> None:
    assert "color_message" not in line_of(name="uvicorn.error", color_message="Started [\u001b[36m%d]")


def test_what_happened_together_is_told_one_by_one() -> None:
    apart = [raised(ValueError("jane@example.com")), OSError("disk full")]
    both = ExceptionGroup("of jane@example.com", apart)
    told = traceback_of(raised(both))
    assert "jane@" not in told
    assert "ExceptionGroup: 2 together" in told
    assert "OSError: disk full" in told


def test_errors_that_led_to_each_other_are_each_told_once() -> None:
    lost, closed = OSError("lost"), OSError("closed")
    lost.__cause__, closed.__cause__ = closed, lost  # as coredis raises one of a transaction's from the other
    line = line_of(raised(ExceptionGroup("of a pipeline", [lost, closed])))
    assert line["error"].count("OSError: lost") == line["error"].count("OSError: closed") == 1


def test_of_a_long_way_to_a_failure_the_end_is_told() -> None:
    last: BaseException | None = None
    for number in range(2_000):
        error = OSError(f"{number}.")
        error.__cause__, last = last, error
    assert last is not None
    told = traceback_of(last)
    assert told.count("OSError") == MOST_TOLD
    assert told.endswith("OSError: 1999.")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (InputError("customer.id is missing"), "InputError: customer.id is missing"),
        (ConnectionRefusedError(111, "refused"), "ConnectionRefusedError: [Errno 111] refused"),
        (TimeoutError(), "TimeoutError"),
        (
            msgspec.ValidationError("Invalid value 'O'Jane' - at `$.x`"),
            "ValidationError: Invalid value '…' - at `$.x`",
        ),
        (OperationalError("INSERT", {"name": "Jane"}, OSError("locked")), "OperationalError: locked"),
        (KeyError("Jane"), "KeyError: a message of 6 characters, left out"),
    ],
)
def test_a_reason_names_the_failure_and_quotes_no_data(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


def test_a_statement_is_logged_without_its_parameters() -> None:
    error = IntegrityError("INSERT INTO customers", {"name": "Jane"}, ValueError("Key (name)=(Jane) exists"))
    assert "Jane" not in traceback_of(raised(error)) + reason_of(error) + json.dumps(
        line_of(error, why=error)
    )


def test_of_a_lost_task_only_the_first_line_is_logged() -> None:
    said = "Task exception was never retrieved\nfuture: ValueError('Jane')"
    record = logging.LogRecord("asyncio", logging.ERROR, __file__, 1, said, None, None)
    assert json.loads(JsonFormatter().format(record))["message"] == "Task exception was never retrieved"


def test_what_ends_a_process_is_logged_without_its_values() -> None:
    code = "from app.logs import start_logging; start_logging(); {}['jane' + '@example.com']"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "jane@" not in ended.stderr
    assert json.loads(ended.stderr)["error"].endswith(
        "KeyError at <string>:1: a message of 18 characters, left out"
    )


def test_what_ends_a_thread_is_logged_without_its_values() -> None:
    code = (
        "import threading; from app.logs import start_logging; start_logging();"
        "lost = threading.Thread(target=lambda: int('jane' + '@example.com')); lost.start(); lost.join()"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "jane@" not in ended.stderr
    assert "ValueError at <string>:1" in json.loads(ended.stderr)["error"]


async def test_nothing_personal_that_is_sent_is_logged_or_written_to_disk(tmp_path: Path) -> None:
    """The server and its worker are fed a person whose every field is marked; then all is searched."""
    data_dir = tmp_path / "var"
    await migrate(read_settings(ENVIRONMENT | {"TILLWISE_DATA_DIR": str(data_dir)}).database_url)
    database = data_dir / "tillwise.db"
    install(database)
    log = tmp_path / "log"
    with serving(data_dir, log) as http:
        webhooks = send_webhooks(http)
        send_browser_events(http)
        ask_for_offers(http)
        knock_at_every_door(http)
        wait_for(database, "SELECT COUNT(*) FROM inbox WHERE status != 'pending'", webhooks)
        wait_for(database, "SELECT COUNT(*) FROM events WHERE name = 'product_viewed'", 1)
        wait_for(database, "SELECT COUNT(*) FROM decisions", 1)
    written = log.read_text()
    assert '"a delivery is parked"' in written
    assert not [marker for marker in MARKERS if marker in written]
    files = [file for file in data_dir.rglob("*") if file.is_file()]
    assert any("appendonly" in str(file) for file in files)
    for marker in MARKERS:
        assert not [file for file in files if marker.encode() in file.read_bytes()]


def install(database: Path) -> None:
    with closing(sqlite3.connect(database)) as db, db:
        db.execute(
            "INSERT INTO shops (shop, name, currency, publishable_key, scopes, settings, installed_at)"
            " VALUES (?, '', 'USD', ?, '', '{}', '2026-01-01 00:00:00')",
            (SHOP, PUBLISHABLE_KEY),
        )


@contextmanager
def serving(data_dir: Path, log: Path) -> Iterator[httpx.Client]:
    """Yield a client of `tillwise serve`, worker and Redis beside it; both say all they say into the log."""
    (port,) = free_ports(1)
    own = ENVIRONMENT | {"TILLWISE_DATA_DIR": str(data_dir), "PORT": str(port)}
    command = [sys.executable, "-m", "app.cli", "serve"]
    with (
        log.open("wb") as out,
        subprocess.Popen(command, env=os.environ | own, stdout=out, stderr=out) as server,
    ):
        headers = {"X-Forwarded-For": ADDRESS, "User-Agent": MARKER, "Cookie": f"id={MARKER}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as http:
            try:
                wait_until_ready(http, server)
                yield http
            finally:
                server.send_signal(signal.SIGTERM)
                server.wait(timeout=60)


def wait_until_ready(http: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            if http.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


def wait_for(database: Path, count: str, expected: int) -> None:
    """Return once the query counts that many; the worker takes its time."""
    for _ in range(600):
        with closing(sqlite3.connect(database)) as db:
            if db.execute(count).fetchone()[0] >= expected:
                return
        time.sleep(0.1)
    raise AssertionError(f"never so many: {count}")


def send_webhooks(http: httpx.Client) -> int:
    """Return how many deliveries were taken: every topic of the newest API version, and broken ones."""
    examples = {topic: msgspec.json.decode(body) for _, topic, body in example_payloads() if topic in BODIES}
    bodies = [
        (topic, msgspec.json.encode(planted(example, BODIES[topic])))
        for topic, example in examples.items()
        if topic not in ("app/uninstalled", "shop/redact")  # the shop has to stay
    ]
    bodies += [
        ("orders/create", f'{{"email": "{MARKER}@example.com", "phone": "{PHONE}", '.encode()),
        ("orders/create", f'{{"{MARKER}"}}'.encode()),
        ("orders/create", msgspec.json.encode({"customer": MARKER, "line_items": [PHONE]})),
        ("orders/create", msgspec.json.encode({"browser_ip": ADDRESS, "id": {"first_name": MARKER}})),
        ("orders/create", msgspec.json.encode({"id": 1, "created_at": {"first_name": MARKER}})),
        ("themes/publish", msgspec.json.encode({"name": MARKER})),
    ]
    for number, (topic, body) in enumerate(bodies):
        sent = webhook_headers(body, Topic=topic, Event_Id=f"e-{number}")
        assert http.post("/webhooks", content=body, headers=sent).status_code == 200
        assert http.post("/webhooks", content=body + b" ", headers=sent).status_code == 401
    return len(bodies)


def send_browser_events(http: httpx.Client) -> None:
    who = {"email": f"{MARKER}@example.com", "phone": PHONE, "firstName": MARKER, "address": {"zip": MARKER}}
    event = {
        "id": "1", "name": "product_viewed", "timestamp": "2026-11-01T12:00:00Z", "client_id": "c-1",
        "consent": EVERYTHING, "data": {"product_id": 2, "checkout": who, "ip": ADDRESS},
    }  # fmt: skip
    broken = {"id": MARKER, "name": f"{MARKER} {PHONE}", "customer_id": MARKER}
    sent = {"Authorization": f"Bearer {PUBLISHABLE_KEY}"}
    batch = {"events": [event, broken, MARKER]}
    assert http.post("/api/track_event", json=batch, headers=sent).status_code == 202
    assert http.post("/api/track_event", content=MARKER.encode(), headers=sent).status_code == 400
    stranger = {"Authorization": f"Bearer pk_{MARKER}"}
    assert http.post("/api/track_event", json=batch, headers=stranger).status_code == 401


def ask_for_offers(http: httpx.Client) -> None:
    token = {"Authorization": f"Bearer {signed_token(checkout_claims(datetime.now(UTC)))}"}
    question = a_body(10, consent=EVERYTHING) | {"email": MARKER, "buyer": {"phone": PHONE}}
    answers = (http.post("/api/personalize", json=question, headers=token).json() for _ in range(200))
    # A busy machine may be too slow to write a decision down in time.
    assert any(answer["fallback"] not in ("timeout", "log") for answer in answers)
    assert http.post("/api/personalize", json=question | {"cart": MARKER}, headers=token).status_code == 400
    forged = {"Authorization": f"Bearer {MARKER}"}
    assert http.post("/api/personalize", json=question, headers=forged).status_code == 401


def knock_at_every_door(http: httpx.Client) -> None:
    """Ask for every kind of page with a secret in the address: none may be logged."""
    for path in ("/", "/admin/products", "/auth/callback", "/proxy/offers", f"/{MARKER}", "/webhooks"):
        secret = dict.fromkeys(("id_token", "code", "host", "email", "session"), MARKER)
        http.get(path, params={"shop": SHOP} | secret)
        http.get(path, params={"shop": MARKER}, headers={"Authorization": f"Bearer {MARKER}"})
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": MARKER}
    http.get(f"/{MARKER}", headers=upgrade)
