"""Draws the illustration of a product as SVG: a soft background of its own, and its kind on it.

The drawings are text: a line per mark, a fill and then `p` with path data, `o` with a circle's cx cy r,
or `r` with a rectangle's x y width height radius. Fills are A the pack's own colour, D darker,
L lighter, W white, S a soft shadow, or a hex colour.
"""

import colorsys
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from xml.sax.saxutils import escape

from devstore.images.choose import kind_of

FOLDER = Path(__file__).parent / "drawings"
HUES = (8, 28, 44, 96, 142, 168, 196, 216, 248, 286, 332)  # of packs; none is muddy


@lru_cache(maxsize=4096)
def illustration(product_id: int, title: str, product_type: str) -> str:
    """Return the SVG of a product: the same one every time it is asked for."""
    return draw(kind_of(title, product_type), product_id, title)


def draw(kind: str, product_id: int, title: str) -> str:
    """Return the SVG of one kind, coloured for one product."""
    seed = hashlib.blake2b(str(product_id).encode(), digest_size=4).digest()
    colours = palette(HUES[seed[0] % len(HUES)])
    ground = hsl(HUES[seed[1] % len(HUES)], 0.42 + seed[2] / 255 * 0.14, 0.925)
    marks = "".join(mark(line, colours) for line in drawings()[kind])
    name = escape(f"Illustration, invented: {title or kind.replace('_', ' ')}")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="600" height="600"'
        f' role="img"><title>{name}</title><rect width="100" height="100" fill="{ground}"/>'
        '<ellipse cx="50" cy="80" rx="36" ry="4" fill="#000" opacity=".07"/>'
        f'<g transform="translate(2 0) scale(.96)">{marks}</g></svg>'
    )


@cache
def drawings() -> Mapping[str, tuple[str, ...]]:
    """Return the marks of every kind."""
    return {kind: lines for path in sorted(FOLDER.glob("*.txt")) for kind, lines in _read(path)}


def palette(hue: int) -> dict[str, str]:
    """Return the fills that a drawing names by letter."""
    return {
        "A": hsl(hue, 0.52, 0.52),
        "D": hsl(hue, 0.50, 0.38),
        "L": hsl(hue, 0.58, 0.80),
        "W": "#ffffff",
        "S": "rgb(0 0 0/.08)",
    }


def mark(line: str, colours: Mapping[str, str]) -> str:
    """Return one mark of a drawing as an SVG element."""
    fill, tool, rest = line.split(maxsplit=2)
    fill = colours.get(fill, fill)
    if tool == "p":
        return f'<path fill="{fill}" d="{rest}"/>'
    if tool == "o":
        x, y, radius = rest.split()
        return f'<circle fill="{fill}" cx="{x}" cy="{y}" r="{radius}"/>'
    x, y, width, height, radius = rest.split()
    return f'<rect fill="{fill}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}"/>'


def hsl(hue: float, saturation: float, lightness: float) -> str:
    """Return a hex colour. hue in degrees; the others from 0 to 1."""
    parts = colorsys.hls_to_rgb(hue % 360 / 360, lightness, saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _read(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each drawing of a file: its name in brackets, then its marks up to a blank line."""
    for block in path.read_text().split("\n\n"):
        name, _, marks = block.strip().partition("\n")
        if name.startswith("["):
            yield name.strip("[]"), tuple(marks.splitlines())
