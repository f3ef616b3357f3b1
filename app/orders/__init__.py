"""Orders, refunds and customers."""
