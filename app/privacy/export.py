"""All that is held of a person, to be handed to them: as JSON, or as a table a store in one archive."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from app.connections import Connections
from app.consent.holdings import HOLDINGS
from app.consent.receipts import Receipt, Signed, keep_receipt, open_receipt_key
from app.consent.requests import Kind, PrivacyRequest, Status, close, read_request
from app.errors import NotFound
from app.privacy.erasure import named_by, receipt_id_of, subject_of
from app.privacy.person import Person, find_person
from app.privacy.stores import DataSubject, Held, data_subject, read_held
from app.reach.pending_unsubscribes import carry_out_unsubscribes
from app.spreadsheet import cell

_ONE_DATE = (2000, 1, 1, 0, 0, 0)  # the same data makes the same archive


@dataclass(frozen=True, slots=True)
class Export:
    """What is held of a person: rows by store, in the order of the register."""

    shop: str
    made_at: datetime
    person: Person
    held: Held

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is held."""
        return not any(self.held.values())

    def counts(self) -> dict[str, int]:
        """Return how much is held, by store."""
        return {store: len(rows) for store, rows in self.held.items()}


async def export_person(connections: Connections, named: Person) -> Export:
    """Return what is held of the person, and nothing of those they share a browser with."""
    return await _export(await data_subject(connections, (await find_person(connections, named)).alone()))


async def answer_data_request(connections: Connections, shop: str, request_id: str) -> tuple[Export, Signed]:
    """Return what the request asks for, and its receipt; the request is done with that.

    Raises NotFound for a request of that kind that was never opened or is done: it names nobody any more.
    """
    request = await read_request(connections, shop, request_id)
    if request is None or request.kind is not Kind.DATA:
        raise NotFound(f"{shop} has no request for data {request_id!r}")
    if request.status is Status.DONE:
        raise NotFound(
            f"request {request_id!r} is done and names nobody any more: export by customer instead"
        )
    sought = await data_subject(connections, (await find_person(connections, named_by(request))).alone())
    export = await _export(sought)
    signed = (await open_receipt_key(connections)).sign(_receipt(sought, request, export))
    async with connections.write() as db:
        await keep_receipt(db, signed)
        await close(db, request, export.made_at, signed.receipt.receipt_id)
    return export, signed


def as_json(export: Export) -> bytes:
    """Return the export as JSON to read: each store with what it is for, and the rows. Pure."""
    stores = {
        each.name: {
            "what": each.says,
            "purpose": each.purpose,
            "legal_ground": each.ground,
            "rows": export.held[each.name],
        }
        for each in HOLDINGS
    }
    whole = {"shop": export.shop, "made_at": export.made_at, "found_under": _names(export), "stores": stores}
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def as_csv(export: Export) -> bytes:
    """Return a ZIP archive: `index.csv` says what there is, and a CSV holds each store's rows. Pure."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for name, rows in {"index": _index(export), **export.held}.items():
            if rows:
                file = zipfile.ZipInfo(f"{name.replace(' ', '_')}.csv", _ONE_DATE)
                files.writestr(file, csv_text(rows), zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV with every column that one of them has; no cell is read as a formula. Pure."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([name.replace("_", " ") for name in columns])
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return text.getvalue()


async def _export(sought: DataSubject) -> Export:
    await carry_out_unsubscribes(sought.connections)  # only then is it known whose they are
    return Export(sought.shop, datetime.now(UTC), sought.person, await read_held(sought))


def _receipt(sought: DataSubject, request: PrivacyRequest, export: Export) -> Receipt:
    return Receipt(
        receipt_id=receipt_id_of(sought, request),
        kind=Kind.DATA.value,
        shop=request.shop,
        owner=sought.digests.of(request.shop, "shop", request.shop),
        subject=subject_of(sought, request),
        requested_at=request.received_at,
        done_at=export.made_at,
        found=export.counts(),
        deleted={},
        anonymised={},
        kept={},
        second_look={},
        says="nothing was found" if export.is_empty else "all that was found was handed out",
    )


def _names(export: Export) -> dict[str, Any]:
    """Return the names that the person was found under; digests of addresses tell them nothing."""
    names: dict[str, Any] = msgspec.to_builtins(export.person)
    return {kind: sorted(found) for kind, found in names.items() if found and isinstance(found, list)}


def _index(export: Export) -> list[dict[str, Any]]:
    return [
        {
            "store": each.name,
            "what": each.says,
            "purpose": each.purpose,
            "legal ground": each.ground.value,
            "rows": len(export.held[each.name]),
        }
        for each in HOLDINGS
    ]


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return cell(value if isinstance(value, str) else _plain(value))


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else msgspec.json.encode(value).decode()
