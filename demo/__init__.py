"""`make demo` and `make run`: Slipway's processes for people, on embedded parts or on real ones."""
