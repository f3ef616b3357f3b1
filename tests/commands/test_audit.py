import json
from datetime import UTC, datetime, timedelta
from typing import Any

from app.connections import Connections
from app.errors import NotFound
from app.privacy.aged import clear_aged
from app.privacy_tables import PrivacyRequestRow
from app.tables import CustomerRow, DecisionRow, EventRow, ShopRow
from app.values import ShopDomain
from tests.commands.conftest import Terminal

SHOP, OTHER = ShopDomain("a.myshopify.com"), ShopDomain("b.myshopify.com")
NOW = datetime.now(UTC)


def decision(number: int, shop: str = SHOP, **answer: Any) -> DecisionRow:
    offers = answer.pop("offers", [{"offer_id": "o"}])
    return DecisionRow(
        shop=shop, decision_id=f"d{number}", decided_at=NOW - timedelta(days=1), surface="checkout",
        rung="personal", arm="personalised", region="DE", answer={"offers": offers, **answer},
    )  # fmt: skip


def request(request_id: str, due_in_days: float, **changes: Any) -> PrivacyRequestRow:
    due = NOW + timedelta(days=due_in_days)
    values: dict[str, Any] = {"kind": "data_request", "received_at": NOW, "due_at": due} | changes
    return PrivacyRequestRow(shop=SHOP, request_id=request_id, **values)


async def filled(connections: Connections) -> None:
    rows: list[Any] = [
        ShopRow(shop=SHOP, publishable_key="p", installed_at=NOW, settings={"retention": {"inbox_days": 99}}),
        *(decision(n, segment="loyal") for n in range(40)),
        *(decision(n, segment="new", offers=[]) for n in range(40, 80)),
        *(decision(n, segment="rare") for n in range(80, 83)),
        *(decision(n, OTHER) for n in range(5)),
        CustomerRow(shop=SHOP, customer_id=5, updated_at=NOW),
        CustomerRow(shop=OTHER, customer_id=5, updated_at=NOW),
        *(
            EventRow(shop=SHOP, event_id=str(n), name="viewed", happened_at=day, recorded_at=day)
            for n, day in enumerate([NOW, NOW - timedelta(days=200)])
        ),
        request("late", -2.5),
        request("soon", 3.5, kind="redact"),
        request("answered", 3, status="done", done_at=NOW),
    ]  # fmt: skip
    async with connections.write() as db:
        db.add_all(rows)
    await clear_aged(connections, SHOP)


def test_an_audit_is_told_as_json(terminal: Terminal) -> None:
    terminal.prepare(filled)
    told = json.loads(terminal.run("audit", "--shop", SHOP, "--json").stdout)
    by_segment = {each["name"]: each for each in told["served"]["by_segment"]}
    assert by_segment["loyal"]["exposure"]["value"] == 1.0
    assert by_segment["new"]["exposure"]["to_best"] == 0.0
    assert by_segment["new"]["exposure"]["finding"] == "lower"
    assert by_segment["rare"]["exposure"]["finding"] == "too_few"
    assert told["served"]["everybody"]["decisions"] == 83
    assert {each["name"]: each["rows"] for each in told["held"]}["customers"] == 1
    assert [(each["request_id"], each["left_days"]) for each in told["requests"]] == [
        ("late", -3),
        ("soon", 3),
    ]
    events = next(each for each in told["limits"] if each["store"] == "events")
    assert (events["days"], events["last"]["deleted"], events["last"]["remaining"]) == (180, 1, 1)
    assert told["unusable"] == ["inbox_days must be 1 to 30 whole days, not '99': 30 holds instead"]


def test_an_audit_is_told_in_words(terminal: Terminal) -> None:
    terminal.prepare(filled)
    told = terminal.run("audit", "--shop", SHOP).stdout
    for words in (
        f"{SHOP}: 83 decisions in the last 90 days",
        "100.0 % (91.2 to 100.0) x1.00 best",
        "0.0 % (0.0 to 8.8) x0.00 lower",
        "too few to tell",
        "LATE",
        "30 holds instead",
    ):
        assert words in told


def test_a_shop_nobody_knows_is_an_error(terminal: Terminal) -> None:
    answer = terminal.run("audit", "--shop", OTHER)
    assert isinstance(answer.exception, NotFound)


def test_days_that_can_be_none_are_refused(terminal: Terminal) -> None:
    assert terminal.run("audit", "--shop", SHOP, "--days", "0").exit_code == 2
