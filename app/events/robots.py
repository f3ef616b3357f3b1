"""Robots that say what they are: what they look at is no shopper's visit. Pure."""

from __future__ import annotations

import re

# Cubot makes telephones.
_ROBOT = re.compile(
    r"(?<!cu)bot\b|crawler|spider|slurp|lighthouse|pagespeed|pingdom|facebookexternalhit", re.IGNORECASE
)


def is_robot(user_agent: str) -> bool:
    """Return whether a browser's `User-Agent` is a crawler's or a page tester's."""
    return _ROBOT.search(user_agent) is not None
