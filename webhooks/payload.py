"""A JSON object read field by field; what is missing or odd is named by its path. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from app.errors import InputError
from app.values import minor_units, moment, shopify_id

_MAX_TEXT = 5_000
_MAX_COUNT = 2**31 - 1  # the database's integer
_MISSING = object()


def parse(body: bytes) -> Payload:
    """Return the JSON object in a body. Raises InputError for anything else."""
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the body is not JSON: {error}") from None
    except RecursionError:
        raise InputError("the body is nested too deeply") from None
    if not isinstance(data, dict):
        raise InputError(f"the body is not a JSON object but {type(data).__name__}")
    return Payload(data)


class Payload:
    """A JSON object at `path`. Every reader raises InputError naming the field it could not read.

    A reader that ends in `_or_none` answers None for a field that is missing or null.
    """

    def __init__(self, data: Mapping[str, Any], path: str = "") -> None:
        self._data = data
        self._path = path

    def __contains__(self, name: str) -> bool:
        return self._data.get(name) is not None

    def names(self, name: str) -> bool:
        """Return whether the field is there, if only as null."""
        return self._data.get(name, _MISSING) is not _MISSING

    def at(self, name: str) -> str:
        """Return the path of a field, for a message."""
        return f"{self._path}.{name}" if self._path else name

    def id(self, name: str) -> int:
        return shopify_id(self._needed(name), self.at(name))

    def id_or_none(self, name: str) -> int | None:
        return self.id(name) if name in self else None

    def id_of(self, name: str) -> int | None:
        """Return the id of the object in a field; None when there is none."""
        child = self.child_or_none(name)
        return child.id_or_none("id") if child else None

    def ids(self, name: str) -> tuple[int, ...]:
        """Return a list of ids; none when it is missing."""
        values = self._list(name)
        return tuple(shopify_id(v, f"{self.at(name)}[{i}]") for i, v in enumerate(values))

    def text(self, name: str) -> str:
        """Return text as a database can hold it: no NUL, at most 5,000 characters."""
        value = self._needed(name)
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise InputError(f"{self.at(name)} is not text", self.at(name))
        return str(value).replace("\x00", "")[:_MAX_TEXT]

    def text_or_none(self, name: str) -> str | None:
        return self.text(name) if name in self else None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, given as a list or separated by commas; none when missing."""
        value = self._data.get(name)
        parts = value.split(",") if isinstance(value, str) else self._list(name)
        if not all(isinstance(part, str) for part in parts):
            raise InputError(f"{self.at(name)} is not a list of texts", self.at(name))
        cleaned = (part.replace("\x00", "").strip()[:_MAX_TEXT] for part in parts)
        return tuple(part for part in cleaned if part)

    def time(self, name: str) -> datetime:
        return moment(self._needed(name), self.at(name))

    def time_or_none(self, name: str) -> datetime | None:
        return self.time(name) if name in self else None

    def money(self, name: str, currency: str) -> int:
        """Return an amount in minor units; 0 when it is missing."""
        value = self._data.get(name)
        return 0 if value is None else minor_units(value, currency, self.at(name))

    def side(self, name: str, side: str, currency: str) -> int | None:
        """Return a `…_set`'s `shop_money` or `presentment_money`, in minor units; None when it is missing."""
        both = self.child_or_none(name)
        amount = both.child_or_none(side) if both else None
        return amount.money("amount", currency) if amount else None

    def count(self, name: str) -> int:
        """Return a whole number, which may be negative."""
        value = self._needed(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _MAX_COUNT:
            raise InputError(f"{self.at(name)} is not a whole number", self.at(name))
        return value

    def count_or_none(self, name: str) -> int | None:
        return self.count(name) if name in self else None

    def flag_or_none(self, name: str) -> bool | None:
        value = self._data.get(name)
        if value is not None and not isinstance(value, bool):
            raise InputError(f"{self.at(name)} is not true or false", self.at(name))
        return value

    def child(self, name: str) -> Payload:
        value = self._needed(name)
        if not isinstance(value, dict):
            raise InputError(f"{self.at(name)} is not an object", self.at(name))
        return Payload(value, self.at(name))

    def child_or_none(self, name: str) -> Payload | None:
        return self.child(name) if name in self else None

    def children(self, name: str) -> list[Payload]:
        """Return a list of objects; none when it is missing."""
        items = self._list(name)
        if not all(isinstance(item, dict) for item in items):
            raise InputError(f"{self.at(name)} is not a list of objects", self.at(name))
        return [Payload(item, f"{self.at(name)}[{i}]") for i, item in enumerate(items)]

    def pairs(self, name: str) -> dict[str, str]:
        """Return `[{name, value}]` or `{name: value}` as one dict of texts; odd pairs are left out.

        Orders write line properties as a list, carts as an object.
        """
        value = self._data.get(name)
        if isinstance(value, list):
            pairs = [(p.get("name"), p.get("value")) for p in value if isinstance(p, dict)]
        else:
            pairs = list(value.items()) if isinstance(value, dict) else []
        return {k: v for k, v in pairs if isinstance(k, str) and isinstance(v, str)}

    def _needed(self, name: str) -> Any:
        value = self._data.get(name)
        if value is None:
            raise InputError(f"{self.at(name)} is missing", self.at(name))
        return value

    def _list(self, name: str) -> list[Any]:
        value = self._data.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise InputError(f"{self.at(name)} is not a list", self.at(name))
        return value
