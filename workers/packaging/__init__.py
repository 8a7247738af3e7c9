"""A tar stream in, a deterministic zip out; knows no Docker."""
