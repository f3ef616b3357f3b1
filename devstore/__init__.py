"""Shopify's side of every conversation, on one machine, for development and the journeys."""
