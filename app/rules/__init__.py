"""When to do something, in a merchant's rules: what they may read, mean, and say of themselves."""
