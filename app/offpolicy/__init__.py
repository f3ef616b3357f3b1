"""What another set of rules would have earned, from what was logged and how likely it was."""
