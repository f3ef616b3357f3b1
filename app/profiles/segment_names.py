"""Names of a merchant's own segments, in any language, and those of segments that are worked out. Pure.

A name is what rules, tags, moves and pins refer to. It is kept as it was written, but for one that small
English letters can say: `recent_regulars` reads as `Recent regulars`.
"""

from __future__ import annotations

import re
from unicodedata import category, normalize

from app.errors import InputError
from app.profiles.clusters import LABELS
from app.profiles.rfm_segments import SEGMENTS, title

FORESEEN = ("foreseen_at_risk", "foreseen_loyal")
# What a customer is called before a shop's first segments are trained.
_UNTRAINED = ("returning",)
_TAKEN = frozenset({*SEGMENTS, *LABELS, *FORESEEN, *_UNTRAINED})
_A_CLUSTERS = re.compile(r"group_[0-9]+", re.ASCII)
LONGEST = 40
_OF_SMALL_LETTERS = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
# Not the comma, which parts names in lists and Shopify's tags, nor what stands around names in sentences.
_MARKS = " _-'’&+."
_JOINERS = "\u200c\u200d"  # parts of words in Persian and in India's scripts


def foreseen_name(label: str) -> str:
    """Return the segment of who is foreseen to earn a classifier's label; RFM has some of the same names."""
    return f"foreseen_{label}"


def kept_name(written: str) -> str:
    """Return a name as it is kept: one way of writing its letters and spaces. Of one that is kept, itself."""
    if _OF_SMALL_LETTERS.fullmatch(written):
        return written
    text = " ".join(normalize("NFC", written).replace("_", " ").split())
    small = text.lower().replace(" ", "_")
    reads_so = _OF_SMALL_LETTERS.fullmatch(small) and title(small)[1:] == text[1:]
    return small if reads_so else text


def same_name(name: str) -> str:
    """Return what names share that people, or Shopify's tags, take for one: `VIP-Kunden`, `vip kunden`."""
    plain = normalize("NFKC", normalize("NFKC", name).casefold())
    return plain.translate({ord(each): None for each in _JOINERS} | {ord(" "): "_", ord("-"): "_"})


def is_name(name: str) -> bool:
    """Return whether a segment can be kept under the name."""
    begins = category(name[:1] or " ")[0] in "LN"
    return begins and len(name) <= LONGEST and name == kept_name(name) and all(map(_may_have, name))


def _may_have(each: str) -> bool:
    return category(each)[0] in "LMN" or each in _MARKS or each in _JOINERS


def check_free(name: str, field: str) -> None:
    """Do nothing when the name can be a merchant's. Raises InputError naming the field otherwise."""
    same = same_name(name)
    if same in _TAKEN or _A_CLUSTERS.fullmatch(same):
        raise InputError(
            f"{name} is the name of a segment that Tillwise works out: choose another, such as my_{name}",
            field,
        )
