"""Gradual releases, a stage at a time."""
