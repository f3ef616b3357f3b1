"""Titles that a shopper can read, from the retailer's shorthand."""

import re

WORDS = {
    "bkd": "baked",
    "brkfst": "breakfast",
    "brfst": "breakfast",
    "choc": "chocolate",
    "cond": "condensed",
    "deod": "deodorant",
    "dnr": "dinner",
    "drnk": "drink",
    "drnks": "drinks",
    "fd": "food",
    "frsh": "fresh",
    "frzn": "frozen",
    "frz": "frozen",
    "grnd": "ground",
    "hh": "household",
    "juic": "juice",
    "lnch": "lunch",
    "mw": "microwave",
    "mlk": "milk",
    "pnt": "peanut",
    "prod": "products",
    "rfrgratd": "refrigerated",
    "refrgratd": "refrigerated",
    "shlf": "shelf",
    "sft": "soft",
    "sngl": "single",
    "snk": "snack",
    "snks": "snacks",
    "srv": "serve",
    "stk": "stick",
    "strng": "string",
    "swt": "sweet",
    "sw": "sweet",
    "tradit": "traditional",
    "veg": "vegetables",
    "wht": "wheat",
    "whl": "whole",
    "whlsm": "wholesome",
    "yogrt": "yogurt",
    "xlrg": "extra large",
    "lrg": "large",
    "carb": "carbonated",
    "pks": "packs",
    "pk": "pack",
    "prem": "premium",
    "reg": "regular",
    "trad": "traditional",
    "cooki": "cookies",
    "van": "vanilla",
    "asst": "assorted",
    "btl": "bottle",
    "cn": "can",
    "mxd": "mixed",
    "bbq": "BBQ",
    "n": "and",
    "w": "with",
    "ital": "Italian",
    "gds": "goods",
    "dnrs": "dinners",
    "mxs": "mixes",
    "tort": "tortilla",
    "br": "bread",
    "dsh": "dishes",
    "tiss": "tissue",
    "handke": "handkerchiefs",
    "fre": "fresh",
}
PHRASES = {
    "FLUID MILK WHITE ONLY": "White milk",
    "SOFT DRINKS 12/18&15PK CAN CAR": "Soft drinks, can carton",
    "YOGURT NOT MULTI-PACKS": "Yogurt, non-multi-pack",
}
UNITS = {"ga": "gal", "dz": "dozen"}
CRATES = "PRODUCE"  # this department's sizes are of the crates it comes in
SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([A-Za-z ]+?)\s*$")


def readable(shorthand: str) -> str:
    """Return a phrase in sentence case: "YOGURT NOT MULTI-PACKS" is "Yogurt, not multi-packs"."""
    if shorthand in PHRASES:
        return PHRASES[shorthand]
    text = re.sub(r"\bN/A\b|\(.*?(\)|$)", " ", shorthand)
    text = re.sub(r"\s*(?:\s-\s|:|;|,)\s*", ", ", text)
    text = re.sub(r"\s+(NOT|NON)\b", r", \1", text)
    words = re.split(r"([\s/&+,-]+)", text.lower())
    phrase = "".join(WORDS.get(word, word) for word in words)
    phrase = re.sub(r"\s+", " ", phrase).strip(" ,/-&")
    return phrase[:1].upper() + phrase[1:]


def size(text: str | None) -> str:
    """Return a size such as "6 oz", or nothing when the retailer gave none that says anything."""
    match = SIZE.match(text or "")
    if match is None or float(match[1]) == 0:
        return ""
    unit = match[2].lower()
    return f"{match[1]} {UNITS.get(unit, unit)}"


def title(product_type: str, package_size: str | None, department: str = "") -> str:
    """Return a product's title: what it is, then its size unless that is a crate's."""
    shown = "" if department == CRATES else size(package_size)
    return " · ".join(filter(None, (readable(product_type), shown)))


def slug(text: str) -> str:
    """Return the text as it stands in an address."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
