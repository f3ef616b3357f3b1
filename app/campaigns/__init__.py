"""Campaigns: what the merchant wants shown, to whom and when."""
