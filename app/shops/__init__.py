"""Which merchant, installed how."""
