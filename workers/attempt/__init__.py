"""What one worker's try at a run holds."""
