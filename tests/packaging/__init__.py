"""What a package may hold."""
