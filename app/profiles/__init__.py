"""Profiles: who is shopping, from orders and browsing, under consent."""
