"""Offers: what a decision shows, and why."""
