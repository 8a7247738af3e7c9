"""GitHub's API: the only callers of it."""
