"""Where a Redis Cluster is, as an address says it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from app.errors import ConfigError

CLUSTER = "redis+cluster"
TLS_CLUSTER = "rediss+cluster"
_PORT = 6379


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """Some of the nodes, which know all the others, and who asks them.

    tls: whether they are asked over TLS, known by a certificate that this machine trusts.
    """

    nodes: tuple[tuple[str, int], ...]
    username: str | None
    password: str | None = field(repr=False)
    tls: bool = False


def cluster_address(url: str) -> ClusterAddress | None:
    """Return what `redis+cluster://user:password@a:6379,b:6379` says, None for an address of another kind.

    `rediss+cluster://` says it of a cluster that is asked over TLS.

    Raises ConfigError for one that can't be read.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in {CLUSTER, TLS_CLUSTER}:
        return None
    proof, _, nodes = rest.removesuffix("/").rpartition("@")
    username, _, password = proof.partition(":")
    found = tuple(_node(each) for each in nodes.split(","))
    return ClusterAddress(found, unquote(username) or None, unquote(password) or None, scheme == TLS_CLUSTER)


def _node(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.path or parts.query:
        raise ConfigError(f"{CLUSTER}:// is followed by nodes alone, as in a:6379,b:6379, not by {text!r}")
    return host, port or _PORT
