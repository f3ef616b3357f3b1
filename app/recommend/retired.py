"""Retired model versions, kept for a while so that their decisions can be replayed.

{data_dir}/models/{shop}/.past/{version}   as it served; its time is when it was put away
"""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

from app.recommend.publish import current_version, set_current, version_path, versions
from app.values import ShopDomain

MOST_BYTES = 512 << 20  # of a shop; beyond it, those that were put away first go
_PAST = ".past"


def retire_version(data_dir: Path, shop: ShopDomain, version: str, successor: str) -> None:
    """Make the successor current where the version was, and move the version to the retired ones."""
    if current_version(data_dir, shop) == version:
        set_current(data_dir, shop, successor)
    past = _past(data_dir, shop)
    past.mkdir(exist_ok=True)
    shutil.rmtree(past / version, ignore_errors=True)
    version_path(data_dir, shop, version).rename(past / version)
    os.utime(past / version)
    _thin(past)


def retired_versions(data_dir: Path, shop: ShopDomain) -> list[Path]:
    """Return the directories of the retired versions, in the order in which they were retired."""
    past = _past(data_dir, shop)
    return sorted(past.iterdir(), key=_put_away_at) if past.is_dir() else []


def find_version(data_dir: Path, shop: ShopDomain, version: str) -> Path | None:
    """Return the directory of the shop's version, retired ones included; None where there is none.

    A name is looked up and never made a path of: it may be what a merchant wrote.
    """
    there = (*versions(data_dir, shop), *retired_versions(data_dir, shop))
    return next((path for path in there if path.name == version), None)


def delete_retired(data_dir: Path, shop: ShopDomain, before: datetime) -> int:
    """Delete the versions that were retired before that time; return how many."""
    old = [path for path in retired_versions(data_dir, shop) if _put_away_at(path) < before.timestamp()]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return len(old)


def _past(data_dir: Path, shop: ShopDomain) -> Path:
    return version_path(data_dir, shop, _PAST)


def _put_away_at(path: Path) -> float:
    return path.stat().st_mtime


def _thin(past: Path) -> None:
    left = MOST_BYTES
    for path in sorted(past.iterdir(), key=_put_away_at, reverse=True):
        left -= sum(file.stat().st_size for file in path.iterdir())
        if left < 0:
            shutil.rmtree(path, ignore_errors=True)
