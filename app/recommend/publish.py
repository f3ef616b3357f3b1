"""Published models on disk: one directory a version, complete or absent, and a pointer to the current one.

{data_dir}/models/{shop}/{version}/card.json and one .npy file an array
{data_dir}/models/{shop}/CURRENT          the version that serves
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import IO, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.errors import ModelUnusable
from app.recommend.card import LAYOUT, OLDEST_LAYOUT, ArrayCard, Card
from app.recommend.model import Model
from app.values import ShopDomain, shop_domain

ARRAYS = tuple(field.name for field in fields(Model) if field.name not in ("version", "basis", "weights"))
# The layout an array came with, where that is not the oldest: a version from before serves without it.
SINCE = dict.fromkeys(("stranger_asks", "stranger_edges", "stranger_leaves", "variety", "appeal"), 3)
POINTER = "CURRENT"
VERSIONS_KEPT = 5
READS = 3
ABANDONED_S = 3600
# What is smaller is read: what is mapped holds a file open, and a process may hold thousands of shops.
MAPPED_FROM = 64 * 1024


def publish(data_dir: Path, shop: ShopDomain, model: Model, card: Card, spared: Collection[str] = ()) -> Card:
    """Return the card as stored, once its version is complete on disk.

    It becomes the shop's current version when the card's decision says so. The oldest go, but for the spared.
    """
    home = _home(data_dir, shop)
    home.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.ascontiguousarray(getattr(model, name)) for name in ARRAYS}
    stored = _completed(card, shop, model, arrays)
    _write_version(home, stored, arrays)
    if stored.decision.publish:
        _replace_text(home / POINTER, stored.version)
    _prune(home, spared)
    return stored


def versions(data_dir: Path, shop: ShopDomain) -> list[Path]:
    """Return the directories of the versions on disk, oldest first."""
    home = _home(data_dir, shop)
    if not home.is_dir():
        return []
    return sorted(path for path in home.iterdir() if path.is_dir() and path.name[0] != ".")


def successor_of(data_dir: Path, shop: ShopDomain, version: str) -> Path | None:
    """Return where a version stands, or what took its place: of the same training, with somebody taken out.

    None where neither is. A name is looked up and never made a path of: it may be what a merchant wrote.
    """
    alike = [path for path in versions(data_dir, shop) if training_of(path.name) == training_of(version)]
    return next((path for path in alike if path.name == version), alike[-1] if alike else None)


def publish_successor(data_dir: Path, shop: ShopDomain, old: Card, model: Model) -> Card:
    """Write the model to disk as the successor of the old version, and return its card."""
    arrays = {name: np.ascontiguousarray(getattr(model, name)) for name in ARRAYS}
    card = _completed(old, shop, model, arrays)
    _write_version(_home(data_dir, shop), card, arrays)
    return card


def version_path(data_dir: Path, shop: ShopDomain, version: str) -> Path:
    """Return where a version stands."""
    return _home(data_dir, shop) / version


def set_current(data_dir: Path, shop: ShopDomain, version: str) -> None:
    """Make a version that is complete on disk the current one, which serves."""
    _replace_text(_home(data_dir, shop) / POINTER, version)


def withdraw(data_dir: Path, shop: ShopDomain, version: str, successor: str | None) -> None:
    """Remove a version; if it is the current one, its successor is from now on."""
    home = _home(data_dir, shop)
    if current_version(data_dir, shop) == version:
        if successor is None:
            (home / POINTER).unlink()
        else:
            _replace_text(home / POINTER, successor)
    shutil.rmtree(home / version)


def remove_half_written(data_dir: Path, shop: ShopDomain) -> None:
    """Remove what a killed training left; only while nobody publishes."""
    for scratch in _home(data_dir, shop).glob(".writing-*"):
        shutil.rmtree(scratch)


def current_version(data_dir: Path, shop: ShopDomain) -> str | None:
    """Return the version that serves, None when nothing was published; one small read."""
    try:
        return (_home(data_dir, shop) / POINTER).read_text("ascii").strip() or None
    except FileNotFoundError:
        return None


def latest(data_dir: Path, shop: ShopDomain) -> Model | None:
    """Return the shop's current model, None when nothing was published. Raises ModelUnusable."""
    version = current_version(data_dir, shop)
    for _ in range(READS):
        if version is None:
            return None
        try:
            return load(_home(data_dir, shop) / version)
        except ModelUnusable:
            # A newer version may have replaced and pruned it since the pointer was read.
            newer = current_version(data_dir, shop)
            if newer == version:
                raise
            version = newer
    raise ModelUnusable(f"{shop}: the current model changed {READS} times while it was read")


def load(path: Path) -> Model:
    """Return the model of a version directory, its arrays read-only, the large ones mapped.

    Raises ModelUnusable naming the file that is missing, torn, altered or of another layout.
    """
    card = read_card(path)
    named = [name for name in ARRAYS if SINCE.get(name, OLDEST_LAYOUT) <= card.layout]
    arrays = {name: _read_array(path, card, name) for name in named}
    model = Model(card.version, card.basis, card.weights, **arrays)
    _check_shapes(path, model)
    return model


