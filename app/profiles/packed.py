"""Profiles and visits as Redis holds them: one packed value each."""

from __future__ import annotations

import msgspec

from app.profiles.customer import NOBODY, Profile
from app.profiles.visit import NO_VISIT, Visit

_encoder = msgspec.msgpack.Encoder()
_profiles = msgspec.msgpack.Decoder(Profile)
_visits = msgspec.msgpack.Decoder(Visit)


def pack(value: Profile | Visit) -> bytes:
    """Return the value packed."""
    return _encoder.encode(value)


def unpack_profile(value: bytes | None) -> Profile:
    """Return the profile; an empty one for what is absent or was packed by another layout."""
    try:
        return NOBODY if value is None else _profiles.decode(value)
    except msgspec.DecodeError:
        return NOBODY


def unpack_visit(value: bytes | None) -> Visit:
    """Return the visit; an empty one for what is absent or was packed by another layout."""
    try:
        return NO_VISIT if value is None else _visits.decode(value)
    except msgspec.DecodeError:
        return NO_VISIT
