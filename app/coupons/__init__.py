"""Codes of a shopper's own: minted ahead, handed out once, ended in time."""
