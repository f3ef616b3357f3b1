"""The embedded dashboard."""
