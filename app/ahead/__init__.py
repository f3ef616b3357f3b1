"""Offers precomputed into metafields, which a checkout reads without a network request."""
