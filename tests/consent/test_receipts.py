"""A receipt can be checked by anyone with the public key, and not a byte of it can be changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.connections import Connections
from app.consent.receipts import (
    Receipt,
    ReceiptKey,
    keep_receipt,
    key_id,
    open_receipt_key,
    read_receipt,
    verified,
    written,
)
from app.errors import InputError
from tests.consent.issued import receipts_of

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
KEY = ReceiptKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = ReceiptKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))


def a_receipt(**changes: Any) -> Receipt:
    fields: dict[str, Any] = {
        "receipt_id": "r1", "kind": "redact", "shop": "a.myshopify.com", "owner": "o", "subject": "s",
        "requested_at": NOW, "done_at": NOW, "found": {"events": 2, "orders": 1}, "deleted": {"events": 2},
        "anonymised": {"orders": 1}, "kept": {"consents": {"count": 1, "reason": "proof"}},
        "second_look": {"events": 0, "orders": 0}, "says": "all that was found is gone",
    }  # fmt: skip
    return Receipt(**fields | changes)


def test_a_signed_receipt_is_what_it_was() -> None:
    signed = KEY.sign(a_receipt())
    assert verified(written(signed), KEY.public) == msgspec.structs.replace(
        a_receipt(), key_id=key_id(KEY.public)
    )


def test_no_byte_of_a_receipt_can_be_changed_added_or_left_out() -> None:
    file = written(KEY.sign(a_receipt()))
    for at in range(len(file)):
        for changed in (file[:at] + bytes([file[at] ^ 1]) + file[at + 1 :], file[:at] + file[at + 1 :]):
            with pytest.raises(InputError):
                verified(changed, KEY.public)
        with pytest.raises(InputError):
            verified(file[:at] + b" " + file[at:], KEY.public)


def test_a_receipt_signed_by_somebody_else_is_told_apart() -> None:
    with pytest.raises(InputError, match="another key"):
        verified(written(OTHER.sign(a_receipt())), KEY.public)


def test_a_receipt_that_names_our_key_and_was_signed_with_another_is_told_apart() -> None:
    forged = msgspec.structs.replace(OTHER.sign(a_receipt()), public_key=KEY.public)
    with pytest.raises(InputError, match="its signature does not fit"):
        verified(written(forged), KEY.public)


@pytest.mark.parametrize("file", [b"", b"{}", b"\xff", b"[1]", b"{" * 10_000])
def test_what_is_no_receipt_is_told(file: bytes) -> None:
    with pytest.raises(InputError, match="not a receipt"):
        verified(file, KEY.public)


@pytest.mark.parametrize("key", ["", "no base64!", "AAAA"])
def test_what_is_no_key_is_told(key: str) -> None:
    with pytest.raises(InputError, match="public key"):
        verified(written(KEY.sign(a_receipt())), key)


async def test_a_kept_receipt_is_handed_out_byte_for_byte(on_both_databases: Connections) -> None:
    key = await open_receipt_key(on_both_databases)
    signed = key.sign(a_receipt())
    for each in (signed, key.sign(a_receipt(says="told again"))):
        async with on_both_databases.write() as db:
            await keep_receipt(db, each)
    kept = await read_receipt(on_both_databases, "r1")
    assert kept is not None
    assert written(kept) == written(signed)
    assert await read_receipt(on_both_databases, "r2") is None
    assert await receipts_of(on_both_databases, "b.myshopify.com") == []
