"""Arms and the holdout."""
