"""Shapes of real repositories: built as they are, and loaded by their own runtime."""
