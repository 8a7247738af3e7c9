"""What the demo, `make run` and the tests share: programs of this machine, a Redis, ports."""
