"""Tests of workers/docker."""
