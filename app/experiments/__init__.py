"""Experiments: assignment to arms, the holdout, and their statistics."""
