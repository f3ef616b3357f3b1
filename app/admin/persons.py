"""A person looked up for a merchant: what they told of consent, what is held of them, and files of both."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import msgspec

from app.admin.history_view import history_row
from app.admin.language import _
from app.admin.person_name import PersonName
from app.admin.sentences import told
from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.entries import Entry
from app.consent.holdings import holding
from app.consent.lookup import Person as Teller
from app.consent.lookup import consent_history
from app.consent.receipts import Signed, read_receipt, written
from app.consent.requests import read_request
from app.errors import NotFound
from app.privacy.export import Export, answer_data_request, as_csv, as_json, csv_text, export_person
from app.privacy.lookup import customer_of_address
from app.privacy.person import Person
from app.values import ShopDomain

JSON, ZIP = "application/json", "application/zip"


@dataclass(frozen=True, slots=True)
class File:
    """A file to hand out."""

    name: str
    kind: str
    content: bytes


async def look_up(connections: Connections, shop: ShopDomain, who: PersonName) -> dict[str, Any]:
    """Return what somebody told of consent, oldest first, also as files, and how much is held of them."""
    teller = Teller(customer_id=who.customer_id, email=who.email, client_id=who.client_id)
    history = await consent_history(connections, shop, teller)
    entries = [_row(entry) for entry in history]
    export = await export_person(connections, await _person(connections, shop, who))
    return {
        "history": [history_row(entry) for entry in history],
        "json": msgspec.json.format(msgspec.json.encode(entries)).decode(),
        "csv": csv_text([_flat(row) for row in entries]) if entries else "",
        "held": [
            {"store": store, "says": told(holding(store).says), "count": count}
            for store, count in export.counts().items()
            if count
        ],
    }


async def export_file(connections: Connections, shop: ShopDomain, who: PersonName, form: str) -> File:
    """Return all that is held of somebody. form: json, or csv for an archive with a table a store."""
    export = await export_person(connections, await _person(connections, shop, who))
    if form == "csv":
        return File("personal-data.zip", ZIP, as_csv(export))
    return File("personal-data.json", JSON, as_json(export))


async def answer_file(connections: Connections, shop: ShopDomain, request_id: str) -> File:
    """Return what a request for data asks for, with its receipt; the request is done with that."""
    export, signed = await answer_data_request(connections, shop, request_id)
    return File("data-request.zip", ZIP, _archive(export, signed))


async def receipt_file(connections: Connections, shop: ShopDomain, request_id: str) -> File:
    """Return the receipt of a request, as `tillwise verify-receipt` reads it. Raises NotFound without one."""
    request = await read_request(connections, shop, request_id)
    receipt_id = request.receipt_id if request else None
    signed = await read_receipt(connections, receipt_id) if receipt_id else None
    if signed is None:
        raise NotFound(_("There is no receipt of this request."))
    return File("receipt.json", JSON, written(signed))


def _archive(export: Export, signed: Signed) -> bytes:
    """Return one archive with the data as JSON, as a table a store, and the receipt."""
    archive = io.BytesIO(as_csv(export))
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as files:
        files.writestr("data.json", as_json(export))
        files.writestr("receipt.json", written(signed))
    return archive.getvalue()


async def _person(connections: Connections, shop: ShopDomain, who: PersonName) -> Person:
    customers, digests = {who.customer_id}, set()
    if who.email:
        digests.add((await open_digests(connections)).of_email(shop, who.email))
        customers.add(await customer_of_address(connections, shop, who.email))
    return Person(
        shop=shop,
        customer_ids=frozenset(each for each in customers if each is not None),
        email_digests=frozenset(digests),
        client_ids=frozenset(filter(None, [who.client_id])),
    )


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "told_at": entry.told_at.isoformat(timespec="seconds"),
        "by": entry.subject_kind,
        "source": entry.source,
        "region": entry.region,
        "policy_version": entry.policy_version,
        "told": dict(entry.told),
        "stands": dict(entry.answers),
        "permitted": list(entry.permitted),
    }


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    said = {name: _words(row[name]) for name in ("told", "stands")}
    return row | said | {"permitted": " ".join(row["permitted"])}


def _words(answers: dict[str, Any]) -> str:
    """Return `analytics=yes marketing=no`; no answer is left out."""
    words = {True: "yes", False: "no"}
    return " ".join(f"{name}={words.get(said, said)}" for name, said in answers.items() if said is not None)
