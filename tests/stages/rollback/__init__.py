"""Rollbacks, holds and locks on real Redis, git and the strict AWS."""
