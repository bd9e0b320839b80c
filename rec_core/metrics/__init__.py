"""Pure functions of rankings, scores and truth: they know nothing about models."""
