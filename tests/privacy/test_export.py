"""What a person is shown: everything, readable, and nothing of anybody else."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import msgspec
import pytest

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.holdings import HOLDINGS
from app.events.kinds import CHECKOUT_MET
from app.privacy.export import as_csv, as_json, csv_text, export_person
from app.privacy.person import Person, find_person
from app.reach.pending_unsubscribes import remember_unsubscribe
from app.reach.unsubscribe_link import SECRET, token_of
from app.shops.secrets import installation_secret
from app.tables import EventRow
from tests.privacy.planted import NOW, OTTO, ROSA, SHOP, plant
from tests.privacy.test_erasure import named


async def test_an_export_holds_all_there_is_of_the_person_and_nothing_of_another(
    on_both_databases: Connections,
) -> None:
    await plant(on_both_databases, ROSA, OTTO)
    export = await export_person(on_both_databases, named(ROSA))
    text = as_json(export)
    for name in (ROSA.client, ROSA.token, ROSA.cart, ROSA.email, str(ROSA.customer), ROSA.word):
        assert name.encode() in text
    for marker in (OTTO.word, str(OTTO.customer)):
        assert marker.encode() not in text
    whole = json.loads(text)
    told = {row["subject_kind"] for row in whole["stores"]["consents"]["rows"]}
    assert told == {"customer", "client", "checkout"}
    assert {store: bool(each["rows"]) for store, each in whole["stores"].items()} == {
        each.name: each.name not in ("erased", "receipts") for each in HOLDINGS
    }


async def test_an_unsubscribe_that_waited_for_the_database_is_shown_too(connections: Connections) -> None:
    await plant(connections, ROSA)
    digest = (await open_digests(connections)).of_email(SHOP, OTTO.email)
    secret = await installation_secret(connections, SECRET)
    await remember_unsubscribe(connections, token_of(secret, SHOP, digest), NOW)
    export = await export_person(connections, Person(shop=SHOP, email_digests=frozenset({digest})))
    (row,) = export.held["suppressions"]
    assert (row["reason"], row["suppressed_at"]) == ("unsubscribed", NOW)


async def test_a_checkout_leads_to_its_customer(connections: Connections) -> None:
    await plant(connections, ROSA, OTTO)
    by_checkout = await export_person(connections, Person(shop=SHOP, checkout_tokens=frozenset({ROSA.token})))
    by_customer = await export_person(connections, named(ROSA))
    assert by_checkout.held == by_customer.held


async def test_a_browser_leads_to_what_nobody_signed_and_to_no_customer(connections: Connections) -> None:
    await plant(connections, ROSA, OTTO)
    export = await export_person(connections, Person(shop=SHOP, client_ids=frozenset({ROSA.client})))
    assert export.person.customer_ids == frozenset()
    shown = {row["event_id"] for row in export.held["events"]}
    assert shown == {f"anonymous-{ROSA.order}", f"checkout-{ROSA.order}"}
    assert export.held["orders"] == []


async def test_what_a_shared_browser_did_unsigned_is_shown_to_neither(connections: Connections) -> None:
    await plant(connections, ROSA, OTTO)
    async with connections.write() as db:
        db.add(
            EventRow(
                shop=SHOP, event_id="shared", name="page_viewed", happened_at=NOW, recorded_at=NOW,
                client_id=ROSA.client, customer_id=OTTO.customer,
            )
        )  # fmt: skip
    export = await export_person(connections, named(ROSA))
    shown = {row["event_id"] for row in export.held["events"]}
    assert f"signed-{ROSA.order}" in shown
    assert not shown & {"shared", f"anonymous-{ROSA.order}"}
    assert OTTO.customer not in export.person.customer_ids


async def test_what_another_did_in_a_browser_that_only_their_checkout_tells_of_is_not_shown(
    connections: Connections,
) -> None:
    """Of who allows analytics alone no event names the customer: their order and decisions do."""
    await plant(connections, ROSA, OTTO)
    seen = {"shop": SHOP, "happened_at": NOW, "recorded_at": NOW, "client_id": ROSA.client}
    async with connections.write() as db:
        db.add(EventRow(**seen, event_id="otto-looks", name="page_viewed", data={"path": OTTO.word}))
        db.add(EventRow(**seen, event_id="otto-pays", name="checkout_completed", checkout_token=OTTO.token))
    export = await export_person(connections, named(ROSA))
    assert OTTO.word.encode() not in as_json(export)
    shown = {row["event_id"] for row in export.held["events"]}
    assert f"signed-{ROSA.order}" in shown
    assert not shown & {"otto-looks", "otto-pays"}


@pytest.mark.parametrize(("by", "is_shown"), [(CHECKOUT_MET, False), ("checkout_started", True)])
async def test_of_a_browser_that_only_a_cart_names_nothing_is_shown(
    connections: Connections, by: str, is_shown: bool
) -> None:
    """A link to a cart may have brought along the browser of whoever filled it."""
    await plant(connections, ROSA)
    seen = {"shop": SHOP, "happened_at": NOW, "recorded_at": NOW, "client_id": "browser"}
    async with connections.write() as db:
        db.add(EventRow(**seen, event_id="looked", name="product_viewed"))
        db.add(EventRow(**seen, event_id="met", name=by, checkout_token=ROSA.token))
    shown = {row["event_id"] for row in (await export_person(connections, named(ROSA))).held["events"]}
    assert ("looked" in shown) == is_shown
    assert (await find_person(connections, named(ROSA))).client_ids >= {"browser"}  # erased it is with both


async def test_an_archive_has_a_table_a_store_with_readable_headings(connections: Connections) -> None:
    await plant(connections, ROSA)
    archive = zipfile.ZipFile(io.BytesIO(as_csv(await export_person(connections, named(ROSA)))))
    tables = {
        name: list(csv.DictReader(archive.read(name).decode().splitlines())) for name in archive.namelist()
    }
    assert tables["orders.csv"][0]["customer id"] == str(ROSA.customer)
    assert tables["events.csv"][0]["happened at"] == NOW.isoformat()
    rows = {row["store"]: int(row["rows"]) for row in tables["index.csv"]}
    assert rows["orders"] == len(tables["orders.csv"]) == 1
    assert list(rows) == [each.name for each in HOLDINGS]
    assert json.loads(tables["model_files.csv"][0]["embedding"])


def test_no_cell_is_read_as_a_formula() -> None:
    text = csv_text([{"a_b": "=1+1", "c": -5}, {"c": None, "d": ["x"]}])
    assert text.splitlines() == ["a b,c,d", "'=1+1,-5,", ',,"[""x""]"']


async def test_nobody_known_is_shown_nothing(connections: Connections) -> None:
    await plant(connections, OTTO)
    export = await export_person(connections, named(ROSA))
    assert export.is_empty
    assert msgspec.json.decode(as_json(export))["found_under"] == {"customer_ids": [ROSA.customer]}
