"""How large SQLite is to take the tables for: until it is told, it believes that a shop has ten rows of each.

Then it reads all of a large shop's rows, to save itself the sorting of three. The numbers are not counted: by
counted ones a shop would be read in other ways from one day to the next, and what suits a large one is no
slower in a small one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, text
from sqlmodel import SQLModel

import app.tables  # noqa: F401  (fills the metadata)

_ROWS, _OF_A_SHOP, _OF_A_NAME = 100_000_000, 1_000_000, 10
_EACH_OF_FEW = 4  # of what has few values: a fourth has each
# Of an index of some rows alone: so few that it is taken before any other.
_SOME, _SOME_OF_A_SHOP, _SOME_OF_A_NAME = 100, 10, 1
_FEW = frozenset({"status", "kind", "segment", "pool_id", "terms_id", "key", "mail", "way"})
_SHOP = frozenset({"shop", "owner"})
# Of what a shop has tens, SQLite's own belief is right.
_SMALL = frozenset(
    "shops tokens secrets api_keys backfills campaigns experiments coupon_pools automatic_discounts alerts "
    "models model_watches segmentations segment_sizes foresights privacy_policies retention "
    "exclusions collections".split()
)

Size = tuple[str, str, str]  # table, index, and what `sqlite_stat1` says of it


def tell_sizes(connection: Connection) -> None:
    """Tell SQLite the sizes; connections that are opened from now on know them."""
    wanted = set(_sizes(connection))
    if _told(connection) == wanted:
        return
    connection.execute(text("ANALYZE sqlite_master"))  # makes their table, and reads none of ours
    connection.execute(text("DELETE FROM sqlite_stat1"))
    rows = [dict(zip(("tbl", "idx", "stat"), each, strict=True)) for each in wanted]
    connection.execute(text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:tbl, :idx, :stat)"), rows)


def _told(connection: Connection) -> set[Size]:
    there = text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")
    if connection.scalar(there) is None:
        return set()
    return {(*row,) for row in connection.execute(text("SELECT tbl, idx, stat FROM sqlite_stat1"))}


def _sizes(connection: Connection) -> Iterator[Size]:
    for table in SQLModel.metadata.tables.keys() - _SMALL:
        listed = connection.execute(text(f"PRAGMA index_list({table})")).all()
        for _, index, unique, _origin, partial in listed:
            columns = [row[2] for row in connection.execute(text(f"PRAGMA index_info({index})"))]
            sizes = (_SOME, _SOME_OF_A_SHOP, _SOME_OF_A_NAME) if partial else (_ROWS, _OF_A_SHOP, _OF_A_NAME)
            alike = _rows_alike(columns, *sizes, unique=bool(unique))
            yield table, index, " ".join(map(str, (sizes[0], *alike)))


def _rows_alike(
    columns: Iterable[str | None], rows: int, of_a_shop: int, of_a_name: int, *, unique: bool
) -> Sequence[int]:
    """Return how many rows are alike in the first column, in the first two, and so on. Pure."""
    alike = []
    for column in columns:
        if column in _SHOP:
            rows = of_a_shop
        elif column in _FEW:
            rows = max(1, rows // _EACH_OF_FEW)
        else:
            rows = min(rows, of_a_name)
        alike.append(rows)
    return [*alike[:-1], 1] if unique else alike
