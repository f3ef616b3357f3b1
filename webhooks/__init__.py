"""Webhooks: Shopify's facts received, stored and turned into events; imports and reconciliation."""