def read_card(path: Path) -> Card:
    """Return a version's card. Raises ModelUnusable when it can't be read."""
    try:
        card = msgspec.json.decode((path / "card.json").read_bytes(), type=Card)
    except (OSError, msgspec.MsgspecError) as error:
        raise ModelUnusable(f"{path / 'card.json'}: {error}") from error
    if not OLDEST_LAYOUT <= card.layout <= LAYOUT:
        readable = f"layouts {OLDEST_LAYOUT} to {LAYOUT}"
        raise ModelUnusable(f"{path}: layout {card.layout}, this version reads {readable}")
    return card


def _home(data_dir: Path, shop: str) -> Path:
    return data_dir / "models" / shop_domain(shop)


def _completed(card: Card, shop: str, model: Model, arrays: dict[str, NDArray[Any]]) -> Card:
    described = {
        name: ArrayCard(array.dtype.str, array.shape, _digest(array)) for name, array in arrays.items()
    }
    content = msgspec.json.encode([model.basis, model.weights, described])
    content_hash = hashlib.sha256(content).hexdigest()
    version = f"{card.trained_at:%Y%m%dT%H%M%S}-{content_hash[:12]}"
    return msgspec.structs.replace(
        card, shop=shop, version=version, arrays=described, content_hash=content_hash,
        basis=model.basis, weights=model.weights, layout=LAYOUT,
    )  # fmt: skip


def _write_version(home: Path, card: Card, arrays: dict[str, NDArray[Any]]) -> None:
    if (home / card.version).exists():
        return  # the same arrays at the same second: already complete
    scratch = Path(tempfile.mkdtemp(prefix=".writing-", dir=home))
    try:
        for name, array in arrays.items():
            with (scratch / f"{name}.npy").open("wb") as file:
                np.save(file, array, allow_pickle=False)
                _sync(file)
        with (scratch / "card.json").open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(card)))
            _sync(file)
        scratch.chmod(0o755)
        _sync_directory(scratch)
        scratch.rename(home / card.version)
        _sync_directory(home)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _read_array(path: Path, card: Card, name: str) -> NDArray[Any]:
    expected = card.arrays.get(name)
    file = path / f"{name}.npy"
    if expected is None:
        raise ModelUnusable(f"{path / 'card.json'}: does not describe {name}")
    try:
        mode: Literal["r"] | None = "r" if file.stat().st_size >= MAPPED_FROM else None
        array = np.load(file, mmap_mode=mode, allow_pickle=False).view(np.ndarray)
    except (OSError, ValueError, EOFError) as error:
        raise ModelUnusable(f"{file}: {error}") from error
    if array.dtype.str != expected.dtype or array.shape != expected.shape:
        raise ModelUnusable(f"{file}: {array.dtype.str}{array.shape}, the card says {expected}")
    if _digest(array) != expected.sha256:
        raise ModelUnusable(f"{file}: its content is not what was published")
    array.flags.writeable = False
    return np.asarray(array)


def _check_shapes(path: Path, model: Model) -> None:
    items, dimensions = len(model.product_ids), model.item_embeddings.shape[-1]
    expected = {
        "product_ids": (items,), "orders": (items,), "popularity": (items,), "freshness": (items,),
        "neighbours": (items, model.neighbours.shape[-1]), "neighbour_weights": model.neighbours.shape,
        "item_embeddings": (items, dimensions), "item_biases": (items,),
        "cart_embeddings": (items, dimensions), "customer_ids": (len(model.customer_ids),),
        "customer_embeddings": (len(model.customer_ids), dimensions),
    }  # fmt: skip
    for name, shape in expected.items():
        if getattr(model, name).shape != shape:
            raise ModelUnusable(f"{path}: {name} is {getattr(model, name).shape}, expected {shape}")


def _digest(array: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data).hexdigest()


def _replace_text(path: Path, text: str) -> None:
    scratch = path.with_name(f".{path.name}-{os.getpid()}")
    with scratch.open("w", encoding="ascii") as file:
        file.write(text + "\n")
        _sync(file)
    scratch.replace(path)
    _sync_directory(path.parent)


def _sync(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def training_of(version: str) -> str:
    """Return when a version was learnt, which its name begins with and its successors' do."""
    return version.partition("-")[0]


def _served(path: Path) -> bool:
    try:
        return read_card(path).decision.publish
    except ModelUnusable:
        return False


def _prune(home: Path, spared: Collection[str]) -> None:
    """Remove the oldest versions, but for one to go back to, and what a killed training left half-written."""
    current = (home / POINTER).read_text("ascii").strip() if (home / POINTER).exists() else ""
    complete = sorted(path for path in home.iterdir() if path.is_dir() and path.name[0] != ".")
    before = [path.name for path in complete if path.name != current and _served(path)][-1:]
    stay = {training_of(each) for each in (current, *before, *spared)}
    for version in complete[:-VERSIONS_KEPT]:
        if training_of(version.name) not in stay:
            shutil.rmtree(version, ignore_errors=True)
    for scratch in home.glob(".writing-*"):
        if time.time() - scratch.stat().st_mtime > ABANDONED_S:
            shutil.rmtree(scratch, ignore_errors=True)
