"""Offers worked out before they are asked for, and put where a checkout reads them without a network."""
