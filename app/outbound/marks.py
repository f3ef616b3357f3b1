"""What a customer in Shopify carries of ours, and what to change of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.outbound.settings import WriteBack

PREFIX = "tillwise:"  # no other tag is ever added or taken away
NAMESPACE, KEY, TYPE = "$app", "segments", "list.single_line_text_field"


@dataclass(frozen=True, slots=True)
class Mark:
    """Tags with our prefix, and the metafield's segments; None: no metafield."""

    tags: frozenset[str] = frozenset()
    segments: tuple[str, ...] | None = None


NONE = Mark()


@dataclass(frozen=True, slots=True)
class Due:
    """A customer whose marks are checked. names: their segments, None where all marks are to be removed.

    before: what they may carry; unsure: an earlier attempt was cut short.
    """

    customer_id: int
    names: tuple[str, ...] | None
    changed_at: datetime | None
    before: Mark = NONE
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What to write for one customer, and what they carry afterwards. seen_at: when its segments changed."""

    customer_id: int
    before: Mark
    after: Mark
    add: tuple[str, ...]
    remove: tuple[str, ...]
    sets_metafield: bool
    deletes_metafield: bool
    seen_at: datetime | None

    @property
    def writes(self) -> bool:
        """Return whether anything has to be written to Shopify."""
        return bool(self.add or self.remove or self.sets_metafield or self.deletes_metafield)

    @property
    def meanwhile(self) -> Mark:
        """Return all that may be there while it is being written: what to take back after a crash."""
        segments = self.after.segments if self.after.segments is not None else self.before.segments
        return Mark(self.before.tags | self.after.tags, segments)


def mark_of(names: Sequence[str], wants: WriteBack) -> Mark:
    """Return what a customer in these segments carries."""
    tags = frozenset(PREFIX + name for name in names) if wants.tags else frozenset()
    return Mark(tags, tuple(names) if wants.metafields else None)


def change_of(due: Due, after: Mark) -> Change:
    """Return what to write so that the customer carries `after`."""
    before = due.before
    kept: Iterable[str] = () if due.unsure else before.tags
    differs = due.unsure or after.segments != before.segments
    return Change(
        customer_id=due.customer_id,
        before=before,
        after=after,
        add=tuple(sorted(after.tags - frozenset(kept))),
        remove=tuple(sorted(before.tags - after.tags)),
        sets_metafield=after.segments is not None and differs,
        deletes_metafield=after.segments is None and before.segments is not None,
        seen_at=due.changed_at,
    )
