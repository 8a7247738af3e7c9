"""What Slipway costs, side by side with what else one could use; `python -m benchmarks --help`."""
