"""What stands in for the outside world in tests and in `make demo`, over real protocols."""
