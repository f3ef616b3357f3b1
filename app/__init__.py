"""Tillwise: personalised checkout for Shopify, under consent, measured honestly."""

__version__ = "0.1.0"
