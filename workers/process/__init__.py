"""What a worker's own process minds: its pool, its watchdog, what is around it."""
