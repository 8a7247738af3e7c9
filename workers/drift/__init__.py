"""What AWS really runs, beside what is on record."""
