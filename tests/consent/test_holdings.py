"""Nothing personal is anywhere that the register does not know."""

from __future__ import annotations

import re
from pathlib import Path

from sqlmodel import SQLModel

import app.tables  # noqa: F401  (fills the metadata)
from app.connections import Connections
from app.consent.holdings import HOLDINGS, KEYS_WITHOUT_PEOPLE, WITHOUT_PEOPLE, Effect, Medium, holding
from app.privacy.person import Person
from app.privacy.stores import data_subject, read_held
from tests.privacy.planted import ROSA, plant

ROOT = Path(__file__).parents[2]
_LEADS_TO_PEOPLE = {"customer_id", "client_id", "checkout_token", "cart_token", "email_digest", "subject"}
_LEADS_TO_PEOPLE |= {"order_ids", "names", "region", "body", "inputs"}


def test_every_table_is_in_the_register_or_said_to_hold_nobody() -> None:
    tables = {table.name for table in SQLModel.metadata.sorted_tables}
    held = {each.name for each in HOLDINGS if each.medium is Medium.TABLE}
    assert held | set(WITHOUT_PEOPLE) == tables, "say in app/consent/holdings.py what a table is for"
    assert not held & set(WITHOUT_PEOPLE)


def test_every_column_that_leads_to_a_person_is_in_the_register() -> None:
    for table in SQLModel.metadata.sorted_tables:
        leading = {column.name for column in table.c} & _LEADS_TO_PEOPLE
        if table.name in WITHOUT_PEOPLE:
            assert not leading, table.name
        else:
            assert leading <= set(holding(table.name).personal), table.name


def test_every_personal_column_there_is_said_to_be_is_there() -> None:
    tables = {table.name: {column.name for column in table.c} for table in SQLModel.metadata.sorted_tables}
    for each in HOLDINGS:
        if each.medium is Medium.TABLE:
            assert set(each.personal) <= tables[each.name], each.name


def test_every_store_says_what_it_is_for_and_what_is_left() -> None:
    for each in HOLDINGS:
        assert each.says
        assert each.purpose
        assert each.outcome
        assert each.personal or each.effect is Effect.KEEP


def test_every_family_of_keys_in_the_code_is_in_the_register_or_said_to_hold_nobody() -> None:
    known = {each.name for each in HOLDINGS if each.medium is Medium.KEYS} | set(KEYS_WITHOUT_PEOPLE)
    source = "\n".join(path.read_text() for top in ("app", "webhooks") for path in (ROOT / top).rglob("*.py"))
    families = set(re.findall(r'redis_key\(\s*[a-z_.]*shop(?:\.shop)?,\s*"(\w+)"', source))
    assert {"visitor", "told", "running"} <= families
    assert families <= known


async def test_every_store_of_the_register_is_looked_into(connections: Connections) -> None:
    held = await read_held(await data_subject(connections, Person(shop="a.myshopify.com")))
    assert list(held) == [each.name for each in HOLDINGS]
    assert not any(held.values())


async def test_every_key_of_a_planted_shop_is_of_a_known_family(connections: Connections) -> None:
    await plant(connections, ROSA)
    families = {each.name for each in HOLDINGS if each.medium is Medium.KEYS} | set(KEYS_WITHOUT_PEOPLE)
    async for key in connections.redis.scan_iter(match="tw:{a.myshopify.com}:*"):
        assert key.decode().split(":")[2] in families
