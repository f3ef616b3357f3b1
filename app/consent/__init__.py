"""Consent: what may be read, kept and used of whom, and for how long."""
