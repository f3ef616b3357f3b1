"""The address of a message broker: `amqp://user:password@host/vhost`, `kafka://a:9092,b:9092/topic`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from urllib.parse import parse_qsl, unquote, urlsplit

from app.errors import ConfigError

_PORTS = {"amqp": 5672, "amqps": 5671, "kafka": 9092, "kafkas": 9093}
_PACKAGES = {"amqp": "aio_pika", "kafka": "confluent_kafka"}


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker is. engine: amqp or kafka, which is also the extra that has its packages.

    path: of AMQP the virtual host, of Kafka the topic; empty for the usual one. options: of Kafka's client.
    """

    engine: str
    tls: bool
    servers: tuple[tuple[str, int], ...]
    user: str
    password: str = field(repr=False)
    path: str = ""
    options: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)


def broker_address(url: str) -> BrokerAddress:
    """Return the address. Raises ConfigError for one of no broker, or when its packages are missing."""
    scheme, _, rest = url.partition("://")
    place, _, query = rest.partition("?")
    named, _, path = place.partition("/")
    proof, _, hosts = named.rpartition("@")
    user, _, password = proof.partition(":")
    if scheme not in _PORTS:
        raise ConfigError(f"EVENT_LOG_URL starts with one of {', '.join(f'{each}://' for each in _PORTS)}")
    engine = scheme.removesuffix("s")
    servers = tuple(_server(host, _PORTS[scheme]) for host in hosts.split(","))
    if engine == "amqp" and len(servers) > 1:
        raise ConfigError("EVENT_LOG_URL names one host of RabbitMQ: a name or balancer that leads to all")
    if find_spec(_PACKAGES[engine]) is None:
        raise ConfigError(f"EVENT_LOG_URL needs more packages: pip install '.[{engine}]'")
    return BrokerAddress(
        engine,
        scheme.endswith("s"),
        servers,
        unquote(user),
        unquote(password),
        unquote(path),
        dict(parse_qsl(query, keep_blank_values=True)),
    )


def _server(text: str, usual: int) -> tuple[str, int]:
    try:
        host = urlsplit(f"//{text}")
        name, port = host.hostname, host.port
    except ValueError:
        name, port = None, None
    if not name:
        raise ConfigError("EVENT_LOG_URL names a host, and a port as a number: amqp://host:5672")
    return name, port or usual
