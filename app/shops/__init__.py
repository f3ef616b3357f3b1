"""Shops: installation, tokens, plan, settings and who is calling."""
