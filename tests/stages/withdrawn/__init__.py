"""What was taken off its branch does not go live."""
