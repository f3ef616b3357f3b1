"""What can go wrong with letters on the way: lost, doubled, late, out of order, and forged among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from devstore.deliver import sign
from tests.convergence.history import Letter

# Nothing that can be asked tells of it later. Who is gone never comes back, and is erased on request.
NEVER_LOST = frozenset({"customers/delete"})


@dataclass(frozen=True)
class Fate:
    """What becomes of one letter. late: how many letters overtake it; copies: 0 is lost."""

    copies: int = 1
    late: int = 0


@dataclass(frozen=True)
class Forgery:
    """A letter that Shopify never wrote, put in after so many true ones."""

    after: int
    how: str


FORGED = ("unsigned", "wrongly signed", "signed by another", "changed on the way")
fates = st.lists(st.builds(Fate, st.sampled_from((1, 1, 2, 3, 0)), st.integers(0, 12)), max_size=40)
forgeries = st.lists(st.builds(Forgery, st.integers(0, 20), st.sampled_from(FORGED)), max_size=4)


def mangled(letters: Sequence[Letter], fated: Sequence[Fate]) -> list[Letter]:
    """Return what arrives, in order. Letters beyond the fates arrive as they were sent. Pure."""
    arrivals: list[tuple[int, int, Letter]] = []
    for at, letter in enumerate(letters):
        fate = fated[at] if at < len(fated) else Fate()
        copies = max(1, fate.copies) if letter.topic in NEVER_LOST else fate.copies
        # The first copy is late; each further one is later still.
        arrivals += [(at + fate.late * (n + 1), at, letter) for n in range(copies)]
    return [letter for _, _, letter in sorted(arrivals, key=lambda each: each[:2])]


def forged(letter: Letter, how: str) -> tuple[Mapping[str, str], bytes]:
    """Return the headers and body of a forgery made after a true letter. Pure."""
    headers = {name: value for name, value in letter.headers.items() if name != "content-length"}
    lie = letter.body.replace(b"a", b"o").replace(b"1", b"7")
    proof = "x-shopify-hmac-sha256"
    match how:
        case "unsigned":
            return {name: value for name, value in headers.items() if name != proof}, lie
        case "wrongly signed":
            return headers | {proof: "bm90IGEgc2lnbmF0dXJl"}, lie
        case "signed by another":
            return headers | {proof: sign(lie, "the secret of another app")}, lie
        case _:
            return headers, lie + b" "
