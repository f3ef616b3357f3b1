"""Reach outside checkout: abandoned checkouts, messages about them, and alerts to the merchant."""
