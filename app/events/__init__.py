"""Events: their kinds, the log they are appended to and its consumers."""
