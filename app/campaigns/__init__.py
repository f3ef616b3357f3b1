"""What the merchant wants to happen, for whom and when."""
