"""What happened: kinds, log."""
