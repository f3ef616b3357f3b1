"""The tables of what decisions were made on: each version of a shop, in parts that versions share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from app.columns import utc_time as _time


class SnapshotRow(SQLModel, table=True):
    """A version of a shop that decisions were made on. manifest: compressed, see `app.archive.parts`.

    served_at: when it was last seen to serve.
    """

    __tablename__ = "snapshots"
    shop: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    manifest: bytes = Field(sa_type=LargeBinary)
    served_at: datetime = _time()


class SnapshotPartRow(SQLModel, table=True):
    """What versions are made of, named by its own hash; many share one. content: compressed."""

    __tablename__ = "snapshot_parts"
    shop: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    content: bytes = Field(sa_type=LargeBinary)
    kept_at: datetime = _time()
