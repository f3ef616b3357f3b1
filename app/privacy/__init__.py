"""Showing and erasing a person, or a shop."""
