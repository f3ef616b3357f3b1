"""Values as spreadsheets read them. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: object) -> object:
    """Return the value so that no spreadsheet takes it for a formula; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def line(values: Iterable[object]) -> str:
    """Return a line of CSV without its end. A break within a cell is quoted: it begins no line of its own."""
    text = StringIO()
    # Before Python 3.13 a break is quoted only where it is one that ends lines.
    csv.writer(text, lineterminator="\r\n").writerow(map(cell, values))
    return text.getvalue().removesuffix("\r\n")
