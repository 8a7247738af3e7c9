"""Tests of the watchlist, the example application."""
