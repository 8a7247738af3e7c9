"""Tests; their rooms mirror those of the product."""
