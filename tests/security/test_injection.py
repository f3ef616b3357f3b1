"""What shops, shoppers and strangers write stays text: in pages, files, logs, headers and queries."""

from __future__ import annotations

import csv
import json
import logging
import re
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO, StringIO
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import JSON, String, select, update
from sqlmodel import SQLModel

import app.admin.routes
from app.connections import Connections
from app.consent.lookup import ledger_lines
from app.logs import JsonFormatter
from app.main import ROUTES
from app.spreadsheet import FORMULA, line
from tests.admin.factories import SHOP, bearer, entrance
from tests.admin.test_markup import ABOUT, PAGES
from tests.security.calls import staff_calls
from tests.security.test_isolation import plant_the_other
from tests.shops.web import browsing

MARKUP = "\"'><script>alert(1)</script><img src=x onerror=y>{{7*7}}{% raw %}"
# Columns, and keys within JSON, in which a shop's, a shopper's or Shopify's own words may stand.
WORDS = frozenset({
    "title", "vendor", "product_type", "handle", "name", "says", "why", "detail", "error", "label", "text",
    "image", "image_url", "about", "region", "receipt_id",
})  # fmt: skip
# Names that are looked up, not shown as they are.
NAMES = {("segments", "name"), ("memberships", "name"), ("arms", "name"), ("at_risk", "label")}
STATIC = Path(app.admin.routes.__file__).parent / "static"


class Spoiling:
    """Makes texts hostile: each begins with the next of what is hostile."""

    def __init__(self, *hostile: str) -> None:
        self._hostile = cycle(hostile)

    async def everything(self, connections: Connections) -> None:
        """Let every text of words in the database be hostile."""
        async with connections.write() as db:
            connection = await db.connection()
            for table in SQLModel.metadata.sorted_tables:
                for row in (await connection.execute(select(table))).mappings().all():
                    changed = {
                        column.name: new
                        for column in table.columns
                        if (new := self._column(column, row[column.name])) != row[column.name]
                    }
                    if changed:
                        itself = [key == row[key.name] for key in table.primary_key.columns]
                        await connection.execute(update(table).where(*itself).values(changed))

    def _column(self, column: Any, value: Any) -> Any:
        if isinstance(column.type, JSON):
            return self._json(value, column.name)
        words = column.name in WORDS and isinstance(column.type, String) and not column.primary_key
        return next(self._hostile) + value if words and isinstance(value, str) else value

    def _json(self, value: Any, within: str) -> Any:
        if isinstance(value, list):
            return [self._json(each, within) for each in value]
        if not isinstance(value, Mapping):
            return value
        return {
            key: next(self._hostile) + each
            if isinstance(each, str) and key in WORDS and (within, key) not in NAMES
            else self._json(each, key)
            for key, each in value.items()
        }


