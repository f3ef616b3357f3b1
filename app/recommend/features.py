"""Product data (vendor, type, tags, title) as features that products share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.sparse import csr_matrix

FEWEST_PRODUCTS = 2
MOST_FEATURES = 5_000
_WORD = re.compile(r"[^\W_]{2,}")


def feature_names(product: Mapping[str, str]) -> list[str]:
    """Return a product's features: its vendor, type, tags and the words of its title, each once.

    tags: separated by commas, as Shopify exports them.
    """
    names = [f"{kind}:{product[kind].casefold()}" for kind in ("vendor", "product_type") if product[kind]]
    names += [f"tag:{tag.strip().casefold()}" for tag in product["tags"].split(",") if tag.strip()]
    names += [f"word:{word}" for word in _WORD.findall(product["title"].casefold())]
    return list(dict.fromkeys(names))


def feature_matrix(products: Sequence[Mapping[str, str]]) -> tuple[csr_matrix, tuple[str, ...]]:
    """Return the (products, features) matrix of ones, float32, and the features' names.

    A feature of one product links it to nothing and is left out; so are the rarest beyond 5,000.
    """
    named = [feature_names(product) for product in products]
    columns = {name: at for at, name in enumerate(_shared(named))}
    rows = [[columns[name] for name in names if name in columns] for names in named]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    indices = np.array([column for row in rows for column in row], dtype=np.int32)
    values = np.ones(len(indices), dtype=np.float32)
    return csr_matrix((values, indices, indptr), shape=(len(rows), len(columns))), tuple(columns)


def _shared(named: Iterable[Iterable[str]]) -> list[str]:
    counts = Counter(name for names in named for name in names)
    common = [name for name, count in counts.items() if count >= FEWEST_PRODUCTS]
    return sorted(sorted(common, key=lambda name: (-counts[name], name))[:MOST_FEATURES])
