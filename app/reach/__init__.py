"""Outside checkout: who left a basket, what may be written to them, and what the merchant must know."""