class Drawn(HTMLParser):
    """What a browser would run of a page that is no file: scripts, handlers, addresses, foreign elements."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []

    @classmethod
    def of(cls, page: str) -> Drawn:
        drawn = cls()
        drawn.feed(page)
        return drawn

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        runs = tag == "script" and "src" not in told and told.get("type") != "application/json"
        handles = any(
            name.startswith("on") or (value or "").startswith("javascript:") for name, value in attrs
        )
        if runs or handles or tag in ("iframe", "object", "embed", "base"):
            self.scripts.append(self.get_starttag_text() or tag)


@pytest.fixture
async def staff(connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    """Yield the browser of the staff of a shop that has everything there is."""
    await plant_the_other(connections)
    nobody = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(404)))
    async with nobody, browsing(ROUTES, replace(connections, http=nobody)) as browser:
        yield browser


async def test_no_page_draws_what_somebody_wrote_as_markup(
    connections: Connections, staff: httpx.AsyncClient
) -> None:
    await Spoiling(MARKUP).everything(connections)
    shown = []
    for path in PAGES:
        address, query = entrance(path, **ABOUT.get(path, {}) | {"q": MARKUP, "product": MARKUP})
        answer = await staff.get(address, params=query)
        assert answer.status_code == 200, (path, answer.text)
        page = answer.text
        assert Drawn.of(page).scripts == [], path
        assert page.count("{{7*7}}") == page.count("alert(1)"), path
        if "&lt;script&gt;alert(1)" in page:
            shown.append(path)
    assert len(shown) > len(PAGES) / 2, shown


def test_no_script_of_the_admin_makes_markup_of_text() -> None:
    made = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc")
    ours = [each for each in STATIC.glob("*.js") if each.name != "polaris-dev.js"]  # Polaris' stand-ins
    assert len(ours) > 5
    assert [each.name for each in ours if made.search(each.read_text())] == []


async def tables(staff: httpx.AsyncClient) -> dict[str, list[list[str]]]:
    """Return every table that the staff can take away, by the call and the file."""
    found = {}
    for path, bodies in staff_calls({"version": "", "key": ""}).items():
        if not path.endswith(("/export", "/receipt", "/answer", "/person")):
            continue
        for body in bodies:
            answer = await staff.post(path, json=body, headers=bearer())
            for name, text in _files(answer):
                found[f"{path} {name}"] = list(csv.reader(StringIO(text)))
    return found


def _files(answer: httpx.Response) -> Iterator[tuple[str, str]]:
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/csv"):
        yield "itself", answer.text
    elif kind == "application/zip":
        with zipfile.ZipFile(BytesIO(answer.content)) as files:
            for name in files.namelist():
                if name.endswith(".csv"):
                    yield name, files.read(name).decode()
    elif kind == "application/json" and answer.json().get("csv"):
        yield "csv", answer.json()["csv"]


async def test_no_cell_that_somebody_wrote_is_a_formula_or_begins_a_line_of_its_own(
    connections: Connections, staff: httpx.AsyncClient
) -> None:
    hostile = [f"{sign}cmd|' /C calc'!A0 " for sign in FORMULA]
    await Spoiling(*hostile, "a\r=cmd ", "a\n=cmd ", 'a"\r\n=cmd ').everything(connections)
    found = await tables(staff)
    found["ledger"] = list(csv.reader([line async for line in ledger_lines(connections, SHOP, "csv")]))
    assert len(found) > 5
    cells = [cell for rows in found.values() for row in rows for cell in row]
    assert [cell for cell in cells if cell.startswith(FORMULA) and not _is_number(cell)] == []
    assert len({cell[1] for cell in cells if re.match(r"'.cmd", cell)}) > 2
    assert [rows for rows in found.values() if len(set(map(len, rows))) > 1] == []


@pytest.mark.parametrize("sign", FORMULA)
def test_a_line_of_a_table_has_neither_formulas_nor_breaks_of_its_own(sign: str) -> None:
    told = line([f"{sign}1+1", f"a\r{sign}b", f"a\n{sign}b", -1, None])
    assert next(csv.reader([told])) == [f"'{sign}1+1", f"a\r{sign}b", f"a\n{sign}b", "-1", ""]


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", cell) is not None


@pytest.mark.parametrize("nasty", ["a\nlevel=error", "a\r\n{}", "a\x1b[2J", "a\x00", "a\u2028b", "\ud800"])
def test_a_line_of_the_log_stays_one_line_whatever_is_said_in_it(nasty: str) -> None:
    record = logging.makeLogRecord({"msg": "said %s", "args": (nasty,), "topic": nasty, "levelname": "INFO"})
    written = JsonFormatter().format(record)
    assert not re.search(r"[\x00-\x1f]", written)
    assert json.loads(written)["level"] == "info"


async def test_nothing_that_is_asked_becomes_a_header_of_its_own(connections: Connections) -> None:
    hostile = "x\r\nSet-Cookie: mine=1\r\n\r\n<p>"
    async with browsing(ROUTES, connections) as browser:
        for path in ("/", "/admin/products", "/auth", "/auth/bounce", "/auth/callback"):
            for name in (
                "shop",
                "host",
                "locale",
                "embedded",
                "q",
                "shopify-reload",
                "id_token",
                "x\r\ny: z",
            ):
                asked = entrance(path, id_token=None)[1] | {name: hostile}
                headers = (await browser.get(path, params=asked)).headers
                assert all(not re.search(rb"[\r\n]", value) for _, value in headers.raw), (path, name)
                assert "mine=1" not in headers.get("set-cookie", ""), (path, name)


QUOTES = ("' OR '1'='1", "'; DROP TABLE shops; --", '" OR ""="', "%")


async def test_a_quote_in_what_is_looked_for_finds_what_an_unknown_word_finds(
    connections: Connections, staff: httpx.AsyncClient
) -> None:
    names = ("q", "id", "name", "product", "campaign", "before", "edit", "version", "job")

    async def found(path: str, words: str) -> tuple[int, int]:
        sent = entrance(path)[1] | dict.fromkeys(names, words)
        answer = await staff.get(path, params=sent, headers=bearer())
        return answer.status_code, len(re.findall(r"<s-table-row|<article|listitem|<dt>", answer.text))

    for path in (path for path in PAGES if path not in ABOUT or path.endswith(("customer", "one"))):
        unknown = await found(path, "zzz")
        for quote in QUOTES:
            assert await found(path, quote) == unknown, (path, quote)
