"""Receipts: what was found, what became of it, and when, signed so that anyone can check it.

Ed25519 over the receipt as canonical JSON: keys sorted, no spaces. Whoever has the public key can
verify a receipt for ever, without us.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app import __version__
from app.connections import Connections
from app.consent.digests import open_digests
from app.errors import InputError
from app.privacy_tables import ReceiptRow
from app.shops.secrets import installation_secret
from app.upsert import insert_new

_KEY_ID = 16


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt says. counts are by store.

    kind: redact, data_request or shop_redact. shop: its domain, and owner a keyed
    hash of it; of an erased shop there is only the hash. subject: keyed hash of the person, None when
    nobody was named. found: what there was before. deleted, anonymised: what was done to it. kept: what
    stays, and why it may. second_look: what the same search found afterwards.
    """

    receipt_id: str
    kind: str
    shop: str | None
    owner: str
    subject: str | None
    requested_at: datetime
    done_at: datetime
    found: dict[str, int]
    deleted: dict[str, int]
    anonymised: dict[str, int]
    kept: dict[str, dict[str, Any]]
    second_look: dict[str, int]
    says: str
    app_version: str = __version__
    key_id: str = ""


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A receipt as it is handed out. public_key, signature: base64."""

    receipt: Receipt
    public_key: str
    signature: str


@dataclass(frozen=True, slots=True)
class ReceiptKey:
    """The key that receipts of this installation are signed with."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> str:
        """Return the public key, base64 of its 32 bytes."""
        return _base64(self.private.public_key().public_bytes_raw())

    def sign(self, receipt: Receipt) -> Signed:
        """Return the receipt signed, with this key's id in it."""
        stamped = msgspec.structs.replace(receipt, key_id=key_id(self.public))
        signature = _base64(self.private.sign(canonical(stamped)))
        return Signed(receipt=stamped, public_key=self.public, signature=signature)


async def open_receipt_key(connections: Connections) -> ReceiptKey:
    """Return the installation's key."""
    seed = await installation_secret(connections, "receipts")
    return ReceiptKey(Ed25519PrivateKey.from_private_bytes(seed))


def canonical(receipt: Receipt) -> bytes:
    """Return the bytes that are signed. Pure."""
    return msgspec.json.encode(receipt, order="sorted")


def written(signed: Signed) -> bytes:
    """Return the receipt as a file holds it. Pure."""
    return msgspec.json.format(msgspec.json.encode(signed, order="sorted"), indent=2) + b"\n"


def key_id(public_key: str) -> str:
    """Return the short name of a public key. Pure."""
    return sha256(_key_bytes(public_key)).hexdigest()[:_KEY_ID]


def verified(file: bytes, public_key: str) -> Receipt:
    """Return the receipt in a file that the owner of the public key signed, not a byte of it changed.

    Raises InputError saying what is wrong. Pure.
    """
    try:
        signed = msgspec.json.decode(file, type=Signed)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise InputError("this is not a receipt, or it was changed: it can't be read") from None
    if signed.public_key != _base64(_key_bytes(public_key)):
        raise InputError(
            f"the receipt was signed with another key, {signed.public_key[:60]!r}: it is not of whoever "
            "holds the key it is checked with"
        )
    try:
        key = Ed25519PublicKey.from_public_bytes(_key_bytes(public_key))
        key.verify(_unbase64(signed.signature), canonical(signed.receipt))
    except (InvalidSignature, binascii.Error, ValueError):
        raise InputError("the receipt was changed: its signature does not fit what it says") from None
    if written(signed) != file or _base64(_unbase64(signed.signature)) != signed.signature:
        raise InputError("the receipt was changed: it is not written as it was issued")
    return signed.receipt


async def disown_receipts(db: AsyncSession, key: ReceiptKey, owner: str) -> None:
    """Issue the shop's receipts anew without its domain, in the caller's transaction."""
    for row in (await db.exec(select(ReceiptRow).where(ReceiptRow.owner == owner))).all():
        receipt = msgspec.json.decode(row.document, type=Receipt)
        signed = key.sign(msgspec.structs.replace(receipt, shop=None))
        row.document, row.signature = canonical(signed.receipt).decode(), signed.signature
        db.add(row)


async def keep_receipt(db: AsyncSession, signed: Signed) -> None:
    """Keep the receipt in the caller's transaction; one that is there already stays."""
    receipt = signed.receipt
    row = {
        "receipt_id": receipt.receipt_id,
        "owner": receipt.owner,
        "done_at": receipt.done_at,
        "document": canonical(receipt).decode(),
        "signature": signed.signature,
    }
    await insert_new(db, ReceiptRow, [row])


async def read_receipt(connections: Connections, receipt_id: str) -> Signed | None:
    """Return the receipt as it was issued, None when there is none."""
    async with connections.read() as db:
        row = await db.get(ReceiptRow, receipt_id)
    return None if row is None else await _signed(connections, row)


async def owner_of(connections: Connections, shop: str) -> str:
    """Return the keyed hash by which receipts name the shop."""
    return (await open_digests(connections)).of(shop, "shop", shop)


def totals(found: Mapping[str, int]) -> str:
    """Return the counts in words, `nothing` when all are zero. Pure."""
    parts = [f"{count} {store}" for store, count in found.items() if count]
    return ", ".join(parts) or "nothing"


async def _signed(connections: Connections, row: ReceiptRow) -> Signed:
    receipt = msgspec.json.decode(row.document, type=Receipt)
    public_key = (await open_receipt_key(connections)).public
    return Signed(receipt=receipt, public_key=public_key, signature=row.signature)


def _key_bytes(public_key: str) -> bytes:
    try:
        key = _unbase64(public_key)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise InputError("a public key is the base64 of 32 bytes, as `tillwise verify-receipt --key` prints")
    return key


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _unbase64(text: str) -> bytes:
    return base64.b64decode(text.strip(), validate=True)
