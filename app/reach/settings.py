"""The shop's settings for reach: waiting times, channels, words. All sending is off by default. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.campaigns.messages import Text
from app.errors import InputError
from app.reach.abandonment import SilenceThresholds

SETTING = "reach"
Way = Literal["flow", "mail"]
Seconds = Annotated[int, Meta(ge=60, le=7 * 86_400)]


class LetterWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The merchant's own words for a letter, by locale; what is left out is said in ours."""

    subject: dict[str, Text] = {}
    body: dict[str, Text] = {}


class Reach(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """idle_s, left_s: silence after which a checkout counts as abandoned; see `SilenceThresholds`.

    delay_s: how long after that somebody is written to. remind: also where no campaign has anything to
    give. rest_s: how long nobody is written to again. alerts_mail: alerts to the shop's own address.
    """

    idle_s: Annotated[int, Meta(ge=300, le=86_400)] = 30 * 60
    left_s: Annotated[int, Meta(ge=300, le=86_400)] = 10 * 60
    delay_s: Seconds = 60 * 60
    flow: bool = False
    mail: bool = False
    remind: bool = True
    rest_s: Annotated[int, Meta(ge=0, le=90 * 86_400)] = 7 * 86_400
    alerts_mail: bool = True
    words: LetterWords = LetterWords()

    @property
    def wait(self) -> SilenceThresholds:
        """Return the silence that is waited for."""
        return SilenceThresholds(
            timedelta(seconds=self.idle_s), timedelta(seconds=min(self.left_s, self.idle_s))
        )

    @property
    def ways(self) -> tuple[Way, ...]:
        """Return the ways that are switched on."""
        switched: tuple[tuple[Way, bool], ...] = (("flow", self.flow), ("mail", self.mail))
        return tuple(way for way, on in switched if on)


OFF = Reach()


def reach_of(settings: Mapping[str, Any]) -> Reach:
    """Return what a shop wants; the usual, with nothing sent, where the setting is absent or unusable."""
    try:
        return msgspec.convert(settings.get(SETTING) or {}, Reach)
    except msgspec.ValidationError:
        return OFF


def checked(wanted: Mapping[str, Any]) -> Reach:
    """Return the setting. Raises InputError that names what can't be."""
    try:
        return msgspec.convert(wanted, Reach)
    except msgspec.ValidationError as error:
        raise InputError(str(error), SETTING) from None
