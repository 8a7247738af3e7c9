"""The workshop: one order in, one verdict out."""
