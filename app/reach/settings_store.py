"""What a shop wants outside checkout, changed by its merchant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from app.campaigns.messages import check_texts
from app.connections import Connections
from app.errors import InputError
from app.reach.settings import SETTING, Reach, checked, reach_of
from app.shops.settings import change_setting


async def change_reach(connections: Connections, shop: str, changes: Mapping[str, Any]) -> Reach:
    """Return what is wanted from now on, with these changes. Raises InputError that names one, NotFound."""
    wanted: list[Reach] = []

    def change(kept: Any) -> Any:
        before = msgspec.to_builtins(reach_of({SETTING: kept}))
        wanted.append(checked(before | dict(changes)))
        return msgspec.to_builtins(wanted[-1])

    if changes.get("mail") and connections.settings.smtp is None:
        raise InputError("e-mail needs a mail server: set SMTP_URL first", "mail")
    words = checked({"words": changes["words"]} if "words" in changes else {}).words
    for texts in (words.subject, words.body):
        check_texts("letter", texts)
    await change_setting(connections, shop, SETTING, change)
    return wanted[-1]
