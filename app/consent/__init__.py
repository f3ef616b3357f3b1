"""What we may do."""
