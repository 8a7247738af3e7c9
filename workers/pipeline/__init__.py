"""The walk of a run through its stages."""
